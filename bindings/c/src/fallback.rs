//! A fallback of the caller's: a heap, PSRAM, or another pool, for what no slot serves.
//!
//! ```text
//!   request ──► slot ──none──► tierpool_fallback: allocate ──► buffer with a control block in front, or in `control`
//!                                                 deallocate ◄── last release, or tierpool_reclaim
//! ```
//!
//! The code for it is brought by `tierpool_fallback_link`. A program that does not name this
//! function does not contain it.

use core::alloc::Layout;
use core::ffi::c_void;
use core::mem::MaybeUninit;
use core::ptr::NonNull;

use tierpool::Fallback;

use crate::error::tierpool_error::{self, *};
use crate::geometry::tierpool_geometry;
use crate::init::{pool_at, tierpool_pool};
use crate::out;

/// Memory for requests that no slot serves, because the slots that fit are in use, or because the
/// request is larger than all of them. It is named in the geometry, lives for ever, and does not
/// change.
///
/// ```c
/// // void *psram_alloc(void *context, size_t bytes, size_t align) {
/// //     return heap_caps_aligned_alloc(align, bytes, MALLOC_CAP_SPIRAM);
/// // }
/// // void psram_free(void *context, void *memory, size_t bytes, size_t align) { heap_caps_free(memory); }
/// static const tierpool_fallback psram = {
///     .link = tierpool_fallback_link, .allocate = psram_alloc, .deallocate = psram_free};
/// static const tierpool_tier tiers[] = {{512, 16}};
/// static const tierpool_geometry geometry = {.tiers = tiers, .tier_count = 1, .fallback = &psram};
/// ```
#[repr(C)]
#[derive(Debug)]
pub struct tierpool_fallback {
    /// `tierpool_fallback_link`.
    pub link: Option<
        unsafe extern "C" fn(fallback: *const tierpool_fallback, words: *mut c_void) -> bool,
    >,
    /// Memory of at least `bytes` bytes, which are never 0, aligned to `align`; null if there is
    /// none. It belongs to the pool until `deallocate`. The pool gives misaligned memory back, and
    /// the request then fails. Must not throw.
    ///
    /// It runs where bytes or memory are asked for. So a pool with a fallback serves an interrupt
    /// handler only if this function may run there.
    pub allocate:
        Option<extern "C" fn(context: *mut c_void, bytes: usize, align: usize) -> *mut c_void>,
    /// Takes memory back, of the size and alignment that it was asked for with. Must not throw.
    pub deallocate: Option<
        extern "C" fn(context: *mut c_void, memory: *mut c_void, bytes: usize, align: usize),
    >,
    /// What both functions get.
    pub context: *mut c_void,
    /// The last release of a buffer calls `deallocate`, wherever that release is. Set it only if
    /// `deallocate` may run there: in an interrupt handler, if handlers release such buffers. If it
    /// is false, buffers wait until the next request of the fallback, or `tierpool_reclaim`.
    pub free_at_once: bool,
    /// Where the control blocks lie, of 16 bytes on 32-bit chips, one for each buffer. Null: in
    /// front of the payload. Atomic instructions must work there, and do not in the PSRAM of ESP32,
    /// S2 and S3: there name a fallback in internal RAM. Its own `control` is not read.
    pub control: *const tierpool_fallback,
}

// SAFETY: it does not change, and its functions may be called in each context that the pool is used
// in, as C promises with the geometry.
unsafe impl Sync for tierpool_fallback {}

// SAFETY: C promises with the geometry what the fields ask for. Memory that is null is none.
unsafe impl Fallback for tierpool_fallback {
    fn free_in_interrupt(&self) -> bool {
        false
    }

    fn free_at_once(&self) -> bool {
        self.free_at_once
    }

    fn allocate(&self, layout: Layout) -> Option<NonNull<u8>> {
        NonNull::new(self.allocate?(self.context, layout.size(), layout.align()).cast())
    }

    unsafe fn deallocate(&self, memory: NonNull<u8>, layout: Layout) {
        if let Some(deallocate) = self.deallocate {
            deallocate(self.context, memory.as_ptr().cast(), layout.size(), layout.align());
        }
    }

    fn control(&self) -> Option<&dyn Fallback> {
        // SAFETY: null, or a fallback that lives for ever, by the caller.
        unsafe { self.control.as_ref() }.map(|control| control as &dyn Fallback)
    }
}

/// Brings the code for fallbacks into a program: write it into `link`, and do not call it. False if a
/// function is missing.
///
/// # Safety
/// `fallback` lives for ever, and is as its fields ask; `words` has room for two pointers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tierpool_fallback_link(
    fallback: *const tierpool_fallback,
    words: *mut c_void,
) -> bool {
    // SAFETY: the caller's promise.
    let fallback = unsafe { &*fallback };
    // SAFETY: null or valid, by the caller.
    let control = unsafe { fallback.control.as_ref() };
    // SAFETY: the caller's promise.
    unsafe { words.cast::<&'static dyn Fallback>().write(fallback) };
    let whole = |part: &tierpool_fallback| part.allocate.is_some() && part.deallocate.is_some();
    whole(fallback) && control.is_none_or(whole)
}

/// The fallback that a geometry names.
///
/// # Safety
/// `fallback` of the geometry is null, or lives for ever and is as its fields ask.
#[inline(always)]
pub(crate) unsafe fn fallback_of(
    geometry: &tierpool_geometry,
) -> Result<Option<&'static dyn Fallback>, tierpool_error> {
    // SAFETY: null or valid, by the caller.
    let Some(fallback) = (unsafe { geometry.fallback.as_ref() }) else { return Ok(None) };
    let link = fallback.link.ok_or(TIERPOOL_FALLBACK)?;
    let mut words = MaybeUninit::<&'static dyn Fallback>::uninit();
    // SAFETY: it is `tierpool_fallback_link`, which writes both words.
    unsafe {
        if !link(fallback, words.as_mut_ptr().cast()) {
            return Err(TIERPOOL_FALLBACK);
        }
        Ok(Some(words.assume_init()))
    }
}

/// As `tierpool_alloc`, and memory of the pool's fallback where no slot serves. The statistics count
/// it as the fallback's. Free it by `tierpool_free_or_fallback`.
///
/// Interrupt handler: as the fallback. Cost: that of `tierpool_alloc`, and what the fallback takes.
///
/// # Errors
/// Those of `tierpool_alloc`, where the fallback has no memory either. `*memory` is then null.
///
/// # Safety
/// As `tierpool_alloc`.
///
/// ```c
/// void *table;
/// if (tierpool_alloc_or_fallback(pool, 20000, 8, &table) == TIERPOOL_OK) {
///     tierpool_free_or_fallback(pool, table, 20000, 8);
/// }
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tierpool_alloc_or_fallback(
    pool: *mut tierpool_pool,
    bytes: usize,
    align: usize,
    memory: *mut *mut c_void,
) -> tierpool_error {
    // SAFETY: the caller's promises.
    let error = unsafe { crate::raw::tierpool_alloc(pool, bytes, align, memory) };
    if error != TIERPOOL_EXHAUSTED && error != TIERPOOL_OVERSIZED {
        return error;
    }
    // SAFETY: neither was null.
    let (Ok(pool), Some(memory)) = (unsafe { (pool_at(pool), out(memory)) }) else {
        return TIERPOOL_NULL;
    };
    let layout = Layout::from_size_align(bytes, align).ok();
    match layout.and_then(|layout| pool.memory_of_fallback(layout)) {
        Some(found) => {
            memory.write(found.as_ptr().cast());
            TIERPOOL_OK
        }
        None => error,
    }
}

/// Gives memory of `tierpool_alloc_or_fallback` back to where it came from. Null is nothing to give
/// back.
///
/// Interrupt handler: if it is a slot, or if `deallocate` of the fallback may run there. Cost: one
/// compare-and-swap, or what the fallback takes.
///
/// # Errors
/// `TIERPOOL_NULL` (the pool), `TIERPOOL_ALIGN`. Anything else that is wrong is undefined
/// behaviour.
///
/// # Safety
/// As `tierpool_free_sized`, of memory of `tierpool_alloc_or_fallback`.
///
/// ```c
/// void *memory;
/// if (tierpool_alloc_or_fallback(pool, 100, 1, &memory) == TIERPOOL_OK) {
///     tierpool_free_or_fallback(pool, memory, 100, 1);
/// }
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tierpool_free_or_fallback(
    pool: *mut tierpool_pool,
    memory: *mut c_void,
    bytes: usize,
    align: usize,
) -> tierpool_error {
    // SAFETY: null or a pool, by the caller.
    let Ok(known) = (unsafe { pool_at(pool) }) else { return TIERPOOL_NULL };
    if memory.is_null() || known.owns(memory.cast()) {
        // SAFETY: the caller's promises.
        return unsafe { crate::raw::tierpool_free_sized(pool, memory, bytes, align) };
    }
    let Ok(layout) = Layout::from_size_align(bytes, align) else { return TIERPOOL_ALIGN };
    if let Some(memory) = NonNull::new(memory.cast()) {
        // SAFETY: the caller's promises.
        unsafe { known.back_to_fallback(memory, layout) };
    }
    TIERPOOL_OK
}

/// True if the geometry of the pool has named a fallback.
///
/// Interrupt handler: yes. Cost: no atomic operation.
///
/// # Safety
/// `pool` is null or from `tierpool_init`.
///
/// ```c
/// assert(!tierpool_has_fallback(pool));
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tierpool_has_fallback(pool: *const tierpool_pool) -> bool {
    // SAFETY: null or a pool, by the caller.
    unsafe { pool_at(pool) }.is_ok_and(|pool| pool.has_fallback())
}

/// Gives the buffers that wait for it back to the fallback, and returns how many. Call it from a
/// task, now and then, if the fallback does not free at once, and buffers of it are released where
/// it must not be entered.
///
/// Interrupt handler: no. Cost: one swap if there is anything to do, and what the fallback takes.
///
/// # Safety
/// `pool` is null or from `tierpool_init`.
///
/// ```c
/// assert(tierpool_reclaim(pool) == 0);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tierpool_reclaim(pool: *mut tierpool_pool) -> usize {
    // SAFETY: null or a pool, by the caller.
    unsafe { pool_at(pool) }.map_or(0, |pool| pool.reclaim())
}
