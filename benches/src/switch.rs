//! One global allocator that is glibc's or mimalloc's, so that crates which allocate globally
//! (`bytes`, `Arc`) can be measured on both in one process.
//!
//! ```text
//!   alloc    CHOSEN ──┬── glibc
//!                     └── mimalloc ──► a region of its own
//!   free     in the region? ──┬── no: glibc
//!                             └── yes: mimalloc
//! ```
//!
//! A block goes back by its address, so it does not matter when it is freed. The price, a relaxed
//! load and a comparison each, is measured and shown (`questions::machine`); candidates that call
//! an allocator by name do not pay it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use libmimalloc_sys as mi;

/// Address space of mimalloc's region, in bytes; memory is taken as it is touched.
const REGION: usize = 1 << 30;

static CHOSEN: AtomicBool = AtomicBool::new(false);
/// Where the region begins; before there is one, where no address lies near.
static BEGIN: AtomicUsize = AtomicUsize::new(1 << (usize::BITS - 1));

/// The allocator behind `alloc::alloc`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Heap {
    Glibc,
    Mimalloc,
}

impl Heap {
    /// Allocations of all threads come from here from now on.
    pub fn choose(self) {
        if self == Heap::Mimalloc {
            give_mimalloc_its_region();
        }
        // Relaxed, here and below: whoever is to see it is told to start afterwards, by a channel
        // that synchronises; and whatever it sees, the block is freed where it came from.
        CHOSEN.store(self == Heap::Mimalloc, Relaxed);
    }
}

/// mimalloc manages one region, and may not take memory elsewhere.
fn give_mimalloc_its_region() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let (protection, flags) = (
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
        );
        // SAFETY: a new mapping at an address of the kernel's choice.
        let begin = unsafe { libc::mmap(ptr::null_mut(), REGION, protection, flags, -1, 0) };
        assert!(begin != libc::MAP_FAILED, "no address space for mimalloc's region");
        let mut arena = ptr::null_mut();
        // SAFETY: the mapping is ours, readable, writable and zero, and is never unmapped.
        let managed = unsafe {
            mi::mi_manage_os_memory_ex(begin, REGION, true, false, true, -1, false, &mut arena)
        };
        assert!(managed, "mimalloc refuses its region");
        // SAFETY: options may be set at any time.
        unsafe { mi::mi_option_set_enabled(mi::mi_option_limit_os_alloc, true) };
        BEGIN.store(begin.addr(), Relaxed);
    });
}

/// Whether it is mimalloc's.
#[inline(always)]
pub fn is_in_region(block: *const u8) -> bool {
    block.addr().wrapping_sub(BEGIN.load(Relaxed)) < REGION
}

/// See the module.
#[derive(Debug)]
pub struct Switch;

// SAFETY: each call goes to one of two allocators that keep the contract, and a block always to the
// one that it came from: the region is mimalloc's alone, and all of mimalloc's blocks lie in it.
unsafe impl GlobalAlloc for Switch {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if CHOSEN.load(Relaxed) {
            // SAFETY: any size and alignment of a layout will do.
            unsafe { mi::mi_malloc_aligned(layout.size(), layout.align()).cast() }
        } else {
            // SAFETY: the caller's promise.
            unsafe { System.alloc(layout) }
        }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if CHOSEN.load(Relaxed) {
            // SAFETY: as above.
            unsafe { mi::mi_zalloc_aligned(layout.size(), layout.align()).cast() }
        } else {
            // SAFETY: the caller's promise.
            unsafe { System.alloc_zeroed(layout) }
        }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if is_in_region(block) {
            // SAFETY: a block of mimalloc's, by its address.
            unsafe { mi::mi_free(block.cast()) }
        } else {
            // SAFETY: the caller's promise.
            unsafe { System.dealloc(block, layout) }
        }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        if is_in_region(block) {
            // SAFETY: a block of mimalloc's, by its address.
            unsafe { mi::mi_realloc_aligned(block.cast(), new_size, layout.align()).cast() }
        } else {
            // SAFETY: the caller's promise.
            unsafe { System.realloc(block, layout, new_size) }
        }
    }
}
