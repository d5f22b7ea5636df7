//! Tells AddressSanitizer which slots are free, so that it notices a use after a free: the feature
//! `asan`.
//!
//! ```text
//!   free list, caches   poisoned: a read or write stops the program
//!   handles, raw        not poisoned
//! ```
//!
//! A slot that was never handed out is not poisoned.

use crate::pool::tier::Tier;

#[cfg(feature = "asan")]
unsafe extern "C" {
    fn __asan_poison_memory_region(start: *const u8, bytes: usize);
    fn __asan_unpoison_memory_region(start: *const u8, bytes: usize);
}

impl Tier {
    /// The slot is about to be free. Called by its owner, who does not use it any more.
    ///
    /// # Safety
    /// `index` is below the number of slots.
    #[inline(always)]
    pub(crate) unsafe fn poison(&self, _index: u32) {
        #[cfg(feature = "asan")]
        // SAFETY: the caller promises the slot, which lies in the payload. The sanitizer writes to
        // memory of its own.
        unsafe {
            __asan_poison_memory_region(self.slot(_index).as_ptr(), self.stride());
        }
    }

    /// The slot has just been taken. Called by its owner.
    ///
    /// # Safety
    /// `index` is below the number of slots.
    #[inline(always)]
    pub(crate) unsafe fn unpoison(&self, _index: u32) {
        #[cfg(feature = "asan")]
        // SAFETY: as above.
        unsafe {
            __asan_unpoison_memory_region(self.slot(_index).as_ptr(), self.stride());
        }
    }
}
