//! The host's heap as a fallback that counts what it has lent out.
//!
//! `tierpool::GlobalHeap` would do, with the feature `alloc`. A count of its own shows how much of
//! the trace the heap had to bear, and proves without the pool's help that all of it has come back.

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

#[derive(Debug)]
pub struct CountingHeap {
    lent: AtomicUsize,
    most: AtomicUsize,
}

impl CountingHeap {
    pub const fn new() -> Self {
        CountingHeap { lent: AtomicUsize::new(0), most: AtomicUsize::new(0) }
    }

    /// Bytes lent out now, control blocks included.
    pub fn lent(&self) -> usize {
        self.lent.load(Relaxed)
    }

    /// The most bytes lent out at once.
    pub fn most(&self) -> usize {
        self.most.load(Relaxed)
    }
}

// SAFETY: memory of the system's allocator is valid until it is given back, as large and aligned as
// asked, and ordinary RAM, where atomics work.
unsafe impl tierpool::Fallback for CountingHeap {
    /// A host has no interrupt handlers.
    fn free_in_interrupt(&self) -> bool {
        true
    }

    fn allocate(&self, layout: Layout) -> Option<NonNull<u8>> {
        // SAFETY: the pool asks for at least one byte.
        let memory = NonNull::new(unsafe { System.alloc(layout) })?;
        // Relaxed: statistics.
        let lent = self.lent.fetch_add(layout.size(), Relaxed) + layout.size();
        self.most.fetch_max(lent, Relaxed);
        Some(memory)
    }

    unsafe fn deallocate(&self, payload: NonNull<u8>, layout: Layout) {
        // SAFETY: the caller's promise: it comes from `allocate_payload` with this layout.
        unsafe { System.dealloc(payload.as_ptr(), layout) };
        // Relaxed: statistics.
        self.lent.fetch_sub(layout.size(), Relaxed);
    }
}
