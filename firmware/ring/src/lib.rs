//! A queue from one context to another: handles go through it from core to core, or out of an interrupt handler.
#![no_std]

use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicUsize, Ordering::*};

/// At most `LENGTH` values; one context pushes, another pops.
pub struct Ring<T, const LENGTH: usize> {
    slots: [UnsafeCell<MaybeUninit<T>>; LENGTH],
    pushed: AtomicUsize,
    popped: AtomicUsize,
}

// SAFETY: slot `n % LENGTH` belongs to the popper from the moment `pushed` passes `n` until `popped` does, and to the
// pusher otherwise; one context each calls `push` and `pop`.
unsafe impl<T: Send, const LENGTH: usize> Sync for Ring<T, LENGTH> {}

impl<T, const LENGTH: usize> Ring<T, LENGTH> {
    /// An empty ring.
    #[expect(clippy::new_without_default, reason = "made in statics only")]
    pub const fn new() -> Self {
        Ring { slots: [const { UnsafeCell::new(MaybeUninit::uninit()) }; LENGTH], pushed: AtomicUsize::new(0), popped: AtomicUsize::new(0) }
    }

    /// Called by one context only. Gives the value back if the ring is full.
    pub fn push(&self, value: T) -> Result<(), T> {
        // Relaxed: this context's own word.
        let at = self.pushed.load(Relaxed);
        // Acquire, with the Release in `pop`: the slot has been read out.
        if at.wrapping_sub(self.popped.load(Acquire)) == LENGTH {
            return Err(value);
        }
        // SAFETY: the pusher's slot (see `Sync`).
        unsafe { (*self.slots[at % LENGTH].get()).write(value) };
        // Release: publishes the value to the Acquire in `pop`.
        self.pushed.store(at.wrapping_add(1), Release);
        Ok(())
    }

    /// Called by the other context only. The oldest value, if there is any.
    pub fn pop(&self) -> Option<T> {
        // Relaxed: this context's own word.
        let at = self.popped.load(Relaxed);
        // Acquire, with the Release in `push`: the slot has been written.
        if at == self.pushed.load(Acquire) {
            return None;
        }
        // SAFETY: the popper's slot, written by `push`, read once (see `Sync`).
        let value = unsafe { (*self.slots[at % LENGTH].get()).assume_init_read() };
        // Release: the slot has been read out before `push` writes it again.
        self.popped.store(at.wrapping_add(1), Release);
        Some(value)
    }
}
