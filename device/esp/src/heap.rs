//! esp-alloc as a fallback: payload in PSRAM where there is any, control blocks in internal RAM, where atomics work.

use core::alloc::{GlobalAlloc, Layout};
use core::ptr::NonNull;
use esp_alloc::{HEAP, MemoryCapability};
use tierpool::Fallback;

pub struct Heap;

const PAYLOAD: MemoryCapability = if cfg!(feature = "psram") { MemoryCapability::External } else { MemoryCapability::Internal };

// SAFETY: esp-alloc hands out memory of the layout until it is deallocated; atomics work in internal RAM. Its lock
// panics when an interrupt handler re-enters it, hence FREE_IN_INTERRUPT.
unsafe impl Fallback for Heap {
    const FREE_IN_INTERRUPT: bool = false;

    fn allocate_payload(&self, layout: Layout) -> Option<NonNull<u8>> {
        // SAFETY: the size is not zero, as the trait says.
        NonNull::new(unsafe { HEAP.alloc_caps(PAYLOAD.into(), layout) })
    }

    unsafe fn deallocate_payload(&self, payload: NonNull<u8>, layout: Layout) {
        // SAFETY: it comes from this heap with this layout.
        unsafe { HEAP.dealloc(payload.as_ptr(), layout) }
    }

    fn allocate_control(&self, layout: Layout) -> Option<NonNull<u8>> {
        // SAFETY: the size is not zero, as the trait says.
        NonNull::new(unsafe { HEAP.alloc_caps(MemoryCapability::Internal.into(), layout) })
    }

    unsafe fn deallocate_control(&self, control: NonNull<u8>, layout: Layout) {
        // SAFETY: it comes from this heap with this layout.
        unsafe { HEAP.dealloc(control.as_ptr(), layout) }
    }
}
