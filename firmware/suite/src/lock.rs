//! A pool behind a spinlock: what the progress test must catch.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, Ordering::*};

const SLOTS: usize = 8;

/// Indices of free slots, behind a lock that both cores take.
pub struct LockPool {
    locked: AtomicBool,
    free: UnsafeCell<([usize; SLOTS], usize)>,
}

// SAFETY: `free` is touched between taking and releasing the lock only.
unsafe impl Sync for LockPool {}

impl LockPool {
    pub const fn new() -> Self {
        LockPool {
            locked: AtomicBool::new(false),
            free: UnsafeCell::new(([0, 1, 2, 3, 4, 5, 6, 7], SLOTS)),
        }
    }

    fn with<T>(&self, operation: impl FnOnce(&mut ([usize; SLOTS], usize)) -> T) -> T {
        while self.locked.swap(true, Acquire) {
            core::hint::spin_loop()
        }
        // SAFETY: the lock is held.
        let result = operation(unsafe { &mut *self.free.get() });
        self.locked.store(false, Release);
        result
    }

    pub fn take(&self) -> Option<usize> {
        self.with(|(free, count)| {
            *count = count.checked_sub(1)?;
            Some(free[*count])
        })
    }

    pub fn give(&self, slot: usize) {
        self.with(|(free, count)| {
            free[*count] = slot;
            *count += 1;
        })
    }
}
