//! Heaps behind the pools: the system's allocator, by contexts that may enter it, with a count of what is out.

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use tierpool::Fallback;

/// `NOW`: a last drop frees at once, whichever context it is in; else it is deferred.
#[derive(Debug)]
pub struct Heap<const NOW: bool> {
    live: AtomicUsize,
}

impl<const NOW: bool> Heap<NOW> {
    pub const fn new() -> Self {
        Heap { live: AtomicUsize::new(0) }
    }

    /// Payloads and control blocks that are out.
    pub fn live(&self) -> usize {
        self.live.load(Relaxed)
    }
}

// SAFETY: the system's allocator. Buffers of a heap that frees at once are dropped by threads alone, never in a signal handler.
unsafe impl<const NOW: bool> Fallback for Heap<NOW> {
    fn free_in_interrupt(&self) -> bool {
        NOW
    }

    fn allocate(&self, layout: Layout) -> Option<NonNull<u8>> {
        self.live.fetch_add(1, Relaxed);
        // SAFETY: the size is not zero.
        NonNull::new(unsafe { System.alloc(layout) })
    }

    unsafe fn deallocate(&self, payload: NonNull<u8>, layout: Layout) {
        self.live.fetch_sub(1, Relaxed);
        // SAFETY: from `alloc` with this layout.
        unsafe { System.dealloc(payload.as_ptr(), layout) }
    }
}
