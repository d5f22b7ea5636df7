//! Memory of a fallback that is no buffer: what the C interface gives to those who ask for plain
//! memory, and no slot serves.
//!
//! ```text
//!   buffers        fallback ◄──► control block, handles
//!   plain memory   fallback ◄──► pointer, size, alignment; the statistics count it
//! ```

use core::alloc::Layout;
use core::ptr::NonNull;

use crate::pool::Pool;
use crate::pool::fallback::aligned;

impl Pool {
    /// True if the pool has a fallback.
    #[doc(hidden)]
    pub fn has_fallback(&self) -> bool {
        self.fallback.is_some()
    }

    /// Memory for `layout`, of at least one byte. The statistics count it. None if the fallback has
    /// none.
    #[doc(hidden)]
    pub fn memory_of_fallback(&self, layout: Layout) -> Option<NonNull<u8>> {
        let (fallback, layout) = (self.fallback?, at_least_one(layout)?);
        let memory = aligned(fallback.allocate(layout), layout, |memory| {
            // SAFETY: this memory has just come from there, with this layout.
            unsafe { fallback.deallocate(memory, layout) };
        })?;
        self.state.fallbacks.bump();
        Some(memory)
    }

    /// Gives memory back. A pool without a fallback does nothing.
    ///
    /// # Safety
    /// It comes from [`memory_of_fallback`](Self::memory_of_fallback) of this pool, with this layout,
    /// and nothing uses it any more. The context may call `deallocate` of the fallback.
    #[doc(hidden)]
    pub unsafe fn back_to_fallback(&self, memory: NonNull<u8>, layout: Layout) {
        if let (Some(fallback), Some(layout)) = (self.fallback, at_least_one(layout)) {
            // SAFETY: the caller's promise.
            unsafe { fallback.deallocate(memory, layout) };
        }
    }
}

/// A fallback is not asked for 0 bytes.
fn at_least_one(layout: Layout) -> Option<Layout> {
    Layout::from_size_align(layout.size().max(1), layout.align()).ok()
}
