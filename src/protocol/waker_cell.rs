//! A place for one waker. Its owner registers a waker there. A context that frees a slot takes the
//! waker out and wakes it.
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
//! The usual cell (`AtomicWaker` of `futures`) locks itself while a waker is taken out, in two
//! steps. If a context is suspended between the steps, the owner cannot register. If the owner then
//! runs at a higher priority on the same core, in an interrupt executor, it polls for ever, and the
//! suspended context never goes on.
//!
//! Here the taker first reads both words, and then makes them its own by one swap. So no context
//! ever waits for another. If another context was faster, the words may belong to another
//! registration, or to two different ones. But then the ticket has moved, the swap fails, and the
//! words are never used.
//!
//! **How far the ticket protects.** A taker uses a waker that is gone if two things happen
//! together: it is suspended between its load and its swap, and meanwhile the owners make exactly a
//! multiple of 2^30 registrations in this place. At a million registrations per second, the
//! suspension must last at least 17 minutes, and the number must then match exactly.

use core::fmt;
use core::mem::ManuallyDrop;
use core::ptr;
use core::task::{RawWakerVTable, Waker};

use crate::protocol::atomics::{
    AcqRel, Acquire, AtomicExt, AtomicPtr, AtomicU32, Relaxed, Release, Track, const_unless_loom,
};

/// A context has claimed the place.
const OWNED: u32 = 1;
/// The two words are a waker that no context has taken. Only set together with `OWNED`.
const WAITING: u32 = 2;
/// Each registration adds this.
const TICKET: u32 = 4;

/// A place for one waker. All words are zero at start.
pub struct WakerCell {
    /// The ticket, `WAITING` and `OWNED`.
    state: AtomicU32,
    /// The data pointer of the waker that was registered last.
    data: AtomicPtr<()>,
    /// The vtable of the same waker.
    vtable: AtomicPtr<RawWakerVTable>,
    /// For loom: stands for the right to write the two words above.
    track: Track,
}

// SAFETY: all fields but `track` are atomics. They stand for a `Waker`, which may be used and
// dropped on any thread. With `track` loom checks the accesses.
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

    /// For models: a free place whose ticket wraps with registration number `left`.
    #[cfg(loom)]
    pub fn before_wrap(left: u32) -> Self {
        let cell = WakerCell::new();
        // Relaxed: the threads of the model have not started yet.
        cell.state.store((TICKET * left).wrapping_neg(), Relaxed);
        cell
    }

    /// Makes the caller the owner, if the place is free.
    pub fn claim(&self) -> Option<Claim<'_>> {
        // Relaxed: the owner looks at the state again, with Acquire, before it writes anything.
        // This sets a bit and is no compare-and-swap, so that it fails only if the place is not
        // free now.
        let free = self.state.fetch_or(OWNED, Relaxed) & OWNED == 0;
        free.then(|| Claim { cell: self })
    }

    /// Takes the waker out and wakes it, if one waits. For callers that have changed a word before:
    /// after its registration the owner checks that word with a read-modify-write, so it learns the
    /// news in any case.
    ///
    /// It costs at most one compare-and-swap, and never waits.
    pub fn wake(&self) {
        // Acquire: pairs with the Release of `register`. The words below belong to that
        // registration, or to a later one.
        let state = self.state.load(Acquire);
        if state & WAITING == 0 {
            return;
        }
        let (data, vtable) = (self.data.load_settled(), self.vtable.load_settled());
        // Release: pairs with the Acquire of `waiting`. An owner that finds its registration taken
        // sees what led to this call. It also writes its next waker after the two loads above.
        // Relaxed: if the swap fails, another taker or the owner was faster. An owner looks again
        // after it has registered again.
        if self.state.compare_exchange(state, state & !WAITING, Release, Relaxed).is_ok() {
            // SAFETY: the state has not changed, so both words belong to the registration that the
            // swap has ended. Now only this context owns the waker in them.
            unsafe { waker(data, vtable) }.wake();
        }
    }

    /// As [`wake`](Self::wake), for callers that have changed a word by a plain store. The owner
    /// checks that word by a plain load after its registration.
    #[cfg(any(feature = "embassy-net-driver-02", loom))]
    pub fn wake_after_store(&self) {
        // Release: pairs with the Acquire of the swap in `register`. One of the two
        // read-modify-writes comes first. If this one is first, the owner sees what was stored. If
        // the other is first, the load in `wake` sees the waker.
        self.state.fetch_or(0, Release);
        self.wake();
    }
}

impl fmt::Debug for WakerCell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Relaxed: the text is for humans.
        let state = self.state.load(Relaxed);
        f.debug_struct("WakerCell")
            .field("owned", &(state & OWNED != 0))
            .field("waiting", &(state & WAITING != 0))
            .finish()
    }
}

/// The waker that these words stand for.
///
/// # Safety
/// The words belong to one registration, and the caller has ended it.
unsafe fn waker(data: *mut (), vtable: *mut RawWakerVTable) -> Waker {
    // SAFETY: `register` took both words from a waker that it did not drop. The vtable was a
    // `'static` reference.
    unsafe { Waker::new(data, &*vtable) }
}

/// The ownership of a [`WakerCell`]. Its drop takes the waker back and frees the place.
#[derive(Debug)]
pub struct Claim<'c> {
    /// The place that is owned.
    cell: &'c WakerCell,
}

impl Claim<'_> {
    /// Registers a waker instead of an earlier one. Every [`wake`](WakerCell::wake) that comes
    /// later finds it.
    pub fn register(&mut self, waker: &Waker) {
        self.retract();
        let waker = ManuallyDrop::new(waker.clone());
        self.cell.track.write();
        // Relaxed, both: the swap below publishes them. Takers that still look at the last
        // registration may read these words, but they do not use them.
        self.cell.data.store(waker.data().cast_mut(), Relaxed);
        self.cell.vtable.store(ptr::from_ref(waker.vtable()).cast_mut(), Relaxed);
        // While no waker waits, only the owner changes the state.
        let state = self.cell.state.load_settled();
        // Release: publishes the words to the Acquire of `wake`.
        // Acquire: pairs with the Release of `wake_after_store`.
        self.cell.state.swap(state.wrapping_add(TICKET) | WAITING, AcqRel);
    }

    /// True if the waker that was registered last has not been taken, and would wake the same task
    /// as `waker`.
    pub fn is_waiting_for(&self, waker: &Waker) -> bool {
        // The words belong to this owner, also if the waker in them has just been taken.
        self.waiting().is_some()
            && ptr::eq(self.cell.data.load_settled(), waker.data())
            && ptr::eq(self.cell.vtable.load_settled(), waker.vtable())
    }

    /// Takes the waker back, unless another context has taken it.
    pub fn retract(&mut self) {
        while let Some(state) = self.waiting() {
            // Relaxed: the swap publishes nothing, and the words that are read belong to the owner.
            if self.cell.state.compare_exchange(state, state & !WAITING, Relaxed, Relaxed).is_ok() {
                // SAFETY: this owner has registered the words, and no taker was faster.
                drop(unsafe {
                    waker(self.cell.data.load_settled(), self.cell.vtable.load_settled())
                });
            }
        }
    }

    /// The state, if the waker has not been taken.
    fn waiting(&self) -> Option<u32> {
        // Acquire: pairs with the Release in `wake`, if that has taken the waker. It also pairs
        // with the Release in the drop of the last owner, so that the writes of the last owner come
        // before the writes of this one.
        let state = self.cell.state.load(Acquire);
        (state & WAITING != 0).then_some(state)
    }
}

/// Frees the place in any case, also if the drop of the waker panics.
impl Drop for Claim<'_> {
    fn drop(&mut self) {
        struct Free<'c>(&'c WakerCell);
        impl Drop for Free<'_> {
            fn drop(&mut self) {
                self.0.track.write();
                // Release: pairs with the Acquire of `waiting` by the next owner. All writes to the
                // state are read-modify-writes, so they are in one order with those of others who
                // tried to claim the place.
                self.0.state.fetch_and(!OWNED, Release);
            }
        }
        let _free = Free(self.cell);
        self.retract();
    }
}
