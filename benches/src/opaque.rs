//! A value of which the compiler knows nothing any more, as if a function far away had returned it.

use std::mem::{ManuallyDrop, MaybeUninit};

/// As `std::hint::black_box`, but values of up to four words stay in registers: `black_box` writes
/// them to memory, and an atomic operation that follows would wait for that.
#[inline(always)]
pub fn opaque<T>(value: T) -> T {
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    if size_of::<T>().is_multiple_of(8) && size_of::<T>() <= 32 {
        let value = ManuallyDrop::new(value);
        let mut words = [const { MaybeUninit::<u64>::uninit() }; 4];
        // SAFETY: `words` is large enough; the bytes are copied as they are, initialised or not.
        unsafe {
            (&raw const value)
                .cast::<u8>()
                .copy_to_nonoverlapping(words.as_mut_ptr().cast(), size_of::<T>())
        };
        for word in words.iter_mut().take(size_of::<T>() / 8) {
            // SAFETY: no instruction at all.
            unsafe {
                std::arch::asm!(
                    "/* {0} */",
                    inlateout(reg) * word,
                    options(nomem, nostack, preserves_flags)
                )
            };
        }
        // SAFETY: the bytes of `value`, which is not used any more.
        return unsafe { words.as_ptr().cast::<T>().read_unaligned() };
    }
    std::hint::black_box(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stay_what_they_are() {
        assert_eq!(opaque([1u64, 2, 3, 4]), [1, 2, 3, 4]);
        assert_eq!(opaque([1u64; 5]), [1; 5]);
        assert_eq!(opaque(Some(7u64)), Some(7));
        assert_eq!(opaque(Some(Box::new(7u8))), Some(Box::new(7)));
        opaque(());
    }
}
