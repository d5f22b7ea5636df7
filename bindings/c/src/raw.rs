//! Slots as plain memory.

use core::alloc::Layout;
use core::ffi::c_void;
use core::ptr::{self, NonNull};

use tierpool::{AllocError, Pool};

use crate::error::tierpool_error::{self, *};
use crate::init::{pool_at, tierpool_pool};
use crate::out;

/// Takes a slot for `bytes` bytes, aligned to `align`: the smallest that fits, then, with `spill`,
/// the next ones. The contents are whatever was there. 0 bytes take a slot, too.
///
/// Interrupt handler: yes. Cost: one compare-and-swap.
///
/// # Errors
/// `TIERPOOL_EXHAUSTED`; `TIERPOOL_OVERSIZED` also where no slot is aligned so; `TIERPOOL_ALIGN` if
/// that is no power of two; `TIERPOOL_NULL`. `*memory` is then null.
///
/// # Safety
/// `pool` is null or from `tierpool_init`; `memory` is null or valid to write.
///
/// ```c
/// void *memory;
/// if (tierpool_alloc(pool, sizeof(uint32_t[100]), _Alignof(uint32_t), &memory) == TIERPOOL_OK) {
///     memset(memory, 0, sizeof(uint32_t[100]));
///     tierpool_free(pool, memory);
/// }
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tierpool_alloc(
    pool: *mut tierpool_pool,
    bytes: usize,
    align: usize,
    memory: *mut *mut c_void,
) -> tierpool_error {
    // SAFETY: the caller's promises.
    unsafe { alloc_by(Pool::allocate, pool, bytes, align, memory) }
}

/// # Safety
/// As `tierpool_alloc`.
#[inline(always)]
unsafe fn alloc_by(
    allocate: impl FnOnce(&'static Pool, Layout) -> Result<NonNull<[u8]>, AllocError>,
    pool: *mut tierpool_pool,
    bytes: usize,
    align: usize,
    memory: *mut *mut c_void,
) -> tierpool_error {
    // SAFETY: null or valid, by the caller.
    let Some(memory) = (unsafe { out(memory) }) else { return TIERPOOL_NULL };
    memory.write(ptr::null_mut());
    // SAFETY: null or a pool, by the caller.
    let Ok(pool) = (unsafe { pool_at(pool) }) else { return TIERPOOL_NULL };
    // More than a layout can say is more than any tier has: it goes to the pool as the most that
    // one can say, and is counted.
    let most = (isize::MAX as usize).saturating_sub(align.wrapping_sub(1));
    let Ok(layout) = Layout::from_size_align(bytes.min(most), align) else { return TIERPOOL_ALIGN };
    match allocate(pool, layout) {
        Ok(slot) => {
            memory.write(slot.as_ptr().cast());
            TIERPOOL_OK
        }
        Err(error) => error.into(),
    }
}

/// As `tierpool_alloc`, but takes a reserved slot where the plain ones are used up: for what must
/// get through so that others can go on, as acknowledgements do. A reserved slot is of the same
/// tier or a larger one, and goes back to the reserve, by any of the functions that free.
/// `tierpool_bytes_from_raw` makes a handle of it.
///
/// Without a reserve (`reserved` of the geometry) it is `tierpool_alloc`.
///
/// Interrupt handler: yes. Cost: two compare-and-swaps.
///
/// # Errors
/// Those of `tierpool_alloc`. `*memory` is then null.
///
/// # Safety
/// As `tierpool_alloc`.
///
/// ```c
/// void *answer;
/// if (tierpool_alloc_reserved(pool, 64, 1, &answer) == TIERPOOL_OK) {
///     tierpool_free(pool, answer);
/// }
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tierpool_alloc_reserved(
    pool: *mut tierpool_pool,
    bytes: usize,
    align: usize,
    memory: *mut *mut c_void,
) -> tierpool_error {
    #[cfg(feature = "reserve")]
    let allocate = Pool::allocate_reserved;
    #[cfg(not(feature = "reserve"))]
    let allocate = Pool::allocate;
    // SAFETY: the caller's promises.
    unsafe { alloc_by(allocate, pool, bytes, align, memory) }
}

/// Gives a slot back, found and checked by its address alone. Null is nothing to give back.
///
/// Interrupt handler: yes. Cost: two compare-and-swaps.
///
/// # Errors
/// `TIERPOOL_FOREIGN`, `TIERPOOL_INTERIOR`, `TIERPOOL_NULL` (the pool); `TIERPOOL_NOT_ALLOCATED`:
/// of two frees of one allocation exactly one succeeds, also when they race, until the slot is
/// handed out again. The pool is whole and unchanged.
///
/// # Safety
/// `pool` is null or from `tierpool_init`. If `memory` is a slot of this pool, the caller owns it
/// and nobody uses it any more.
///
/// ```c
/// void *memory;
/// if (tierpool_alloc(pool, 100, 1, &memory) == TIERPOOL_OK) {
///     tierpool_free(pool, memory);
///     puts(tierpool_error_text(tierpool_free(pool, memory))); // the slot is not allocated: ...
/// }
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tierpool_free(
    pool: *mut tierpool_pool,
    memory: *mut c_void,
) -> tierpool_error {
    // SAFETY: null or a pool, by the caller.
    let Ok(pool) = (unsafe { pool_at(pool) }) else { return TIERPOOL_NULL };
    let Some(memory) = NonNull::new(memory.cast()) else { return TIERPOOL_OK };
    // SAFETY: the caller owns what it gives back.
    match unsafe { pool.deallocate(memory) } {
        Ok(()) => TIERPOOL_OK,
        Err(error) => error.into(),
    }
}

/// Gives a slot back, found by the size and alignment that it was asked for with, and not checked.
/// Any other size will do that the same tier serves. Null is nothing to give back.
///
/// Interrupt handler: yes. Cost: one compare-and-swap.
///
/// # Errors
/// `TIERPOOL_NULL` (the pool), `TIERPOOL_ALIGN`. Anything else that is wrong is undefined
/// behaviour.
///
/// # Safety
/// `pool` is null or from `tierpool_init`. `memory` is null, or from `tierpool_alloc` or
/// `tierpool_alloc_reserved` of this pool with the same `align`, and the same `bytes` or others that
/// the same tier serves. It has not been given back, and nobody uses it any more.
///
/// ```c
/// void *memory;
/// if (tierpool_alloc(pool, 100, 1, &memory) == TIERPOOL_OK) {
///     tierpool_free_sized(pool, memory, 100, 1);
/// }
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tierpool_free_sized(
    pool: *mut tierpool_pool,
    memory: *mut c_void,
    bytes: usize,
    align: usize,
) -> tierpool_error {
    // SAFETY: null or a pool, by the caller.
    let Ok(pool) = (unsafe { pool_at(pool) }) else { return TIERPOOL_NULL };
    let Some(memory) = NonNull::new(memory.cast()) else { return TIERPOOL_OK };
    let Ok(layout) = Layout::from_size_align(bytes, align) else { return TIERPOOL_ALIGN };
    // SAFETY: the caller's promise.
    unsafe { pool.deallocate_sized(memory, layout) };
    TIERPOOL_OK
}

/// As `tierpool_free_sized`, and checks what the caller says. A program that defines
/// `TIERPOOL_CHECKED` in front of the header calls this wherever it writes `tierpool_free_sized`, as
/// the allocators for C++ do, and stops with the text of the error.
///
/// Interrupt handler: yes. Cost: two compare-and-swaps.
///
/// # Errors
/// `TIERPOOL_WRONG_SIZE` if no request of this size and alignment gets such a slot;
/// `TIERPOOL_ALIGN`, and those of `tierpool_free`. The pool is whole and unchanged.
///
/// # Safety
/// As `tierpool_free`.
///
/// ```c
/// void *memory;
/// if (tierpool_alloc(pool, 100, 1, &memory) == TIERPOOL_OK) {
///     assert(tierpool_free_sized_checked(pool, memory, 500, 1) == TIERPOOL_WRONG_SIZE);
///     assert(tierpool_free_sized_checked(pool, memory, 100, 1) == TIERPOOL_OK);
///     assert(tierpool_free_sized_checked(pool, memory, 100, 1) == TIERPOOL_NOT_ALLOCATED);
/// }
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tierpool_free_sized_checked(
    pool: *mut tierpool_pool,
    memory: *mut c_void,
    bytes: usize,
    align: usize,
) -> tierpool_error {
    // SAFETY: null or a pool, by the caller.
    let Ok(known) = (unsafe { pool_at(pool) }) else { return TIERPOOL_NULL };
    let Ok(layout) = Layout::from_size_align(bytes, align) else { return TIERPOOL_ALIGN };
    if known.owns(memory.cast()) && !known.serves(layout, memory.cast()) {
        return TIERPOOL_WRONG_SIZE;
    }
    // SAFETY: the caller's promises.
    unsafe { tierpool_free(pool, memory) }
}

/// True if `memory` lies anywhere in this pool's slots, whoever owns them.
///
/// Interrupt handler: yes. Cost: no atomic operation.
///
/// # Safety
/// `pool` is null (which owns nothing) or from `tierpool_init`. `memory` may be any pointer.
///
/// ```c
/// int elsewhere = 0;
/// assert(!tierpool_owns(pool, &elsewhere));
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tierpool_owns(pool: *const tierpool_pool, memory: *const c_void) -> bool {
    // SAFETY: null or a pool, by the caller.
    unsafe { pool_at(pool) }.is_ok_and(|pool| pool.owns(memory.cast()))
}

/// The bytes of the slot in which `memory` lies, whoever owns it: how much of it may be used. 0 if it
/// lies in no slot of this pool.
///
/// Interrupt handler: yes. Cost: no atomic operation.
///
/// # Safety
/// `pool` is null (which has no slots) or from `tierpool_init`. `memory` may be any pointer.
///
/// ```c
/// void *memory;
/// if (tierpool_alloc(pool, 300, 1, &memory) == TIERPOOL_OK) {
///     assert(tierpool_slot_bytes(pool, memory) == 512);
///     tierpool_free_sized(pool, memory, 512, 1); // any size of its tier
/// }
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tierpool_slot_bytes(
    pool: *const tierpool_pool,
    memory: *const c_void,
) -> usize {
    // SAFETY: null or a pool, by the caller.
    unsafe { pool_at(pool) }.ok().and_then(|pool| pool.slot_bytes(memory.cast())).unwrap_or(0)
}
