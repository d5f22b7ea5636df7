//! A global allocator that refuses one request of a thread: `Pool::leak` reports it, and keeps
//! nothing.

#![cfg(feature = "alloc")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};
use tierpool::{Config, ConfigError, GlobalHeap, Pool};

thread_local! {
    /// Requests until the one that is refused.
    static LEFT: Cell<usize> = const { Cell::new(usize::MAX) };
    /// Blocks of this thread.
    static BLOCKS: Cell<isize> = const { Cell::new(0) };
}

/// The blocks of the last pool, so that a tool that looks for leaks finds them.
static KEPT: [AtomicPtr<u8>; 4] = [const { AtomicPtr::new(std::ptr::null_mut()) }; 4];

struct Refuses;

// SAFETY: the system's allocator, or no memory.
unsafe impl GlobalAlloc for Refuses {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LEFT.set(LEFT.get().saturating_sub(1));
        if LEFT.get() == 0 {
            LEFT.set(usize::MAX);
            return std::ptr::null_mut();
        }
        BLOCKS.set(BLOCKS.get() + 1);
        // SAFETY: passed on.
        let block = unsafe { System.alloc(layout) };
        if let Some(place) = KEPT.get(LEFT.get()) {
            place.store(block, Relaxed);
        }
        block
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        BLOCKS.set(BLOCKS.get() - 1);
        // SAFETY: passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Refuses = Refuses;

#[test]
fn a_pool_without_memory_is_an_error() {
    let config = Config::new(&[(64, 4), (512, 2)]);
    let before = BLOCKS.get();
    for refused in 1..=3 {
        LEFT.set(refused);
        assert_eq!(Pool::leak(&config).unwrap_err(), ConfigError::OutOfMemory);
        assert_eq!(BLOCKS.get(), before, "request {refused}");
        assert_eq!(LEFT.get(), usize::MAX, "request {refused}");
    }
    LEFT.set(4);
    let pool = Pool::leak(&config).unwrap();
    assert_eq!(BLOCKS.get(), before + 3, "a pool takes three");
    assert_eq!(LEFT.replace(usize::MAX), 1, "a pool takes three");
    assert!(pool.alloc(512).is_ok() && pool.is_idle());
}

#[test]
fn the_global_allocator_gets_back_what_it_gave() {
    tierpool::pool! { static POOL = [64 x 1], fallback = &GlobalHeap; }
    let before = BLOCKS.get();
    let buffer = POOL.zeroed(1000).unwrap();
    assert_eq!(BLOCKS.get(), before + 1, "control block and payload in one");
    drop(buffer);
    // With `std`, the drop has freed it.
    if cfg!(not(feature = "std")) {
        assert_eq!(BLOCKS.get(), before + 1);
        assert_eq!(POOL.reclaim(), 1);
    }
    assert_eq!(BLOCKS.get(), before);
    assert_eq!((POOL.reclaim(), POOL.is_idle()), (0, true));
}
