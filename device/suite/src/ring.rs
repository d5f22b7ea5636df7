//! A queue from one core to the other: handles go through it.

use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicUsize, Ordering::*};

const LENGTH: usize = 4;

/// At most `LENGTH` values; one core pushes, the other pops.
pub struct Ring<T> {
    slots: [UnsafeCell<MaybeUninit<T>>; LENGTH],
    pushed: AtomicUsize,
    popped: AtomicUsize,
}

// SAFETY: slot `n % LENGTH` belongs to the popper from the moment `pushed` passes `n` until `popped` does, and to the
// pusher otherwise; one core each calls `push` and `pop`.
unsafe impl<T: Send> Sync for Ring<T> {}

impl<T> Ring<T> {
    pub const fn new() -> Self {
        Ring {
            slots: [const { UnsafeCell::new(MaybeUninit::uninit()) }; LENGTH],
            pushed: AtomicUsize::new(0),
            popped: AtomicUsize::new(0),
        }
    }

    /// Called by one core only. Gives the value back if the ring is full.
    pub fn push(&self, value: T) -> Result<(), T> {
        let at = self.pushed.load(Relaxed);
        // Acquire, with the Release in `pop`: the slot has been read out.
        if at.wrapping_sub(self.popped.load(Acquire)) == LENGTH {
            return Err(value);
        }
        // SAFETY: the pusher's slot (see `Sync`).
        unsafe { (*self.slots[at % LENGTH].get()).write(value) };
        self.pushed.store(at.wrapping_add(1), Release);
        Ok(())
    }

    /// Called by the other core only.
    pub fn pop(&self) -> Option<T> {
        let at = self.popped.load(Relaxed);
        // Acquire, with the Release in `push`: the slot has been written.
        if at == self.pushed.load(Acquire) {
            return None;
        }
        // SAFETY: the popper's slot, written by `push`, read once (see `Sync`).
        let value = unsafe { (*self.slots[at % LENGTH].get()).assume_init_read() };
        self.popped.store(at.wrapping_add(1), Release);
        Some(value)
    }
}
