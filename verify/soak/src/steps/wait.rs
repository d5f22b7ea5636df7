//! Steps that wait for a buffer without a thread: futures, polled by hand.

use crate::held::{Waiting, take};
use crate::pools::size;
use crate::worker::Worker;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use tierpool_testkit::{Choices, Count};

/// The most that a worker waits for at once.
const LIMIT: usize = 3;

impl Worker {
    pub(crate) fn alloc_wait(&mut self, choices: &mut dyn Choices) -> Option<()> {
        let (pool, tested) = self.pool(choices);
        let len = size(choices, tested);
        if !tested.waiters || self.waiting.len() == LIMIT {
            return None;
        }
        let woken = Arc::new(Count::default());
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
        waiting.woken.take();
        let waker = Waker::from(waiting.woken.clone());
        match waiting.future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(Ok(buffer)) => self.fill(buffer, waiting.len),
            Poll::Ready(Err(_)) => self.refused(),
            Poll::Pending => self.waiting.push(waiting),
        }
    }
}
