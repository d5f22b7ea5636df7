//! A place for one waker: its owner registers a waker there, and whoever frees a slot takes it out and wakes it.
//!
//! ```text
//!   state  | ticket, 30 bits | waiting | owned |        data, vtable: the two words of the waker
//!
//!         claim             register, ticket + 1             wake: the waker is the taker's
//!   free ───────► owned ───────────────────────► waiting ──────────────────────────────────► owned
//!     ◄───────────      ◄───────────────────────            one compare-and-swap
//!         drop                  retract
//! ```
//!
//! The usual cell (`futures`' `AtomicWaker`) locks itself while a waker is taken out: two steps. A context that is
//! suspended between them keeps its owner from registering; if the owner runs at a higher priority on the same core,
//! in an interrupt executor, it polls for ever and the other never goes on. Here the taker reads both words first, and
//! one swap makes them its own: no context ever waits for another. A taker that was overtaken has read words of
//! another registration, or of two; then the ticket has moved, its swap fails, and the words are never used.
//!
//! **How far the ticket protects.** A taker that is suspended between its load and its swap while the owners make exactly
//! a multiple of 2^30 registrations in this place uses a waker that is gone. At a million registrations a second
//! that is 17 minutes of suspension, and then an exact hit.

use core::fmt;
use core::mem::ManuallyDrop;
use core::ptr;
use core::task::{RawWakerVTable, Waker};

use crate::protocol::atomics::{AcqRel, Acquire, AtomicExt, AtomicPtr, AtomicU32, Relaxed, Release, Track, const_unless_loom};

/// Somebody has claimed the place.
const OWNED: u32 = 1;
/// The words are a waker that nobody has taken. Only beside `OWNED`.
const WAITING: u32 = 2;
/// What is added for each registration.
const TICKET: u32 = 4;

/// A place for one waker. All zero at start.
pub struct WakerCell {
    state: AtomicU32,
    data: AtomicPtr<()>,
    vtable: AtomicPtr<RawWakerVTable>,
    /// Stands for the right to write the two words.
    track: Track,
}

// SAFETY: all but the track are atomics, and what they stand for is a `Waker`, which may be used and dropped on any
// thread; the track is what loom checks the accesses by.
#[cfg(loom)]
unsafe impl Sync for WakerCell {}

impl WakerCell {
    const_unless_loom! {
        /// A free place.
        #[allow(clippy::new_without_default)]
        pub fn new() -> Self {
            WakerCell {
                state: AtomicU32::new(0),
                data: AtomicPtr::new(ptr::null_mut()),
                vtable: AtomicPtr::new(ptr::null_mut()),
                track: Track::new(),
            }
        }
    }

    /// For models: a free place whose ticket wraps with the registration number `left`.
    #[cfg(loom)]
    pub fn before_wrap(left: u32) -> Self {
        let cell = WakerCell::new();
        // Relaxed: before the threads of the model begin.
        cell.state.store((TICKET * left).wrapping_neg(), Relaxed);
        cell
    }

    /// Makes the caller the owner, if the place is free.
    pub fn claim(&self) -> Option<Claim<'_>> {
        // Relaxed: the owner looks at the state again, with Acquire, before it writes anything. An added bit rather than
        // a compare-and-swap, so that it fails only if the place is not free now.
        let free = self.state.fetch_or(OWNED, Relaxed) & OWNED == 0;
        free.then(|| Claim { cell: self })
    }

    /// Takes the waker out and wakes it, if one waits. For callers whose news the owner learns by other means: it
    /// checks with a read-modify-write of a word that the caller has changed, after it has registered.
    ///
    /// At most one compare-and-swap; never waits.
    pub fn wake(&self) {
        // Acquire: pairs with the Release of `register`: the words below are of that registration, or younger.
        let state = self.state.load(Acquire);
        if state & WAITING == 0 {
            return;
        }
        let (data, vtable) = (self.data.load_settled(), self.vtable.load_settled());
        // Release: pairs with the Acquire of `waiting`. An owner that finds its registration taken sees what led to
        // this call; and it writes its next waker after the two loads above. Relaxed: overtaken, by another taker, or by
        // the owner, who looks again after having registered again.
        if self.state.compare_exchange(state, state & !WAITING, Release, Relaxed).is_ok() {
            // SAFETY: the state has not changed, so both words are of the registration that the swap has ended, and
            // the waker in them now belongs to nobody else.
            unsafe { waker(data, vtable) }.wake();
        }
    }

    /// As [`wake`](Self::wake), for callers who have merely stored what is new, in a word that the owner merely loads
    /// after having registered.
    #[cfg(any(feature = "embassy-net-driver-02", loom))]
    pub fn wake_after_store(&self) {
        // Release: pairs with the Acquire of the swap in `register`. One of the two read-modify-writes comes first: if it
        // is this one, the owner sees what was stored; if it is the other, the load in `wake` sees the waker.
        self.state.fetch_or(0, Release);
        self.wake();
    }
}

impl fmt::Debug for WakerCell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Relaxed: for people.
        let state = self.state.load(Relaxed);
        f.debug_struct("WakerCell").field("owned", &(state & OWNED != 0)).field("waiting", &(state & WAITING != 0)).finish()
    }
}

/// # Safety
/// The words are those of a registration, and the caller has ended it.
unsafe fn waker(data: *mut (), vtable: *mut RawWakerVTable) -> Waker {
    // SAFETY: `register` has taken both from a waker that it did not drop. The vtable was a reference for ever.
    unsafe { Waker::new(data, &*vtable) }
}

/// The ownership of a [`WakerCell`]. Dropping it takes back the waker and frees the place.
#[derive(Debug)]
pub struct Claim<'c> {
    cell: &'c WakerCell,
}

impl Claim<'_> {
    /// Registers a waker in the place of an earlier one. Every [`wake`](WakerCell::wake) that comes later finds it.
    pub fn register(&mut self, waker: &Waker) {
        self.retract();
        let waker = ManuallyDrop::new(waker.clone());
        self.cell.track.write();
        // Relaxed, both: published by the swap below. Takers who still look at the last registration may read these
        // words, but not use them.
        self.cell.data.store(waker.data().cast_mut(), Relaxed);
        self.cell.vtable.store(ptr::from_ref(waker.vtable()).cast_mut(), Relaxed);
        // While nobody waits only the owner changes the state.
        let state = self.cell.state.load_settled();
        // Release: publishes the words to the Acquire of `wake`. Acquire: pairs with the Release of
        // `wake_after_store`.
        self.cell.state.swap(state.wrapping_add(TICKET) | WAITING, AcqRel);
    }

    /// The waker that has been registered last has not been taken, and would wake the same task as `waker`.
    pub fn is_waiting_for(&self, waker: &Waker) -> bool {
        // The words are this owner's own, also if the waker in them has just been taken.
        self.waiting().is_some()
            && ptr::eq(self.cell.data.load_settled(), waker.data())
            && ptr::eq(self.cell.vtable.load_settled(), waker.vtable())
    }

    /// Takes the waker back, unless it has been taken.
    pub fn retract(&mut self) {
        while let Some(state) = self.waiting() {
            // Relaxed: it publishes nothing; and what it reads is the owner's own.
            if self.cell.state.compare_exchange(state, state & !WAITING, Relaxed, Relaxed).is_ok() {
                // SAFETY: the words are those that this owner has registered, and no taker has been first.
                drop(unsafe { waker(self.cell.data.load_settled(), self.cell.vtable.load_settled()) });
            }
        }
    }

    /// The state, while the waker has not been taken.
    fn waiting(&self) -> Option<u32> {
        // Acquire: pairs with the Release in `wake`, if it has taken the waker; and with that of the last owner's drop, so
        // that what that one wrote comes before what this one writes.
        let state = self.cell.state.load(Acquire);
        (state & WAITING != 0).then_some(state)
    }
}

/// Gives up the place in any case: a waker that panics when it is dropped does not take it along.
impl Drop for Claim<'_> {
    fn drop(&mut self) {
        struct Free<'c>(&'c WakerCell);
        impl Drop for Free<'_> {
            fn drop(&mut self) {
                self.0.track.write();
                // Release: pairs with the Acquire of `waiting`, by the next owner. All writes to the state are read-modify-writes,
                // so that they are in one order with those of others who tried to claim.
                self.0.state.fetch_and(!OWNED, Release);
            }
        }
        let _free = Free(self.cell);
        self.retract();
    }
}
