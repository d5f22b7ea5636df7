//! Zeros over memory that has held secrets.

use core::mem::MaybeUninit;
use core::ptr::NonNull;

use zeroize::Zeroize;

/// Overwrites memory with zeros; not optimised away.
///
/// # Safety
/// `bytes` bytes at `start` are the caller's alone.
pub(crate) unsafe fn wipe(start: NonNull<u8>, bytes: usize) {
    // SAFETY: the caller's promise; `MaybeUninit` since the bytes need not be initialised.
    unsafe { NonNull::slice_from_raw_parts(start.cast::<MaybeUninit<u8>>(), bytes).as_mut() }.zeroize();
}
