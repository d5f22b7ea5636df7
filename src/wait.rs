//! Waiting for a buffer: [`Pool::alloc_wait`], and the places in which tasks wait.
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

#[cfg(feature = "track")]
use core::panic::Location;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::{fmt, future::Future, mem};
#[cfg(feature = "std")]
use std::{
    sync::Arc,
    task::{Wake, Waker},
    thread::{self, Thread},
    time::{Duration, Instant},
};

use crate::buf::bytes_mut::BytesMut;
use crate::buf::handle::Handle;
#[cfg(feature = "std")]
use crate::error::TIMED_OUT;
use crate::error::{Error, TOO_MANY_WAITERS};
use crate::pool::Pool;
use crate::pool::tier::Tier;
use crate::protocol::waker_cell::{Claim, WakerCell};

/// The reason why [`Pool::alloc_wait`] does not wait.
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
    /// [`Pool::alloc_timeout`] has waited in vain. No other function answers this.
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

/// A task that waits for buffers of a pool, with or without a place.
#[derive(Debug)]
pub(crate) struct Waiter {
    /// The pool whose buffers it waits for.
    pool: &'static Pool,
    /// Its place, if it has one.
    place: Option<Claim<'static>>,
    /// A wait has begun: its first try has been counted, and found nothing.
    waits: bool,
}

impl Waiter {
    /// A waiter that has no place yet.
    pub(crate) const fn new(pool: &'static Pool) -> Self {
        Waiter { pool, place: None, waits: false }
    }

    /// The place of this waiter. It keeps the place until [`leave`](Self::leave).
    pub(crate) fn place(&mut self) -> Result<&mut Claim<'static>, WaitError> {
        if self.place.is_none() {
            self.place = self.pool.waiters.iter().find_map(WakerCell::claim);
        }
        self.place.as_mut().ok_or(WaitError::TooManyWaiters)
    }

    /// Gives up the place. If a wait has begun and nothing has served it, gives up the wait, too.
    pub(crate) fn leave(&mut self) {
        if mem::take(&mut self.waits) {
            self.pool.count_exhausted();
        }
        self.place = None;
    }

    /// Returns a buffer. If there is none, registers the waker in the place of this waiter: it will
    /// be woken when another try is worth while.
    pub(crate) fn poll_alloc(
        &mut self,
        capacity: usize,
        cx: &Context<'_>,
    ) -> Poll<Result<BytesMut, WaitError>> {
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
                return Poll::Ready(Ok(self.served(buffer)));
            }
            self.waits = true;
            let place = self.place()?;
            place.register(cx.waker());
            if pool.arm(capacity, 1) {
                // Memory of the fallback may have come back before it was armed.
                return match self.attempt_fallback(capacity) {
                    Some(buffer) => Poll::Ready(Ok(self.served(buffer))),
                    None => Poll::Pending,
                };
            }
            // Retract the waker before the next try, because the fallback may panic in that try. A
            // registered waker means that the pool is armed.
            place.retract();
        }
    }

    /// The wait has ended with this buffer.
    fn served(&mut self, buffer: BytesMut) -> BytesMut {
        self.waits = false;
        if let Some(place) = &mut self.place {
            place.retract();
        }
        buffer
    }

    /// Tries to get a buffer of the fallback.
    fn attempt_fallback(&self, capacity: usize) -> Option<BytesMut> {
        let (state, owner) = self.pool.alloc_from_fallback(capacity, capacity)?;
        self.pool.count_exhausted();
        // SAFETY: this is the first handle on a buffer that has just been made.
        Some(BytesMut(unsafe { Handle::from_state(state, owner) }))
    }

    /// Tries to get a buffer, as [`Pool::alloc`] does. It counts as the module describes.
    fn attempt(&self, fitting: &'static [Tier], capacity: usize) -> Option<BytesMut> {
        let (pool, first) = (self.pool, !self.waits);
        if first {
            pool.count_size(capacity);
        }
        let candidates = || pool.candidates(fitting, capacity, 1);
        if let Some((tier, index, state)) =
            candidates().find_map(|tier| tier.take(pool.initial_state))
        {
            return Some(BytesMut(Handle::from_slot(tier, index, state)));
        }
        if first {
            candidates().step_by(pool.lane_count().get()).for_each(Pool::count_miss);
        }
        let buffer = self.attempt_fallback(capacity);
        if buffer.is_none() && !first {
            pool.count_retry();
        }
        buffer
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        self.leave();
    }
}

/// The future of [`Pool::alloc_wait`]. Its drop gives up its place, with up to four
/// read-modify-writes, also in an interrupt handler. Forgetting it (`core::mem::forget`) while it
/// waits loses the place, and nothing else.
///
/// ```
/// tierpool::pool! { static POOL = [64 x 1], waiters = 1; }
/// let next: tierpool::AllocWait = POOL.alloc_wait(64);
/// # drop(next);
/// ```
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct AllocWait {
    /// The wait, with its place.
    waiter: Waiter,
    /// The bytes asked for, with the headroom.
    capacity: usize,
    /// The bytes in front of the data, rounded up.
    headroom: usize,
    /// Who waits.
    #[cfg(feature = "track")]
    place: &'static Location<'static>,
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
        let mut polled = self.waiter.poll_alloc(capacity, cx);
        if polled.is_ready() {
            self.waiter.leave();
        }
        if let Poll::Ready(Ok(buffer)) = &mut polled {
            buffer.0.skip(self.headroom);
            #[cfg(feature = "track")]
            buffer.0.note_place(self.place);
        }
        polled
    }
}

impl Pool {
    /// Allocates as [`alloc`](Self::alloc) does, but waits for a slot while the pool is exhausted.
    /// For tasks of any executor.
    ///
    /// As many tasks can wait at once as the pool declares by `waiters`, whatever size they ask
    /// for. Each takes a place while it waits. If the future is dropped, it gives up the place, and
    /// nothing is lost: a slot for which it was woken is still in the pool, and all other tasks
    /// have been woken, too. The task that polls first gets the slot. A task that comes too late
    /// goes on waiting. In a pool with a fallback, a buffer of the
    /// fallback that comes back wakes the tasks, too: its memory may do. In the [statistics](Self::stats) a wait is one request, served or given up,
    /// however often it tries.
    ///
    /// The free that ends a wait wakes the tasks in its own context, which may be an interrupt
    /// handler. The wakers of the executor must allow that, as those of embassy do. They should not
    /// panic. If one panics, the panic goes on to the code that has freed, and the other tasks are
    /// still woken. A second panic among them aborts the process.
    ///
    /// Interrupt handler: yes, as `alloc`. Cost: that of `alloc` if there is a slot. To wait costs
    /// two read-modify-writes to register, one more for each place that it looks at, a clone of the
    /// waker, and one compare-and-swap per tier. The free that wakes looks at each place, and pays
    /// one compare-and-swap per task. Other frees pay nothing.
    ///
    /// # Errors
    /// [`WaitError::Oversized`] and [`WaitError::TooManyWaiters`], both at once. It never waits if
    /// no slot can serve the request.
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
    #[cfg_attr(feature = "track", track_caller)]
    pub const fn alloc_wait(&'static self, capacity: usize) -> AllocWait {
        self.wait_for(capacity, 0)
    }

    /// Allocates as [`alloc_with_headroom`](Self::alloc_with_headroom) does, but waits as
    /// [`alloc_wait`](Self::alloc_wait).
    ///
    /// Interrupt handler and cost: as `alloc_wait`.
    ///
    /// # Errors
    /// As for `alloc_wait`.
    ///
    /// ```
    /// tierpool::pool! { static TX = [1536 x 2], waiters = 4; }
    ///
    /// async fn send(payload: &[u8]) -> Result<(), tierpool::Error> {
    ///     let mut packet = TX.alloc_wait_with_headroom(8, payload.len()).await?;
    ///     packet.extend_from_slice(payload)?;
    ///     packet.prepend(b"header: ")?;
    ///     # assert_eq!(packet, "header: frame");
    ///     Ok(())
    /// }
    /// # let task = core::pin::pin!(send(b"frame"));
    /// # let cx = &mut core::task::Context::from_waker(core::task::Waker::noop());
    /// # assert!(core::future::Future::poll(task, cx).is_ready());
    /// ```
    #[cfg_attr(feature = "track", track_caller)]
    pub fn alloc_wait_with_headroom(&'static self, headroom: usize, capacity: usize) -> AllocWait {
        // A headroom that cannot be rounded up is larger than any slot, and so is the sum.
        let headroom = self.rounded(headroom).unwrap_or(usize::MAX);
        let capacity = headroom.saturating_add(capacity);
        self.wait_for(capacity, headroom)
    }

    /// The future of a wait that has not begun.
    #[cfg_attr(feature = "track", track_caller)]
    const fn wait_for(&'static self, capacity: usize, headroom: usize) -> AllocWait {
        AllocWait {
            waiter: Waiter::new(self),
            capacity,
            headroom,
            #[cfg(feature = "track")]
            place: Location::caller(),
        }
    }

    /// Allocates as [`alloc_wait`](Self::alloc_wait) does, but blocks the thread, for at most
    /// `timeout`. It takes one of the places that the pool declares by `waiters`. If there is a
    /// slot, it does not look at the clock.
    ///
    /// Interrupt handler: no. Cost: that of `alloc` if there is a slot.
    ///
    /// # Errors
    /// [`WaitError::TimedOut`]. As for `alloc_wait`.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tierpool::WaitError;
    ///
    /// tierpool::pool! { static TX = [1536 x 1], waiters = 4; }
    /// let only = TX.alloc_timeout(1500, Duration::from_secs(1))?;
    /// let second = TX.alloc_timeout(1500, Duration::from_millis(1));
    /// assert_eq!(second.unwrap_err(), WaitError::TimedOut);
    /// std::thread::spawn(move || drop(only));
    /// assert!(TX.alloc_timeout(1500, Duration::from_secs(10)).is_ok());
    /// # Ok::<(), WaitError>(())
    /// ```
    #[cfg(feature = "std")]
    #[cfg_attr(feature = "track", track_caller)]
    pub fn alloc_timeout(
        &'static self,
        capacity: usize,
        timeout: Duration,
    ) -> Result<BytesMut, WaitError> {
        struct Unpark(Thread);
        impl Wake for Unpark {
            fn wake(self: Arc<Self>) {
                self.0.unpark();
            }
        }
        std::thread_local! {
            static WAKER: Waker = Arc::new(Unpark(thread::current())).into();
        }
        let mut wait = self.alloc_wait(capacity);
        let mut end = None;
        WAKER.with(|waker| {
            loop {
                if let Poll::Ready(done) = Pin::new(&mut wait).poll(&mut Context::from_waker(waker))
                {
                    return done;
                }
                let now = Instant::now();
                // A timeout that no clock reaches is none.
                let end = *end.get_or_insert_with(|| now.checked_add(timeout));
                match end.map(|end| end.saturating_duration_since(now)) {
                    Some(Duration::ZERO) => return Err(WaitError::TimedOut),
                    Some(left) => thread::park_timeout(left),
                    None => thread::park(),
                }
            }
        })
    }
}
