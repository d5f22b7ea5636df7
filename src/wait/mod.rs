//! Waiting for a buffer or an object, and the places in which tasks wait.
//!
//! | file | what it has |
//! |---|---|
//! | here | how a task waits, and its place |
//! | `buffers` | [`Pool::alloc_wait`](crate::Pool::alloc_wait) |
//! | `objects` | [`ObjectPool::alloc_wait`](crate::ObjectPool::alloc_wait), which has one free list and no fallback |
//!
//! ```text
//!   alloc_wait   allocate ──► a buffer                      ▲
//!                   │ exhausted                             │ again
//!                register the waker ─► arm the tiers ──► a slot has come back meanwhile
//!                                         │ armed, and the fallback still has no memory
//!                                      pending ◄── the next push to one of them wakes all who wait,
//!                                                  and so does a buffer of the fallback
//! ```
//!
//! **No wake-up is lost.** The task first registers its waker, and then arms the tiers. To arm is a
//! read-modify-write of the head. If a push comes first, arming reports it. If not, the push
//! replaces the armed head, and so it sees the waker.
//!
//! A fallback cannot tell whether it has memory. So the task asks it once more after it has armed:
//! what came back before is found then, and what comes back later wakes (`protocol::deferred`).
//!
//! **A push wakes all tasks that wait.** A push that ends a wait wakes every waiter of the pool. A
//! task that then finds no slot arms the tier again. To wake only one task would need a queue. A
//! cancelled waiter could leave the queue anywhere, and a waiter that is dropped between its
//! wake-up and its next poll would have to pass the wake-up on. Here this is not necessary, because
//! the same push has woken all others. The price is a scan of the places, of which there are few,
//! and one poll per buffer for each task that gets none. It is paid only while the pool is
//! exhausted. The task that polls first gets the buffer, and not the one that has waited longest.
//!
//! **A spurious poll costs a load.** While a waker is registered, the tiers are armed, or the push
//! that disarmed them is about to wake. So a poll that finds its own waker in place does not try
//! again.
//!
//! **A wait is one request.** If its first try finds the tiers empty, they count one miss each. If
//! the wait gets its buffer, it counts as served. If it is given up, it counts as exhausted. All
//! tries in between are counted apart, because their number depends on the other waiters: see
//! [`Stats::retries`](crate::Stats::retries).

pub(crate) mod buffers;
pub(crate) mod objects;

use core::fmt;
use core::task::Waker;

#[cfg(feature = "std")]
use crate::error::TIMED_OUT;
use crate::error::{Error, TOO_MANY_WAITERS};
use crate::protocol::waker_cell::{Claim, WakerCell};

/// The reason why [`Pool::alloc_wait`](crate::Pool::alloc_wait) does not wait.
///
/// ```
/// use tierpool::WaitError;
/// # use core::{future::Future, pin::pin, task::{Context, Poll, Waker}};
///
/// tierpool::pool! { static POOL = [64 x 1]; } // no `waiters`
/// # let mut cx = Context::from_waker(Waker::noop());
/// # let mut poll = |capacity| pin!(POOL.alloc_wait(capacity)).poll(&mut cx);
/// assert!(matches!(poll(65), Poll::Ready(Err(WaitError::Oversized))));
/// let only = POOL.alloc(64)?;
/// assert!(matches!(poll(64), Poll::Ready(Err(WaitError::TooManyWaiters))));
/// # Ok::<(), tierpool::AllocError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum WaitError {
    /// The request is larger than the largest tier, and there is no fallback, or the fallback had
    /// no memory. No slot that comes back could serve the request.
    Oversized,
    /// All slots that may serve the request are in use, and all places to wait are taken. Declare
    /// more places. (A pool that is declared without `waiters` has none.)
    TooManyWaiters,
    /// [`Pool::alloc_timeout`](crate::Pool::alloc_timeout) has waited in vain. No other function answers this.
    #[cfg(feature = "std")]
    TimedOut,
}

impl fmt::Display for WaitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            WaitError::Oversized => {
                "request too large for every tier of the pool; declare a larger tier"
            }
            WaitError::TooManyWaiters => TOO_MANY_WAITERS,
            #[cfg(feature = "std")]
            WaitError::TimedOut => TIMED_OUT,
        })
    }
}

impl core::error::Error for WaitError {}

impl From<WaitError> for Error {
    fn from(error: WaitError) -> Self {
        match error {
            WaitError::Oversized => Error::Oversized,
            WaitError::TooManyWaiters => Error::TooManyWaiters,
            #[cfg(feature = "std")]
            WaitError::TimedOut => Error::TimedOut,
        }
    }
}

/// One of these places, once it is needed. Its drop gives it up.
#[derive(Debug)]
pub(crate) struct Place<'c> {
    /// The places of the pool.
    all: &'c [WakerCell],
    /// The one that is taken, if one is.
    own: Option<Claim<'c>>,
}

impl<'c> Place<'c> {
    /// None of these yet.
    pub(crate) const fn among(all: &'c [WakerCell]) -> Self {
        Place { all, own: None }
    }

    /// Takes a place, unless this has one.
    pub(crate) fn take(&mut self) -> Result<&mut Claim<'c>, WaitError> {
        if self.own.is_none() {
            self.own = self.all.iter().find_map(WakerCell::claim);
        }
        self.own.as_mut().ok_or(WaitError::TooManyWaiters)
    }

    /// True if `waker` is in the place, and nobody has taken it.
    fn is_waiting_for(&self, waker: &Waker) -> bool {
        self.own.as_ref().is_some_and(|place| place.is_waiting_for(waker))
    }

    /// Registers the waker, and then arms what is to wake it. False if `arm` says that there is
    /// something to take. Then no waker is registered: a registered one means that the next free
    /// wakes. So the next try may also panic.
    fn sleep(&mut self, waker: &Waker, arm: impl FnOnce() -> bool) -> Result<bool, WaitError> {
        let place = self.take()?;
        place.register(waker);
        let armed = arm();
        if !armed {
            place.retract();
        }
        Ok(armed)
    }

    /// Takes the waker back, and keeps the place.
    fn retract(&mut self) {
        if let Some(place) = &mut self.own {
            place.retract();
        }
    }

    /// Gives up the place.
    fn leave(&mut self) {
        self.own = None;
    }
}
