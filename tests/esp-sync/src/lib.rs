//! The lock of esp-alloc on a host, in place of the crate esp-sync, which is made of a chip's own
//! instructions (`[patch.crates-io]` in the workspace's `Cargo.toml`).
//!
//! | | on a chip | here |
//! |---|---|---|
//! | keeps out the other core | a word that one core owns | `critical-section`: with `std`, one lock for all threads |
//! | re-entered on the same core | panics: "lock is not reentrant" | the same |
//! | interrupts while it is held | off, but for those of the highest levels | one, where a test asks for it: [`interrupt`] |
#![no_std]

use core::cell::{Cell, RefCell};
use critical_section::Mutex;

/// A lock that panics when it is re-entered.
pub struct NonReentrantMutex<T>(Mutex<RefCell<T>>);

impl<T> NonReentrantMutex<T> {
    pub const fn new(value: T) -> Self {
        NonReentrantMutex(Mutex::new(RefCell::new(value)))
    }

    pub fn with<R>(&self, work: impl FnOnce(&mut T) -> R) -> R {
        critical_section::with(|section| {
            let Ok(mut value) = self.0.borrow(section).try_borrow_mut() else {
                panic!("lock is not reentrant")
            };
            if let Some(handler) = HANDLER.borrow(section).take() {
                handler();
            }
            work(&mut value)
        })
    }
}

/// An interrupt handler.
pub type Handler = fn();

static HANDLER: Mutex<Cell<Option<Handler>>> = Mutex::new(Cell::new(None));

/// Lets `handler` interrupt whoever takes a lock next, while it is held.
pub fn interrupt(handler: Handler) {
    critical_section::with(|section| HANDLER.borrow(section).set(Some(handler)));
}
