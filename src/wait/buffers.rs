//! Waiting for a buffer: [`Pool::alloc_wait`].

use core::future::Future;
use core::mem;
#[cfg(feature = "track")]
use core::panic::Location;
use core::pin::Pin;
use core::task::{Context, Poll};
#[cfg(feature = "std")]
use std::{
    sync::Arc,
    task::{Wake, Waker},
    thread::{self, Thread},
    time::{Duration, Instant},
};

use crate::buf::bytes_mut::BytesMut;
use crate::buf::handle::Handle;
use crate::pool::Pool;
use crate::pool::tier::Tier;
use crate::wait::{Place, WaitError};

/// A task that waits for buffers of a pool, with or without a place.
#[derive(Debug)]
pub(crate) struct Waiter {
    /// The pool whose buffers it waits for.
    pool: &'static Pool,
    /// Its place, if it has one.
    place: Place<'static>,
    /// A wait has begun: its first try has been counted, and found nothing.
    waits: bool,
}

impl Waiter {
    /// A waiter that has no place yet.
    pub(crate) const fn new(pool: &'static Pool) -> Self {
        Waiter { pool, place: Place::among(pool.waiters), waits: false }
    }

    /// Takes a place now. This waiter keeps it until [`leave`](Self::leave).
    #[cfg(all(feature = "embassy-net-driver-02", not(loom)))]
    pub(crate) fn take_place(&mut self) -> Result<(), WaitError> {
        self.place.take().map(drop)
    }

    /// Gives up the place. If a wait has begun and nothing has served it, gives up the wait, too.
    pub(crate) fn leave(&mut self) {
        if mem::take(&mut self.waits) {
            self.pool.count_exhausted();
        }
        self.place.leave();
    }

    /// Returns a buffer. If there is none, registers the waker in the place of this waiter: it will
    /// be woken when another try is worth while.
    pub(crate) fn poll_alloc(
        &mut self,
        capacity: usize,
        cx: &Context<'_>,
    ) -> Poll<Result<BytesMut, WaitError>> {
        if self.place.is_waiting_for(cx.waker()) {
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
            if self.place.sleep(cx.waker(), || pool.arm(capacity, 1))? {
                // Memory of the fallback may have come back before it was armed.
                return match self.attempt_fallback(capacity) {
                    Some(buffer) => Poll::Ready(Ok(self.served(buffer))),
                    None => Poll::Pending,
                };
            }
        }
    }

    /// The wait has ended with this buffer.
    fn served(&mut self, buffer: BytesMut) -> BytesMut {
        self.waits = false;
        self.place.retract();
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
