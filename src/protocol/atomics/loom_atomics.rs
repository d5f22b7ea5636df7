//! The atomics of loom, with loads that its exploration cannot overlook.
//!
//! Loom (0.7.3) reorders two accesses only if the later one conflicts with the *last* access to the
//! atomic. A load of the same thread counts as the last access. So if thread B loads before it
//! swaps, as every compare-and-swap loop does, loom never tries the load of thread A after that
//! swap:
//!
//! ```text
//!   thread A    load                      explored: A first
//!   thread B    load, compare-and-swap    not explored: B first (tokio-rs/loom issues 166 and 392)
//! ```
//!
//! Here each load first makes a read-modify-write on its own word beside the atomic: its *turn*.
//! Two turns conflict, so loom tries both orders of them, and so both orders of the loads. A turn
//! is Relaxed and nothing looks at its value. So it orders nothing, and the load itself still
//! returns every value that its ordering allows.

use core::ops::Deref;

use loom::sync::atomic::{self, Ordering};

macro_rules! atomic {
    ($name:ident $(<$t:ident>)?, $value:ty) => {
        #[derive(Debug)]
        pub(crate) struct $name $(<$t>)? {
            // The atomic itself.
            value: atomic::$name $(<$t>)?,
            // The number of loads so far. Its value has no meaning.
            turn: atomic::AtomicU32,
        }

        impl $(<$t>)? $name $(<$t>)? {
            pub(crate) fn new(value: $value) -> Self {
                Self { value: atomic::$name::new(value), turn: atomic::AtomicU32::new(0) }
            }

            pub(crate) fn load(&self, order: Ordering) -> $value {
                // Relaxed: pairs with nothing, so that the model is no stronger than the code.
                self.turn.fetch_add(1, Ordering::Relaxed);
                self.value.load(order)
            }

            /// The atomic without its turn, for a load that the exploration need not try in all
            /// places.
            pub(crate) fn without_turn(&self) -> &atomic::$name $(<$t>)? {
                &self.value
            }
        }

        /// All other operations are those of loom: no load of the same thread can hide them.
        impl $(<$t>)? Deref for $name $(<$t>)? {
            type Target = atomic::$name $(<$t>)?;
            fn deref(&self) -> &Self::Target {
                &self.value
            }
        }
    };
}

atomic!(AtomicU32, u32);
#[cfg(not(tierpool_narrow_head))]
atomic!(AtomicU64, u64);
atomic!(AtomicPtr<T>, *mut T);
