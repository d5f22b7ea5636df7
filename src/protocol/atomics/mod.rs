//! The one place that knows which atomics the crate runs on.
//!
//! | build | atomics | tracked cell |
//! |---|---|---|
//! | firmware, host | `portable-atomic`, which is `core`'s own where the target has compare-and-swap | nothing |
//! | `--cfg loom` | `loom`, by way of `sync/loom_atomics.rs`: every interleaving, every value an ordering allows | `loom`'s cell: reports a data race on the payload |
//! | `--cfg shuttle` | `shuttle`: seeded random schedules, sequentially consistent | nothing |
//!
//! | target | head | padding |
//! |---|---|---|
//! | 32-bit | one 32-bit word | none: 4 bytes of metadata a slot |
//! | 64-bit | one 64-bit word | heads and state words have cache lines of their own |
//!
//! `--cfg tierpool_narrow_head` gives a 64-bit host the 32-bit head, so that both widths can be tested there.

use core::sync::atomic::Ordering;
#[cfg(feature = "wait")]
pub(crate) use core::sync::atomic::Ordering::AcqRel;
pub(crate) use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

#[cfg(loom)]
mod loom_atomics;
#[cfg(loom)]
use loom_atomics as imp;
#[cfg(not(any(loom, shuttle)))]
use portable_atomic as imp;
#[cfg(shuttle)]
use shuttle::sync::atomic as imp;

pub(crate) use imp::{AtomicPtr, AtomicU32};

/// A constructor that is `const`, so that it can make a static; but not under loom, whose atomics register with the model
/// that runs.
macro_rules! const_unless_loom {
    ($(#[$attribute:meta])* $visibility:vis fn $name:ident($($argument:ident: $type:ty)?) -> Self $body:block) => {
        $(#[$attribute])*
        #[cfg(not(loom))]
        $visibility const fn $name($($argument: $type)?) -> Self $body

        $(#[$attribute])*
        #[cfg(loom)]
        $visibility fn $name($($argument: $type)?) -> Self $body
    };
}
pub(crate) use const_unless_loom;

/// Tag and index in one word, as wide as the target swaps natively.
#[cfg(all(target_pointer_width = "64", not(tierpool_narrow_head)))]
pub(crate) type HeadWord = u64;
#[cfg(all(target_pointer_width = "64", not(tierpool_narrow_head)))]
pub(crate) use imp::AtomicU64 as AtomicHead;

/// Tag and index in one word, as wide as the target swaps natively.
#[cfg(not(all(target_pointer_width = "64", not(tierpool_narrow_head))))]
pub(crate) type HeadWord = u32;
#[cfg(not(all(target_pointer_width = "64", not(tierpool_narrow_head))))]
pub(crate) use imp::AtomicU32 as AtomicHead;

#[cfg(not(any(loom, shuttle, feature = "portable-atomic-critical-section", feature = "portable-atomic-unsafe-assume-single-core")))]
const _: () = {
    #[cfg(not(target_has_atomic = "32"))]
    compile_error!(
        "this target has no compare-and-swap: enable tierpool's feature `portable-atomic-critical-section`, \
         or, on a single core, `portable-atomic-unsafe-assume-single-core`"
    );
    assert!(AtomicU32::is_always_lock_free(), "32-bit atomics would take a lock on this target");
    assert!(AtomicHead::is_always_lock_free(), "the head would take a lock on this target");
    assert!(AtomicPtr::<u8>::is_always_lock_free(), "pointer atomics would take a lock on this target");
};

#[cfg(target_pointer_width = "64")]
pub(crate) use crossbeam_utils::CachePadded as Padded;

/// On 32-bit targets nothing is padded: internal RAM is worth more than a false share.
#[cfg(not(target_pointer_width = "64"))]
#[derive(Debug)]
#[repr(transparent)]
pub(crate) struct Padded<T>(T);

#[cfg(not(target_pointer_width = "64"))]
impl<T> Padded<T> {
    pub(crate) const fn new(value: T) -> Self {
        Padded(value)
    }
}

#[cfg(not(target_pointer_width = "64"))]
impl<T> core::ops::Deref for Padded<T> {
    type Target = T;
    #[inline(always)]
    fn deref(&self) -> &T {
        &self.0
    }
}

/// Between a compare-and-swap of a head that failed and the next: on hosts the word is left alone for a moment, longer each
/// time, so that the other thread gets something done with it. Elsewhere, where a swap is dear and cores are few, nothing.
#[cfg(all(target_pointer_width = "64", not(any(loom, shuttle))))]
pub(crate) use crossbeam_utils::Backoff;
/// As above.
#[cfg(not(all(target_pointer_width = "64", not(any(loom, shuttle)))))]
pub(crate) struct Backoff;

#[cfg(not(all(target_pointer_width = "64", not(any(loom, shuttle)))))]
impl Backoff {
    #[inline(always)]
    pub(crate) fn new() -> Self {
        Backoff
    }

    #[inline(always)]
    pub(crate) fn spin(&self) {}
}

/// Stands for the payload of one buffer where loom looks for data races: `read` beside every read of
/// payload, `write` beside every write and beside every change of owner. Free in every other build.
#[derive(Debug)]
pub(crate) struct Track(#[cfg(loom)] loom::cell::UnsafeCell<()>);

impl Track {
    #[cfg(not(loom))]
    pub(crate) const fn new() -> Self {
        Track()
    }

    #[cfg(loom)]
    pub(crate) fn new() -> Self {
        Track(loom::cell::UnsafeCell::new(()))
    }

    #[inline(always)]
    pub(crate) fn read(&self) {
        #[cfg(loom)]
        self.0.with(|_| ());
    }

    #[inline(always)]
    pub(crate) fn write(&self) {
        #[cfg(loom)]
        self.0.with_mut(|_| ());
    }
}

/// What the crate adds to an atomic.
pub(crate) trait AtomicExt {
    type Value: Copy;

    /// A relaxed load of bits that nobody changes while the caller looks, or that the caller discards if somebody did.
    /// Loom need not try all places that it could have among the accesses of others, see `sync/loom_atomics.rs`.
    fn load_settled(&self) -> Self::Value;

    /// Replaces the value by `new` of it; returns the old one. A compare-and-swap loop that loads at its top, and does
    /// not use what a failed swap returns: after a failed S32C1I that can be anything.
    fn replace(&self, order: Ordering, new: impl FnMut(Self::Value) -> Self::Value) -> Self::Value;
}

macro_rules! atomic_ext {
    ($([$($t:ident)?] $atomic:ty => $value:ty,)+) => {
        $(impl<$($t)?> AtomicExt for $atomic {
            type Value = $value;

            #[inline(always)]
            fn load_settled(&self) -> $value {
                #[cfg(loom)]
                let this = self.without_turn();
                #[cfg(not(loom))]
                let this = self;
                // Relaxed: whatever settled the bits happened before, by the way the caller got to the word; or a
                // compare-and-swap that follows finds out.
                this.load(Relaxed)
            }

            #[inline(always)]
            fn replace(&self, order: Ordering, mut new: impl FnMut($value) -> $value) -> $value {
                loop {
                    // Relaxed: compared below, so it may be out of date.
                    let old = self.load(Relaxed);
                    let new = new(old);
                    // `order`: the caller says what it pairs with. Relaxed: a exhausted_or_oversized only repeats the loop.
                    if self.compare_exchange_weak(old, new, order, Relaxed).is_ok() {
                        return old;
                    }
                }
            }
        })+
    };
}

atomic_ext! {
    [] AtomicU32 => u32,
    [T] AtomicPtr<T> => *mut T,
}
#[cfg(all(target_pointer_width = "64", not(tierpool_narrow_head)))]
atomic_ext! {
    [] AtomicHead => HeadWord,
}

/// Stops the program where going on would corrupt memory. It cannot unwind, and on a target it is one illegal
/// instruction rather than the panic machinery, so that a hot path which may end here carries no formatting.
#[cold]
#[inline(never)]
pub(crate) fn trap() -> ! {
    // A model goes on, to see who else is stopped.
    #[cfg(loom)]
    panic!("trap");
    #[cfg(not(loom))]
    stop()
}

/// See [`trap`].
#[cfg(not(loom))]
fn stop() -> ! {
    #[cfg(feature = "std")]
    std::process::abort();
    #[cfg(not(feature = "std"))]
    loop {
        #[cfg(any(target_arch = "riscv32", target_arch = "riscv64"))]
        // SAFETY: an illegal instruction touches no memory and no register; the exception handler takes over.
        unsafe {
            core::arch::asm!("unimp", options(nomem, nostack));
        }
        #[cfg(any(target_arch = "arm", target_arch = "aarch64"))]
        // SAFETY: as above.
        unsafe {
            core::arch::asm!("udf #0", options(nomem, nostack));
        }
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        // SAFETY: as above.
        unsafe {
            core::arch::asm!("ud2", options(nomem, nostack));
        }
        // Elsewhere (Xtensa has no stable `asm!`) the core spins, and its watchdog reports it.
        core::hint::spin_loop();
    }
}
