//! Waiting for an object: [`ObjectPool::alloc_wait`], [`RecyclePool::request_wait`].
//!
//! ```text
//!   alloc_wait ──► take a slot ──► ready            the wait of a buffer, with one list to arm,
//!                   │ none   ▲ a slot has come back   and no fallback to ask
//!                  register ─┴─► arm ──► pending
//! ```

use core::fmt;
use core::future::Future;
use core::mem::{ManuallyDrop, MaybeUninit};
#[cfg(feature = "track")]
use core::panic::Location;
use core::pin::Pin;
use core::task::{Context, Poll};

use crate::object_pool::recycle::{RecyclePool, Recycled};
use crate::object_pool::{Object, ObjectPool};
use crate::wait::{Place, WaitError};

/// The future of [`ObjectPool::alloc_wait`]. Its drop gives up its place, with up to four
/// read-modify-writes, also in an interrupt handler. Forgetting it (`core::mem::forget`) while it
/// waits loses the place, and nothing else.
///
/// ```
/// static POOL: tierpool::ObjectPool<u32, 1, 1> = tierpool::ObjectPool::with_waiters();
/// let next: tierpool::ObjectWait<'_, u32, 1, 1> = POOL.alloc_wait();
/// # drop(next);
/// ```
#[must_use = "futures do nothing unless polled"]
pub struct ObjectWait<'p, T, const N: usize, const W: usize> {
    pool: &'p ObjectPool<T, N, W>,
    place: Place<'p>,
    /// A wait has begun: its first try has been counted, and found nothing.
    waits: bool,
    /// Who waits.
    #[cfg(feature = "track")]
    asked: &'static Location<'static>,
}

impl<'p, T, const N: usize, const W: usize> Future for ObjectWait<'p, T, N, W> {
    type Output = Result<Object<'p, MaybeUninit<T>, N, W>, WaitError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if this.place.is_waiting_for(cx.waker()) {
            return Poll::Pending;
        }
        loop {
            if let Some(slot) = this.pool.take() {
                this.waits = false;
                this.place.leave();
                #[cfg(feature = "track")]
                slot.note_place(this.asked);
                return Poll::Ready(Ok(slot));
            }
            // A wait is one request, and so at most one miss.
            if !this.waits {
                this.pool.list().count_miss();
                this.waits = true;
            }
            if this.place.sleep(cx.waker(), || this.pool.list().arm())? {
                return Poll::Pending;
            }
        }
    }
}

impl<T, const N: usize, const W: usize> fmt::Debug for ObjectWait<'_, T, N, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectWait").field("waits", &self.waits).finish()
    }
}

/// The future of [`RecyclePool::request_wait`]. It is dropped and forgotten as [`ObjectWait`] is.
///
/// ```
/// use tierpool::{RecyclePool, RecycledWait};
///
/// static POOL: RecyclePool<u32, 1, 1> = RecyclePool::with_waiters([7]);
/// let next: RecycledWait<'_, u32, 1, 1> = POOL.request_wait();
/// # drop(next);
/// ```
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct RecycledWait<'p, T, const N: usize, const W: usize>(
    ObjectWait<'p, ManuallyDrop<T>, N, W>,
);

impl<'p, T, const N: usize, const W: usize> Future for RecycledWait<'p, T, N, W> {
    type Output = Result<Recycled<'p, T, N, W>, WaitError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: the wait is for a slot of a `RecyclePool`.
        Pin::new(&mut self.0).poll(cx).map_ok(|slot| unsafe { Recycled::of(slot) })
    }
}

const _: () = {
    const fn goes_anywhere<T: Send + Sync + Unpin>() {}
    goes_anywhere::<ObjectWait<'_, u32, 1, 1>>();
    goes_anywhere::<RecycledWait<'_, u32, 1, 1>>();
};

impl<T, const N: usize, const W: usize> ObjectPool<T, N, W> {
    /// Takes a slot as [`alloc_uninit`](Self::alloc_uninit) does, but waits while all `N` are in
    /// use. For tasks of any executor. The value is made after the wait. So a wait that is dropped
    /// drops no value.
    ///
    /// As many tasks can wait at once as the pool has places: the `W` of its type, made by
    /// [`with_waiters`](Self::with_waiters). All else is as for
    /// [`Pool::alloc_wait`](crate::Pool::alloc_wait): the free that ends a wait wakes all tasks in
    /// its own context, which may be an interrupt handler; the one that polls first gets the slot;
    /// a dropped future takes no wake-up along. A wait counts at most one miss.
    ///
    /// A pool with lanes has no such wait: its places would have to be known to every lane.
    ///
    /// Interrupt handler: yes. Cost: that of `alloc_uninit` if there is a slot. To wait costs two
    /// read-modify-writes to register, one more for each place that it looks at, a clone of the
    /// waker, and one compare-and-swap. The free that wakes looks at each place, and pays one
    /// compare-and-swap per task. Other frees pay nothing.
    ///
    /// # Errors
    /// [`WaitError::TooManyWaiters`], at once.
    ///
    /// ```
    /// use tierpool::{ObjectPool, WaitError};
    ///
    /// struct Request {
    ///     id: u32,
    /// }
    ///
    /// static REQUESTS: ObjectPool<Request, 4, 2> = ObjectPool::with_waiters();
    ///
    /// async fn ask(id: u32) -> Result<(), WaitError> {
    ///     let request = REQUESTS.alloc_wait().await?.write(Request { id });
    ///     assert_eq!(request.id, id);
    ///     Ok(())
    /// }
    /// # let task = core::pin::pin!(ask(1));
    /// # let cx = &mut core::task::Context::from_waker(core::task::Waker::noop());
    /// # assert!(core::future::Future::poll(task, cx).is_ready());
    /// ```
    #[cfg_attr(feature = "track", track_caller)]
    pub const fn alloc_wait(&self) -> ObjectWait<'_, T, N, W> {
        ObjectWait {
            pool: self,
            place: Place::among(self.waiters()),
            waits: false,
            #[cfg(feature = "track")]
            asked: Location::caller(),
        }
    }
}

impl<T, const N: usize, const W: usize> RecyclePool<T, N, W> {
    /// A value as [`request`](Self::request) gives it, but waits while all are in use, as
    /// [`ObjectPool::alloc_wait`].
    ///
    /// Interrupt handler and cost: as there.
    ///
    /// # Errors
    /// [`WaitError::TooManyWaiters`], at once.
    ///
    /// ```
    /// use tierpool::{RecyclePool, WaitError};
    ///
    /// static SCRATCH: RecyclePool<[u8; 4096], 1, 2> = RecyclePool::with_waiters([[0; 4096]; 1]);
    ///
    /// async fn compress(message: &[u8]) -> Result<(), WaitError> {
    ///     let mut scratch = SCRATCH.request_wait().await?;
    ///     scratch[..message.len()].copy_from_slice(message);
    ///     Ok(())
    /// }
    /// # let task = core::pin::pin!(compress(b"node"));
    /// # let cx = &mut core::task::Context::from_waker(core::task::Waker::noop());
    /// # assert!(core::future::Future::poll(task, cx).is_ready());
    /// ```
    #[cfg_attr(feature = "track", track_caller)]
    pub const fn request_wait(&self) -> RecycledWait<'_, T, N, W> {
        RecycledWait(self.slots.alloc_wait())
    }
}
