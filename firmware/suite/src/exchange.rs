//! Queues from core to core.

use core::cell::UnsafeCell;
use harness::board;
use heapless::spsc::{Consumer, Producer, Queue};

type Ends<T> = (Producer<'static, T>, Consumer<'static, T>);

/// A queue each way, of at most `N - 1` values. Each core has the sending end of one and the
/// receiving end of the other.
pub struct Exchange<T: 'static, const N: usize> {
    queues: [UnsafeCell<Queue<T, N>>; 2],
    ends: [UnsafeCell<Option<Ends<T>>>; 2],
}

// SAFETY: element `core` of `ends` is used by that core alone (or by core 0 while core 1 is idle),
// outside of interrupt handlers; the queues are used through the ends alone, once these are made.
unsafe impl<T: Send, const N: usize> Sync for Exchange<T, N> {}

impl<T: Send, const N: usize> Exchange<T, N> {
    pub const fn new() -> Self {
        Exchange {
            queues: [const { UnsafeCell::new(Queue::new()) }; 2],
            ends: [const { UnsafeCell::new(None) }; 2],
        }
    }

    /// Makes the ends, if that has not been done. Called on core 0 while core 1 is idle.
    pub fn open(&'static self) {
        // SAFETY: core 1 is idle (see `Sync`).
        let ends = unsafe { [&mut *self.ends[0].get(), &mut *self.ends[1].get()] };
        if ends[0].is_none() {
            // SAFETY: no end has been made yet, so nobody else uses the queues.
            let [from_0, from_1] =
                unsafe { [(*self.queues[0].get()).split(), (*self.queues[1].get()).split()] };
            *ends[0] = Some((from_0.0, from_1.1));
            *ends[1] = Some((from_1.0, from_0.1));
        }
    }

    #[expect(clippy::mut_from_ref, reason = "each core has ends of its own")]
    fn ends(&self, core: usize) -> &mut Ends<T> {
        // SAFETY: this core's own element (see `Sync`); what is borrowed here ends within `send`,
        // `receive` or `empty`.
        match unsafe { &mut *self.ends[core].get() } {
            Some(ends) => ends,
            None => panic!("not open"),
        }
    }

    /// To the other core. Gives the value back if the queue is full.
    pub fn send(&self, value: T) -> Result<(), T> {
        self.ends(board::core()).0.enqueue(value)
    }

    /// The oldest value that the other core has sent, if there is any.
    pub fn receive(&self) -> Option<T> {
        self.ends(board::core()).1.dequeue()
    }

    /// What is left in both. Called on core 0 while core 1 is idle.
    pub fn empty(&self, each: impl Fn(T)) {
        for core in 0..2 {
            while let Some(value) = self.ends(core).1.dequeue() {
                each(value);
            }
        }
    }
}
