//! Wakers of tasks that are polled by hand.

use std::cell::Cell;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// Counts the wake-ups of one task. To wake allocates and frees nothing as long as somebody else
/// has the `Arc`.
#[derive(Debug, Default)]
pub struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Relaxed: a hint. What the task finds is the pool's to publish.
        self.0.fetch_add(1, Relaxed);
    }
}

impl Count {
    /// The wake-ups so far.
    pub fn get(&self) -> usize {
        self.0.load(Relaxed)
    }

    /// The wake-ups since the last call.
    pub fn take(&self) -> usize {
        self.0.swap(0, Relaxed)
    }
}

/// A task that is polled by hand.
#[derive(Debug)]
pub struct Task<F> {
    future: F,
    /// Its wake-ups. Its next waker is one for what stands here then.
    pub woken: Arc<Count>,
}

impl<F: Future + Unpin> Task<F> {
    /// A task that was not polled yet.
    pub fn new(future: F) -> Self {
        Task { future, woken: Arc::default() }
    }

    /// Polls it.
    pub fn poll(&mut self) -> Poll<F::Output> {
        Pin::new(&mut self.future).poll(&mut Context::from_waker(&Waker::from(self.woken.clone())))
    }

    /// Its wake-ups so far.
    pub fn woken(&self) -> usize {
        self.woken.get()
    }
}

/// No task has to sleep that long.
const LATE: Duration = Duration::from_secs(30);

/// Runs a future on this thread.
///
/// # Panics
/// If nobody wakes it in time.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => {
                let asleep = Instant::now();
                thread::park_timeout(LATE);
                assert!(asleep.elapsed() < LATE, "nobody has woken this task");
            }
        }
    }
}

thread_local! {
    static WHEN_CLONED: Cell<Option<Box<dyn FnOnce()>>> = const { Cell::new(None) };
}

/// A waker for this thread that does something when it is first cloned, which is while it is
/// registered: what may happen between the look before and the look after.
pub fn waker_that_when_cloned(act: impl FnOnce() + 'static) -> Waker {
    static VTABLE: RawWakerVTable = RawWakerVTable::new(
        |data| {
            WHEN_CLONED.take().into_iter().for_each(|act| act());
            RawWaker::new(data, &VTABLE)
        },
        drop,
        drop,
        drop,
    );
    WHEN_CLONED.set(Some(Box::new(act)));
    // SAFETY: the functions keep to the contract, for they do not use the data.
    unsafe { Waker::new(std::ptr::null(), &VTABLE) }
}
