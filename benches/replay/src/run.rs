//! One replay: on one thread, or split over two.
//!
//! ```text
//!   two threads    even IDs on one, odd IDs on the other; each in its own order
//!   handed over    besides, every second block is freed by the other thread
//! ```
//!
//! Neither gets further ahead of the other than [`WINDOW`] events, so that the same blocks live at
//! about the same time as in the trace. A block is taken and given back; nothing is written to it.

use crate::memory::Memory;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};
use tierpool_traces::{Event, Trace};

/// How many events of the trace one thread may be ahead of the other.
const WINDOW: usize = 1000;

/// How a trace is spread over threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threads {
    One,
    Two,
    TwoHandedOver,
}

/// What became of a replay.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outcome {
    pub time: Duration,
    /// Requests that nobody had memory for. They are left out of the replay.
    pub failed: u64,
}

pub fn run(memory: &impl Memory, trace: &Trace, threads: Threads) -> Outcome {
    match threads {
        Threads::One => one(memory, trace, &mut |_| ()),
        Threads::Two => two(memory, trace, false),
        Threads::TwoHandedOver => two(memory, trace, true),
    }
}

/// Calls `sample` before each event, with its number.
pub fn one(memory: &impl Memory, trace: &Trace, sample: &mut dyn FnMut(usize)) -> Outcome {
    let mut held: Vec<_> = (0..trace.peak_blocks()).map(|_| None).collect();
    let start = Instant::now();
    let mut failed = 0;
    for (number, event) in trace.events().enumerate() {
        sample(number);
        match event {
            Event::Alloc { id, size } => {
                held[id as usize] = memory.take(size as usize);
                failed += u64::from(held[id as usize].is_none());
            }
            Event::Free { id } => {
                if let Some(block) = held[id as usize].take() {
                    memory.give(block);
                }
            }
        }
    }
    let time = start.elapsed();
    held.into_iter().flatten().for_each(|block| memory.give(block));
    Outcome { time, failed }
}

fn two<M: Memory>(memory: &M, trace: &Trace, hand_over: bool) -> Outcome {
    let parts = [0, 1].map(|part| -> Vec<(usize, Event)> {
        trace
            .events()
            .enumerate()
            .filter(|&(_, Event::Alloc { id, .. } | Event::Free { id })| id % 2 == part)
            .collect()
    });
    let reached = [const { AtomicUsize::new(0) }; 2];
    let start = Barrier::new(2);
    let ((to_first, at_first), (to_second, at_second)) = (channel(), channel());
    let work = |mine: usize, to: Sender<M::Block>, at: Receiver<M::Block>| {
        let mut held: Vec<_> = (0..trace.peak_blocks()).map(|_| None).collect();
        start.wait();
        let begin = Instant::now();
        let mut failed = 0;
        for &(number, event) in &parts[mine] {
            // Relaxed: only the numbers count.
            reached[mine].store(number, Relaxed);
            while number > reached[1 - mine].load(Relaxed).saturating_add(WINDOW) {
                at.try_iter().for_each(|block| memory.give(block));
                thread::yield_now();
            }
            match event {
                Event::Alloc { id, size } => {
                    held[id as usize] = memory.take(size as usize);
                    failed += u64::from(held[id as usize].is_none());
                }
                Event::Free { id } => match held[id as usize].take() {
                    Some(block) if hand_over && id / 2 % 2 == 1 => {
                        to.send(block).expect("the other thread receives to the end")
                    }
                    Some(block) => memory.give(block),
                    None => {}
                },
            }
            if hand_over {
                at.try_iter().for_each(|block| memory.give(block));
            }
        }
        reached[mine].store(usize::MAX, Relaxed);
        drop(to);
        at.iter().for_each(|block| memory.give(block));
        let end = Instant::now();
        held.into_iter().flatten().for_each(|block| memory.give(block));
        (begin, end, failed)
    };
    let [(begin, end, failed), other] = thread::scope(|scope| {
        let first = scope.spawn(|| work(0, to_second, at_first));
        let second = scope.spawn(|| work(1, to_first, at_second));
        [first, second].map(|thread| thread.join().expect("a replay does not panic"))
    });
    Outcome { time: end.max(other.1) - begin.min(other.0), failed: failed + other.2 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heaps::{LinkedList, Tlsf};
    use crate::memory::{Alone, PoolFirst};
    use tierpool_traces::fit::Geometry;

    fn check(memory: &impl Memory, hits: std::ops::RangeInclusive<u64>) {
        let trace = Trace::reticulum_loopback();
        let before = memory.heap_free();
        for threads in [Threads::One, Threads::Two, Threads::TwoHandedOver] {
            let hits_before = memory.hits();
            assert_eq!(run(memory, &trace, threads).failed, 0);
            assert!(hits.contains(&(memory.hits() - hits_before)), "{threads:?}");
            assert_eq!(memory.heap_free(), before, "everything came back");
        }
    }

    #[test]
    fn all_comes_back() {
        let geometry = Geometry { tiers: vec![(16, 40), (64, 40)], spill: 0 };
        check(&Alone::<LinkedList>::leak(200_000), 0..=0);
        check(&Alone::<Tlsf>::leak(200_000), 0..=0);
        check(&PoolFirst::<LinkedList>::leak(&geometry, 200_000).unwrap(), 1..=560);
        check(&PoolFirst::<Tlsf>::leak(&geometry, 200_000).unwrap(), 1..=560);
        assert!(PoolFirst::<Tlsf>::leak(&geometry, 1000).is_none());
    }

    #[test]
    fn what_fails_is_counted() {
        let outcome =
            run(&Alone::<LinkedList>::leak(1000), &Trace::reticulum_loopback(), Threads::One);
        assert!(outcome.failed > 0);
    }
}
