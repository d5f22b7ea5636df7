//! Wakers of tasks that are polled by hand.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{RawWaker, RawWakerVTable, Wake, Waker};

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
