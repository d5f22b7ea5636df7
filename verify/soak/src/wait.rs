//! Steps that wait for a buffer without a thread: futures, polled by hand.

use crate::choices::{Choices, size};
use crate::worker::{Worker, take};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll, Wake, Waker};
use tierpool::AllocWait;

/// The most that a worker waits for at once.
const LIMIT: usize = 3;

/// A request that waits, and whether its waker has been called since the last poll.
pub struct Waiting {
    future: Pin<Box<AllocWait>>,
    len: usize,
    woken: Arc<Woken>,
    /// The pool's number.
    pub pool: usize,
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Relaxed);
    }
}

impl Waiting {
    /// The waker has been called since the last poll.
    pub fn is_woken(&self) -> bool {
        self.woken.0.load(Relaxed)
    }

    /// Bytes that it waits for.
    pub fn bytes(&self) -> usize {
        self.len
    }
}

impl Worker {
    pub(crate) fn alloc_wait(&mut self, choices: &mut dyn Choices) -> Option<()> {
        let (pool, tested) = self.pool(choices);
        let len = size(choices, tested);
        if !tested.waiters || self.waiting.len() == LIMIT {
            return None;
        }
        let woken = Arc::new(Woken(AtomicBool::new(false)));
        self.poll(Waiting { future: Box::pin(tested.pool.alloc_wait(len)), len, woken, pool });
        Some(())
    }

    /// Whether it was woken or not.
    pub(crate) fn poll_again(&mut self, choices: &mut dyn Choices) -> Option<()> {
        let waiting = take(&mut self.waiting, choices)?;
        self.poll(waiting);
        Some(())
    }

    pub(crate) fn cancel_wait(&mut self, choices: &mut dyn Choices) -> Option<()> {
        take(&mut self.waiting, choices).map(drop)
    }

    fn poll(&mut self, mut waiting: Waiting) {
        // Before the poll: what wakes from here on counts.
        waiting.woken.0.store(false, Relaxed);
        let waker = Waker::from(waiting.woken.clone());
        match waiting.future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(Ok(buffer)) => self.fill(buffer, waiting.len),
            Poll::Ready(Err(_)) => self.refused(),
            Poll::Pending => self.waiting.push(waiting),
        }
    }
}
