//! The atomics that the crate runs on. No other module knows which ones they are.
//!
//! | build | atomics | tracked cell |
//! |---|---|---|
//! | firmware, host | `portable-atomic`, which is the `core` type on targets with compare-and-swap | nothing |
//! | `--cfg loom` | `loom`, through `atomics/loom_atomics.rs`: every interleaving, every value that an ordering allows | the cell of `loom`, which reports a data race on the payload |
//! | `--cfg shuttle` | `shuttle`: seeded random schedules, sequentially consistent | nothing |
//!
//! | target | head | padding |
//! |---|---|---|
//! | 32-bit | one 32-bit word | none: 4 bytes of metadata per slot |
//! | 64-bit | one 64-bit word | each head and each state word has its own cache line |
//!
//! `--cfg tierpool_narrow_head` gives a 64-bit host the 32-bit head, so that both widths can be
//! tested there.

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

/// Declares a constructor. It is `const`, so that it can build a static. Under loom it is not
/// `const`, because the atomics of loom register with the model that runs.
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

/// Tag and index in one word, as wide as the target can swap natively.
#[cfg(all(target_pointer_width = "64", not(tierpool_narrow_head)))]
pub(crate) type HeadWord = u64;
#[cfg(all(target_pointer_width = "64", not(tierpool_narrow_head)))]
pub(crate) use imp::AtomicU64 as AtomicHead;

/// Tag and index in one word, as wide as the target can swap natively.
#[cfg(not(all(target_pointer_width = "64", not(tierpool_narrow_head))))]
pub(crate) type HeadWord = u32;
#[cfg(not(all(target_pointer_width = "64", not(tierpool_narrow_head))))]
pub(crate) use imp::AtomicU32 as AtomicHead;

#[cfg(not(any(
    loom,
    shuttle,
    feature = "portable-atomic-critical-section",
    feature = "portable-atomic-unsafe-assume-single-core"
)))]
const _: () = {
    #[cfg(not(target_has_atomic = "32"))]
    compile_error!(
        "this target has no compare-and-swap: enable tierpool's feature `portable-atomic-critical-section`, \
         or, on a single core, `portable-atomic-unsafe-assume-single-core`"
    );
    assert!(AtomicU32::is_always_lock_free(), "32-bit atomics would take a lock on this target");
    assert!(AtomicHead::is_always_lock_free(), "the head would take a lock on this target");
    assert!(
        AtomicPtr::<u8>::is_always_lock_free(),
        "pointer atomics would take a lock on this target"
    );
};

#[cfg(target_pointer_width = "64")]
pub(crate) use crossbeam_utils::CachePadded as Padded;

/// On 32-bit targets nothing is padded, because internal RAM is worth more than the cost of a
/// shared cache line.
#[cfg(not(target_pointer_width = "64"))]
#[derive(Debug)]
#[repr(transparent)]
pub(crate) struct Padded<T>(T);

#[cfg(not(target_pointer_width = "64"))]
impl<T> Padded<T> {
    /// A value without padding.
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

/// The pause after a failed compare-and-swap of a head. On hosts it leaves the word alone for a
/// moment, longer each time, so that the other thread can finish its work. Elsewhere it does
/// nothing, because a swap is expensive there and cores are few.
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

/// Stands for the payload of one buffer, so that loom finds data races. `read` stands beside every
/// read of payload. `write` stands beside every write, and beside every change of owner. In every
/// other build it does nothing.
#[derive(Debug)]
pub(crate) struct Track(#[cfg(loom)] loom::cell::UnsafeCell<()>);

impl Track {
    /// A payload that nothing has accessed yet.
    #[cfg(not(loom))]
    pub(crate) const fn new() -> Self {
        Track()
    }

    #[cfg(loom)]
    pub(crate) fn new() -> Self {
        Track(loom::cell::UnsafeCell::new(()))
    }

    /// Records a read of the payload.
    #[inline(always)]
    pub(crate) fn read(&self) {
        #[cfg(loom)]
        self.0.with(|_| ());
    }

    /// Records a write of the payload.
    #[inline(always)]
    pub(crate) fn write(&self) {
        #[cfg(loom)]
        self.0.with_mut(|_| ());
    }
}

/// The operations that the crate adds to an atomic.
pub(crate) trait AtomicExt {
    /// The type of the value in the atomic.
    type Value: Copy;

    /// A Relaxed load, for bits that do not change while the caller looks, or that the caller
    /// discards if they have changed. Loom need not try all its places among the accesses of other
    /// threads, see `atomics/loom_atomics.rs`.
    fn load_settled(&self) -> Self::Value;

    /// Replaces the value by `new` of the value, and returns the old one. This is a
    /// compare-and-swap loop that loads at its top. It does not use the value that a failed swap
    /// returns, because after a failed S32C1I that can be anything.
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
                // Relaxed: the writes that settled these bits happened before, by the way that the
                // caller got to the word. Or else a compare-and-swap that follows finds the change.
                this.load(Relaxed)
            }

            #[inline(always)]
            fn replace(&self, order: Ordering, mut new: impl FnMut($value) -> $value) -> $value {
                loop {
                    // Relaxed: the value is compared below, so it may be out of date.
                    let old = self.load(Relaxed);
                    let new = new(old);
                    // `order`: the caller says what it pairs with.
                    // Relaxed: a failure only repeats the loop.
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

/// Stops the program if going on would corrupt memory. It cannot unwind. On a target it is one
/// illegal instruction and not the panic machinery, so that a hot path that may end here carries no
/// formatting.
#[cold]
#[inline(never)]
pub(crate) fn trap() -> ! {
    // A model goes on, to see which other threads are stopped.
    #[cfg(loom)]
    panic!("trap");
    #[cfg(not(loom))]
    stop()
}

/// Stops the program, see [`trap`].
#[cfg(not(loom))]
fn stop() -> ! {
    #[cfg(feature = "std")]
    std::process::abort();
    #[cfg(not(feature = "std"))]
    loop {
        #[cfg(any(target_arch = "riscv32", target_arch = "riscv64"))]
        // SAFETY: an illegal instruction touches no memory and no register. The exception handler
        // takes over.
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
        // Elsewhere (Xtensa has no stable `asm!`) the core spins, until its watchdog reports it.
        core::hint::spin_loop();
    }
}
