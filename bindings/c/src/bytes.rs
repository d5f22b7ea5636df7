//! Handles: shared bytes that are copied when one of their holders writes.
//!
//! ```text
//!   tierpool_bytes   data ─►the first byte   len   two words of the library
//! ```
//!
//! A handle is the four words of a Rust [`Bytes`], in the same order, so that a conversion is a bit
//! copy.

use core::ffi::c_void;
use core::mem::{self, ManuallyDrop};
use core::ptr::{self, NonNull};
use core::slice;

use tierpool::Bytes;

use crate::error::tierpool_error::{self, *};
use crate::init::{pool_at, tierpool_pool};

/// A reference to shared bytes, or to a part of them. All zero is a reference to no bytes, which
/// needs no release. Whatever else was made is released, whatever its length: a buffer of no bytes
/// has a slot, too.
///
/// Read `len` bytes at `data`; write through `tierpool_bytes_make_mut` only. The view may be
/// narrowed by hand: a larger `data`, a smaller `len`. A plain copy of the struct is the *same*
/// reference by another name, not one more: of the two only one may be used and released. One more
/// is made by `tierpool_bytes_retain`.
///
/// Different handles, of the same bytes too, may be used at the same time by different cores, tasks
/// and interrupt handlers; one handle by one of them at a time.
#[repr(C)]
#[derive(Debug)]
pub struct tierpool_bytes {
    /// The first byte.
    pub data: *const u8,
    /// How many there are.
    pub len: usize,
    /// The library's own.
    pub reserved: [*const c_void; 2],
}

// The order of the words, on which all conversions stand. Compiled for each target, so checked
// there.
const _: () = {
    assert!(
        size_of::<tierpool_bytes>() == size_of::<Bytes>()
            && align_of::<tierpool_bytes>() == align_of::<Bytes>()
    );
    // SAFETY: the same size; any words are a valid `tierpool_bytes`. A pointer in place of the
    // length would not compile.
    let words: tierpool_bytes = unsafe { mem::transmute(Bytes::from_static(b"four")) };
    assert!(
        !words.data.is_null()
            && words.len == 4
            && words.reserved[0].is_null()
            && words.reserved[1].is_null()
    );
};

impl tierpool_bytes {
    const EMPTY: tierpool_bytes =
        tierpool_bytes { data: ptr::null(), len: 0, reserved: [ptr::null(); 2] };

    #[inline(always)]
    pub(crate) fn from_rust(bytes: Bytes) -> Self {
        // SAFETY: the same size; any words are a valid `tierpool_bytes`. The reference goes along.
        unsafe { mem::transmute(bytes) }
    }

    /// The same reference, which is not to be dropped.
    ///
    /// # Safety
    /// The words are all zero or come from `from_rust`, narrowed at most.
    #[inline(always)]
    pub(crate) unsafe fn borrow(&self) -> ManuallyDrop<Bytes> {
        // Rust's pointers are never null, those of empty bytes included.
        let data = if self.data.is_null() { NonNull::dangling().as_ptr() } else { self.data };
        // SAFETY: the caller's promise: four words of a `Bytes`, which counts the reference still.
        unsafe { mem::transmute(tierpool_bytes { data, ..*self }) }
    }

    /// Takes the reference out and leaves none.
    ///
    /// # Safety
    /// As `borrow`.
    #[inline(always)]
    pub(crate) unsafe fn take(&mut self) -> Bytes {
        // SAFETY: passed on; what stays behind is no reference any more.
        ManuallyDrop::into_inner(unsafe { mem::replace(self, tierpool_bytes::EMPTY).borrow() })
    }
}

/// Puts what was made into `out`, or no bytes.
///
/// # Safety
/// `out` is null or valid to write.
#[inline(always)]
pub(crate) unsafe fn deliver(
    out: *mut tierpool_bytes,
    make: impl FnOnce() -> Result<Bytes, tierpool_error>,
) -> tierpool_error {
    if out.is_null() {
        return TIERPOOL_NULL;
    }
    // `out` may lie in what `make` reads, so it is written last.
    let (made, error) = match make() {
        Ok(bytes) => (tierpool_bytes::from_rust(bytes), TIERPOOL_OK),
        Err(error) => (tierpool_bytes::EMPTY, error),
    };
    // SAFETY: not null, so valid to write, by the caller.
    unsafe { out.write(made) };
    error
}

/// A slice of C's. Null is allowed for no bytes.
///
/// # Safety
/// `len` bytes at `data` are valid to read during `'a`.
#[inline(always)]
unsafe fn slice_at<'a>(data: *const u8, len: usize) -> Result<&'a [u8], tierpool_error> {
    match (data.is_null(), len) {
        (true, 0) => Ok(&[]),
        (true, _) => Err(TIERPOOL_NULL),
        // SAFETY: the caller's promise.
        (false, _) => Ok(unsafe { slice::from_raw_parts(data, len) }),
    }
}

// ---- making one

/// `len` bytes of zeros in a slot of the pool. `*out` is not read: release what it held before.
///
/// Interrupt handler: yes. Cost: one compare-and-swap, `len` bytes written.
///
/// # Errors
/// `TIERPOOL_EXHAUSTED`, `TIERPOOL_OVERSIZED`, `TIERPOOL_NULL`; `*out` is then no bytes.
///
/// # Safety
/// `pool` is null or from `tierpool_init`; `out` is null or valid to write.
///
/// ```c
/// tierpool_bytes reply;
/// if (tierpool_bytes_zeroed(pool, 200, &reply) == TIERPOOL_OK) {
///     tierpool_bytes_release(&reply);
/// }
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tierpool_bytes_zeroed(
    pool: *mut tierpool_pool,
    len: usize,
    out: *mut tierpool_bytes,
) -> tierpool_error {
    // SAFETY: the caller's promises.
    unsafe { deliver(out, || Ok(pool_at(pool)?.zeroed(len)?.freeze())) }
}

/// A copy of `len` bytes in a slot of the pool. `*out` is not read: release what it held before.
///
/// Interrupt handler: yes. Cost: one compare-and-swap, the copy.
///
/// # Errors
/// `TIERPOOL_EXHAUSTED`, `TIERPOOL_OVERSIZED`, `TIERPOOL_NULL`; `*out` is then no bytes.
///
/// # Safety
/// `pool` is null or from `tierpool_init`; `len` bytes at `data` are valid to read; `out` is null
/// or valid to write.
///
/// ```c
/// tierpool_bytes frame;
/// if (tierpool_bytes_copy(pool, received, length, &frame) == TIERPOOL_OK) {
///     tierpool_bytes_release(&frame);
/// }
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tierpool_bytes_copy(
    pool: *mut tierpool_pool,
    data: *const u8,
    len: usize,
    out: *mut tierpool_bytes,
) -> tierpool_error {
    // SAFETY: the caller's promises.
    unsafe { deliver(out, || Ok(pool_at(pool)?.copy_from_slice(slice_at(data, len)?)?.freeze())) }
}

/// Makes a slot from `tierpool_alloc` a handle on its first `len` bytes, without a copy: for a
/// driver that has filled it. The slot then goes back with the last release, and not by
/// `tierpool_free`.
///
/// Interrupt handler: yes. Cost: one compare-and-swap.
///
/// # Errors
/// Those of `tierpool_free`; `TIERPOOL_RANGE` if the slot is shorter than `len`. The slot is then
/// still the caller's, and `*out` no bytes.
///
/// # Safety
/// `pool` is null or from `tierpool_init`. If `memory` is a slot of it, the caller owns it, has
/// written `len` bytes there, and does not use the pointer any more. `out` is null or valid to
/// write.
///
/// ```c
/// void *slot;
/// if (tierpool_alloc(pool, 500, 1, &slot) == TIERPOOL_OK) {
///     memcpy(slot, received, length); // or by DMA
///     tierpool_bytes frame;
///     if (tierpool_bytes_from_raw(pool, slot, length, &frame) == TIERPOOL_OK) {
///         tierpool_bytes_release(&frame);
///     }
/// }
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tierpool_bytes_from_raw(
    pool: *mut tierpool_pool,
    memory: *mut c_void,
    len: usize,
    out: *mut tierpool_bytes,
) -> tierpool_error {
    let make = || {
        // SAFETY: null or a pool, by the caller.
        let pool = unsafe { pool_at(pool) }?;
        // SAFETY: the caller owns the slot.
        let mut buffer =
            unsafe { pool.from_raw(NonNull::new(memory.cast()).ok_or(TIERPOOL_NULL)?) }?;
        if len > buffer.capacity() {
            // It is a slot, so it becomes a raw one again.
            let _ = buffer.into_raw();
            return Err(TIERPOOL_RANGE);
        }
        // SAFETY: they fit, and have been written, by the caller.
        unsafe { buffer.set_len(len) };
        Ok(buffer.freeze())
    };
    // SAFETY: the caller's promise.
    unsafe { deliver(out, make) }
}

/// A handle on bytes that live for ever and do not change, such as constants in flash. Copies and
/// counts nothing; null is no bytes.
///
/// Interrupt handler: yes. Cost: no atomic operation.
///
/// # Safety
/// `len` bytes at `data` are valid to read for ever, and nobody writes them; or `data` is null.
///
/// ```c
/// tierpool_bytes hello = tierpool_bytes_from_static((const uint8_t *)"hello", 5);
/// assert(hello.len == 5);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tierpool_bytes_from_static(data: *const u8, len: usize) -> tierpool_bytes {
    // SAFETY: the caller's promise.
    unsafe { slice_at(data, len) }
        .map_or(tierpool_bytes::EMPTY, |bytes| tierpool_bytes::from_rust(Bytes::from_static(bytes)))
}

// ---- sharing

/// One more reference to the same bytes, to be released on its own. Null, and what is all zero,
/// give no bytes.
///
/// Interrupt handler: yes. Cost: one atomic addition; 2^27 references to one buffer end in a trap.
///
/// # Safety
/// `bytes` is null, or a handle that holds its reference.
///
/// ```c
/// tierpool_bytes queued = tierpool_bytes_retain(packet);
/// tierpool_bytes_release(&queued);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tierpool_bytes_retain(bytes: *const tierpool_bytes) -> tierpool_bytes {
    // SAFETY: null or valid, by the caller.
    let Some(bytes) = (unsafe { bytes.as_ref() }) else { return tierpool_bytes::EMPTY };
    // SAFETY: a handle, by the caller.
    let bytes = unsafe { bytes.borrow() };
    tierpool_bytes::from_rust(Bytes::clone(&bytes))
}

/// Gives up a reference; with the last one the slot goes back to its pool. The handle is no bytes
/// afterwards, so that a second release of it does nothing. Null does nothing.
///
/// Interrupt handler: yes. Cost: the last reference, one load and one compare-and-swap; the others
/// one load and one subtraction.
///
/// # Safety
/// `bytes` is null, or a handle that holds its reference, or no bytes.
///
/// ```c
/// tierpool_bytes frame;
/// tierpool_bytes_copy(pool, received, length, &frame); // no bytes if it fails
/// tierpool_bytes_release(&frame);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tierpool_bytes_release(bytes: *mut tierpool_bytes) {
    // SAFETY: null or valid, by the caller.
    if let Some(bytes) = unsafe { bytes.as_mut() } {
        // SAFETY: a handle, by the caller.
        drop(unsafe { bytes.take() });
    }
}

/// One more reference, to `len` bytes from `start`. An empty part has its place in `data`, but
/// holds no slot. `*out` is not read: release what it held before; it is not `bytes`.
///
/// Interrupt handler: yes. Cost: one atomic addition.
///
/// # Errors
/// `TIERPOOL_RANGE` if there are fewer bytes; `TIERPOOL_NULL`. `*out` is then no bytes.
///
/// # Safety
/// `bytes` is null, or a handle that holds its reference; `out` is null or valid to write.
///
/// ```c
/// tierpool_bytes header;
/// if (tierpool_bytes_slice(packet, 0, 19, &header) == TIERPOOL_OK) {
///     tierpool_bytes_release(&header);
/// }
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tierpool_bytes_slice(
    bytes: *const tierpool_bytes,
    start: usize,
    len: usize,
    out: *mut tierpool_bytes,
) -> tierpool_error {
    let make = || {
        // SAFETY: null or a handle, by the caller.
        let bytes = unsafe { bytes.as_ref().ok_or(TIERPOOL_NULL)?.borrow() };
        Ok(bytes.slice(start..start.checked_add(len).ok_or(TIERPOOL_RANGE)?)?)
    };
    // SAFETY: null or valid, by the caller.
    unsafe { deliver(out, make) }
}

/// True if no other handle refers to the buffer, so that a write would not copy. Static bytes, and
/// what has no slot, are not unique.
///
/// Interrupt handler: yes. Cost: one atomic load.
///
/// # Safety
/// `bytes` is null, or a handle that holds its reference.
///
/// ```c
/// tierpool_bytes other = tierpool_bytes_retain(packet);
/// assert(!tierpool_bytes_is_unique(packet));
/// tierpool_bytes_release(&other);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tierpool_bytes_is_unique(bytes: *const tierpool_bytes) -> bool {
    // SAFETY: null or a handle, by the caller.
    unsafe { bytes.as_ref().is_some_and(|bytes| bytes.borrow().is_unique()) }
}

/// Bytes of memory that this handle keeps from being used again: those of its whole slot, however
/// short the part; 0 for static bytes and none.
///
/// Interrupt handler: yes. Cost: no read-modify-write.
///
/// # Safety
/// `bytes` is null, or a handle that holds its reference.
///
/// ```c
/// printf("%zu of %zu bytes used\n", packet->len, tierpool_bytes_footprint(packet));
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tierpool_bytes_footprint(bytes: *const tierpool_bytes) -> usize {
    // SAFETY: null or a handle, by the caller.
    unsafe { bytes.as_ref().map_or(0, |bytes| bytes.borrow().footprint()) }
}
