//! A place that holds one value, for whoever comes by: a thread, or a signal handler that has
//! interrupted one.
//!
//! ```text
//!   EMPTY ──put──► BUSY ──► FULL ──take──► BUSY ──► EMPTY
//! ```
//!
//! Nobody waits: who finds it `BUSY` goes away. The channels of the standard library will not do:
//! they lock, and their code is compiled without ThreadSanitizer.

use std::cell::UnsafeCell;
use std::mem::MaybeUninit;
use std::sync::atomic::{
    AtomicU8,
    Ordering::{Acquire, Relaxed, Release},
};

const EMPTY: u8 = 0;
const BUSY: u8 = 1;
const FULL: u8 = 2;

/// See the module.
pub struct Mailbox<T> {
    state: AtomicU8,
    value: UnsafeCell<MaybeUninit<T>>,
}

// SAFETY: whoever has moved the state to BUSY has the value to itself.
unsafe impl<T: Send> Sync for Mailbox<T> {}

impl<T> Mailbox<T> {
    pub const fn new() -> Self {
        Mailbox { state: AtomicU8::new(EMPTY), value: UnsafeCell::new(MaybeUninit::uninit()) }
    }

    /// Leaves a value, or gives it back if there is no room.
    pub fn put(&self, value: T) -> Result<(), T> {
        // Acquire: pairs with the Release of `take`; the value has been moved out before.
        if self.state.compare_exchange(EMPTY, BUSY, Acquire, Relaxed).is_err() {
            return Err(value);
        }
        // SAFETY: BUSY by our own doing.
        unsafe { (*self.value.get()).write(value) };
        // Release: publishes the value to the Acquire of `take`.
        self.state.store(FULL, Release);
        Ok(())
    }

    /// Takes the value, if there is one.
    pub fn take(&self) -> Option<T> {
        // Acquire: pairs with the Release of `put`.
        self.state.compare_exchange(FULL, BUSY, Acquire, Relaxed).ok()?;
        // SAFETY: BUSY by our own doing, and it was FULL: there is a value, which is moved out
        // once.
        let value = unsafe { (*self.value.get()).assume_init_read() };
        // Release: the value is moved out before the next `put` writes.
        self.state.store(EMPTY, Release);
        Some(value)
    }
}
