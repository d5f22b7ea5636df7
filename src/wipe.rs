//! Writes zeros over memory that has held secrets.

use core::mem::MaybeUninit;
use core::ptr::NonNull;

use zeroize::Zeroize;

/// Overwrites memory with zeros. The compiler does not remove these writes.
///
/// # Safety
/// `bytes` bytes at `start` belong to the caller alone.
pub(crate) unsafe fn wipe(start: NonNull<u8>, bytes: usize) {
    // SAFETY: the caller promises it. The type is `MaybeUninit`, because the bytes need not be
    // initialised.
    unsafe { NonNull::slice_from_raw_parts(start.cast::<MaybeUninit<u8>>(), bytes).as_mut() }
        .zeroize();
}
