//! A task that waits for a slot by `alloc_wait`, polled by whichever context it belongs to.
//!
//! ```text
//!   idle ──poll──► waiting ──the waker is called──► woken ──poll──► a buffer, or waiting again
//!                     └── now and then: polled all the same, or dropped
//! ```
//!
//! A task that is still waiting when its context ends goes into [`LEFT_OVER`]. It waits for one of
//! the slots that were all in use then, so once they are home its waker must have been called.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use tierpool::{AllocWait, BytesMut, Pool};
use tierpool_testkit::Count;

use crate::mailbox::Mailbox;

/// See the module.
pub struct Task {
    pool: &'static Pool,
    /// Dropped first: the pool's place has a clone of the waker.
    waiting: Option<AllocWait>,
    /// No heap is entered in a signal handler: [`LEFT_OVER`] and contexts that have not ended keep
    /// it.
    woken: Arc<Count>,
    waker: Waker,
}

static LEFT_OVER: [Mailbox<Task>; 8] = [const { Mailbox::new() }; 8];

impl Task {
    pub fn new(pool: &'static Pool) -> Self {
        let woken = Arc::new(Count::default());
        Task { pool, waiting: None, waker: Waker::from(woken.clone()), woken }
    }

    /// A buffer of `size` bytes, if there is one: now, or after having waited. A task that waits
    /// goes on only once it is woken, unless it is `impatient`.
    pub fn poll(&mut self, size: usize, impatient: bool) -> Option<BytesMut> {
        // Before the poll: what wakes from here on counts.
        let woken = self.woken.take() > 0;
        if self.waiting.is_some() && !woken && !impatient {
            return None;
        }
        let waiting = self.waiting.get_or_insert_with(|| self.pool.alloc_wait(size));
        match Pin::new(waiting).poll(&mut Context::from_waker(&self.waker)) {
            Poll::Pending => None,
            Poll::Ready(result) => {
                self.waiting = None;
                Some(result.expect("as many places as contexts, and the size of a slot"))
            }
        }
    }

    /// Waits no more.
    pub fn cancel(&mut self) {
        self.waiting = None;
    }

    /// The end of the context.
    pub fn leave(self) {
        let full = LEFT_OVER.iter().try_fold(self, |task, place| match place.put(task) {
            Ok(()) => Err(()),
            Err(task) => Ok(task),
        });
        assert!(full.is_err(), "fewer places than contexts");
    }
}

/// Panics if a wake-up or a waker was lost. All contexts are gone, and all slots are home.
pub fn all_woken() {
    for mut task in LEFT_OVER.iter().filter_map(Mailbox::take) {
        let woken = task.woken.get() > 0;
        assert!(
            task.waiting.is_none() || woken,
            "a task was not woken, although all slots are home"
        );
        task.cancel();
        // Its own, and its waker's.
        assert_eq!(
            Arc::strong_count(&task.woken),
            2,
            "wakers that were taken and not dropped, or dropped twice"
        );
    }
}
