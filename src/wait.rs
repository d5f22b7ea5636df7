//! Waiting for a buffer: [`Pool::alloc_wait`], and the places where tasks wait.
//!
//! ```text
//!   alloc_wait   allocate ──► a buffer                      ▲
//!                   │ exhausted                             │ again
//!                register the waker ─► arm the tiers ──► a slot has come back meanwhile
//!                                         │ armed
//!                                      pending ◄── the next push to one of them wakes all who wait
//! ```
//!
//! **No wake-up is lost.** The waker is registered before the tiers are armed, and arming is a read-modify-write of the
//! head. A push either comes first, and arming says so; or it replaces the armed head, and so sees the waker.
//!
//! **All who wait are woken.** A push that ends a wait wakes every waiter of the pool; those who find nothing arm the tier
//! again. The other way, to wake one, would need a queue, from which a cancelled waiter can leave anywhere; and a waiter
//! that is dropped between its wake-up and its next poll would have to pass it on. Here it need not: the same push has
//! woken all others. The price is a scan of the places, of which there are few, and a poll of each loser for each
//! buffer, only while the pool is exhausted. Buffers go to whoever polls first, not to who has waited longest.
//!
//! **A spurious poll costs a load.** While a waker is registered the tiers are armed, or the push that was is about to
//! wake. So a poll that finds its waker in place does not try again.
//!
//! **A wait is one request.** Its first try counts as missed by the tiers that it finds empty, and with the buffer it counts as
//! served; if it is given up, as exhausted. All tries between are counted apart, since how many there are depends on who else
//! waits: [`Stats::retries`](crate::Stats::retries).

use core::pin::Pin;
use core::task::{Context, Poll};
use core::{fmt, future::Future, mem};

use crate::buf::bytes_mut::BytesMut;
use crate::buf::handle::Handle;
use crate::error::{Error, TOO_MANY_WAITERS};
use crate::pool::Pool;
use crate::pool::tier::Tier;
use crate::protocol::waker_cell::{Claim, WakerCell};

/// Why [`Pool::alloc_wait`] does not wait.
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
    /// Larger than the largest tier, and there is no fallback or it had no memory: no slot that comes back could serve
    /// the request.
    Oversized,
    /// All slots that may serve the request are in use, and so are all places to wait (a pool that is declared without
    /// `waiters` has none): declare more of them.
    TooManyWaiters,
}

impl fmt::Display for WaitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            WaitError::Oversized => "request too large for every tier of the pool; declare a larger tier",
            WaitError::TooManyWaiters => TOO_MANY_WAITERS,
        })
    }
}

impl core::error::Error for WaitError {}

impl From<WaitError> for Error {
    fn from(error: WaitError) -> Self {
        match error {
            WaitError::Oversized => Error::Oversized,
            WaitError::TooManyWaiters => Error::TooManyWaiters,
        }
    }
}

/// One who waits for buffers of a pool, with a place or without.
#[derive(Debug)]
pub(crate) struct Waiter {
    pool: &'static Pool,
    place: Option<Claim<'static>>,
    /// A wait has begun: its first try has been counted, and found nothing.
    waits: bool,
}

impl Waiter {
    pub(crate) const fn new(pool: &'static Pool) -> Self {
        Waiter { pool, place: None, waits: false }
    }

    /// The place of this waiter, which it keeps until [`leave`](Self::leave).
    pub(crate) fn place(&mut self) -> Result<&mut Claim<'static>, WaitError> {
        if self.place.is_none() {
            self.place = self.pool.waiters.iter().find_map(WakerCell::claim);
        }
        self.place.as_mut().ok_or(WaitError::TooManyWaiters)
    }

    /// Gives up the place, and the wait if nothing has served it.
    pub(crate) fn leave(&mut self) {
        if mem::take(&mut self.waits) {
            self.pool.count_exhausted();
        }
        self.place = None;
    }

    /// A buffer, or, registered in the waiter's place, a wake-up when it is worth another try.
    pub(crate) fn poll_alloc(&mut self, capacity: usize, cx: &Context<'_>) -> Poll<Result<BytesMut, WaitError>> {
        if self.place.as_ref().is_some_and(|place| place.is_waiting_for(cx.waker())) {
            return Poll::Pending;
        }
        let pool = self.pool;
        let fitting = pool.tiers_fitting(capacity, 1);
        if fitting.is_empty() {
            return Poll::Ready(pool.alloc(capacity).map_err(|_| WaitError::Oversized));
        }
        loop {
            if let Some(buffer) = self.attempt(fitting, capacity) {
                self.waits = false;
                if let Some(place) = &mut self.place {
                    place.retract();
                }
                return Poll::Ready(Ok(buffer));
            }
            self.waits = true;
            let place = self.place()?;
            place.register(cx.waker());
            if pool.arm(capacity, 1) {
                return Poll::Pending;
            }
            // Before the next try, in which the fallback may panic: a waker that is registered stands for an armed pool.
            place.retract();
        }
    }

    /// A buffer, as [`Pool::alloc`] would find one. Counts as the module says.
    fn attempt(&self, fitting: &'static [Tier], capacity: usize) -> Option<BytesMut> {
        let (pool, first) = (self.pool, !self.waits);
        if first {
            pool.count_size(capacity);
        }
        let candidates = || pool.candidates(fitting, capacity, 1);
        if let Some((tier, index)) = candidates().find_map(|tier| Some((tier, tier.take(pool.initial_state)?))) {
            return Some(BytesMut(Handle::from_slot(tier, index)));
        }
        if first {
            candidates().step_by(pool.lane_count().get()).for_each(|tier| tier.list().count_miss());
        }
        if let Some((state, owner)) = pool.alloc_from_fallback(capacity, capacity) {
            pool.count_exhausted();
            // SAFETY: the first handle on a buffer that has just been made.
            return Some(BytesMut(unsafe { Handle::from_state(state, owner) }));
        }
        if !first {
            pool.count_retry();
        }
        None
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        self.leave();
    }
}

/// The future of [`Pool::alloc_wait`]. Dropping it gives up its place: up to four read-modify-writes, also in an interrupt
/// handler. Forgetting it (`core::mem::forget`) while it waits loses the place, and nothing else.
///
/// ```
/// tierpool::pool! { static POOL = [64 x 1], waiters = 1; }
/// let next: tierpool::AllocWait = POOL.alloc_wait(64);
/// # drop(next);
/// ```
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct AllocWait {
    waiter: Waiter,
    capacity: usize,
}

const _: () = {
    const fn goes_anywhere<T: Send + Sync + Unpin + 'static>() {}
    goes_anywhere::<AllocWait>();
    assert!(size_of::<Result<BytesMut, WaitError>>() == size_of::<BytesMut>());
};

impl Future for AllocWait {
    type Output = Result<BytesMut, WaitError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let capacity = self.capacity;
        let polled = self.waiter.poll_alloc(capacity, cx);
        if polled.is_ready() {
            self.waiter.leave();
        }
        polled
    }
}

impl Pool {
    /// As [`alloc`](Self::alloc), but waits for a slot while the pool is exhausted: for tasks of any executor.
    ///
    /// Up to as many tasks wait at once as the pool is declared with `waiters`, whatever their sizes; each takes a place
    /// while it waits. Dropping the future gives up the place, and nothing is lost by it: a slot for which it had been
    /// woken is still in the pool, and all others have been woken, too. Whoever polls first gets the slot; a task that
    /// comes too late waits on. In a pool with a fallback the wait is for a slot, not for memory of the fallback. In the
    /// [statistics](Self::stats) a wait is one request, served or given up, however often it has to try.
    ///
    /// The free that ends a wait wakes the tasks where it happens, possibly in an interrupt handler: the executor's wakers
    /// must allow that, as those of embassy do. They should not panic: if one does, the panic goes on to whoever has freed, the
    /// other tasks are woken none the less, and a second panic among them aborts the process.
    ///
    /// Interrupt handler: yes, as `alloc`. Cost: that of `alloc` if there is a slot; else a registration (two
    /// read-modify-writes, one for each place that is looked at, and the clone of the waker) and a compare-and-swap a tier. The free that wakes looks at each
    /// place, and pays a compare-and-swap for each task; other frees pay nothing.
    ///
    /// # Errors
    /// [`WaitError::Oversized`] and [`WaitError::TooManyWaiters`], at once; it never waits in vain.
    ///
    /// ```
    /// tierpool::pool! { static TX = [1536 x 2], waiters = 4; }
    ///
    /// async fn send(packet: &[u8]) -> Result<(), tierpool::WaitError> {
    ///     let mut buffer = TX.alloc_wait(packet.len()).await?; // waits for the radio to be done with one
    ///     buffer.extend_from_slice(packet).expect("as long as was asked for");
    ///     # drop(buffer);
    ///     Ok(())
    /// }
    /// # let task = core::pin::pin!(send(b"frame"));
    /// # let cx = &mut core::task::Context::from_waker(core::task::Waker::noop());
    /// # assert!(core::future::Future::poll(task, cx).is_ready());
    /// ```
    pub const fn alloc_wait(&'static self, capacity: usize) -> AllocWait {
        AllocWait { waiter: Waiter::new(self), capacity }
    }
}
