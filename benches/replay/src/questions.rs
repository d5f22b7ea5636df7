//! What is asked of a candidate: does the trace complete, in how much memory, in what time, and
//! what is left of the heap.

use crate::heaps::Heap;
use crate::memory::{Alone, Memory, PoolFirst};
use crate::run::{self, Outcome, Threads};
use std::marker::PhantomData;
use tierpool_traces::Trace;
use tierpool_traces::fit::Geometry;

/// A heap and what stands before it.
pub trait Candidate {
    fn heap(&self) -> &'static str;
    /// Nothing, or the tiers of a pool, by name.
    fn front(&self) -> &'static str;
    /// Bytes of the pool, 0 if there is none.
    fn pool_bytes(&self) -> usize;
    /// The pool's tiers, as `pool!` writes them.
    fn tiers(&self) -> String;
    /// One replay in so much memory, on fresh memory; none if it does not suffice for the pool.
    fn run(&self, bytes: usize, trace: &Trace, threads: Threads) -> Option<Replayed>;
    /// The same on one thread, with the heap's free bytes and largest block at `samples` points and
    /// at the end.
    fn sampled(&self, bytes: usize, trace: &Trace, samples: usize) -> Option<Vec<Sample>>;
}

#[derive(Clone, Copy, Debug)]
pub struct Replayed {
    pub outcome: Outcome,
    pub hits: u64,
}

/// The heap at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// Number of the event.
    pub event: usize,
    pub free: usize,
    pub largest: usize,
}

impl Sample {
    /// Free memory that is not in the largest block, of all that is free, in percent.
    pub fn fragmentation(&self) -> f64 {
        100.0 * (1.0 - self.largest as f64 / self.free.max(1) as f64)
    }
}

/// A heap of type `H` alone, or behind a pool.
pub struct Of<H> {
    front: &'static str,
    geometry: Option<Geometry>,
    heap: PhantomData<H>,
}

impl<H: Heap> Of<H> {
    pub fn alone() -> Self {
        Of { front: "alone", geometry: None, heap: PhantomData }
    }

    pub fn behind(front: &'static str, geometry: Geometry) -> Self {
        Of { front, geometry: Some(geometry), heap: PhantomData }
    }
}

impl<H: Heap> Candidate for Of<H> {
    fn heap(&self) -> &'static str {
        H::NAME
    }

    fn front(&self) -> &'static str {
        self.front
    }

    fn pool_bytes(&self) -> usize {
        self.geometry.as_ref().map_or(0, Geometry::memory)
    }

    fn tiers(&self) -> String {
        self.geometry.as_ref().map_or_else(String::new, Geometry::to_string)
    }

    fn run(&self, bytes: usize, trace: &Trace, threads: Threads) -> Option<Replayed> {
        fn on(memory: &impl Memory, trace: &Trace, threads: Threads) -> Replayed {
            Replayed { outcome: run::run(memory, trace, threads), hits: memory.hits() }
        }
        match &self.geometry {
            None => Some(on(&Alone::<H>::leak(bytes), trace, threads)),
            Some(geometry) => Some(on(&PoolFirst::<H>::leak(geometry, bytes)?, trace, threads)),
        }
    }

    fn sampled(&self, bytes: usize, trace: &Trace, samples: usize) -> Option<Vec<Sample>> {
        fn on(memory: &impl Memory, trace: &Trace, samples: usize) -> Vec<Sample> {
            let (mut found, last) = (Vec::new(), trace.events().len() - 1);
            run::one(memory, trace, &mut |event| {
                if event == last || event * samples / last > found.len() {
                    let (free, largest) = memory.heap_free();
                    found.push(Sample { event, free, largest });
                }
            });
            found
        }
        match &self.geometry {
            None => Some(on(&Alone::<H>::leak(bytes), trace, samples)),
            Some(geometry) => Some(on(&PoolFirst::<H>::leak(geometry, bytes)?, trace, samples)),
        }
    }
}

/// The least memory in which the trace completes, to `STEP` bytes: from some memory on, since a
/// heap may by luck do with a little less and not with a little more.
pub fn least(candidate: &dyn Candidate, trace: &Trace, most: usize) -> Option<usize> {
    const STEP: usize = 256;
    let completes = |bytes| {
        candidate
            .run(bytes, trace, Threads::One)
            .is_some_and(|replayed| replayed.outcome.failed == 0)
    };
    let (mut too_little, mut enough) = (0, most / STEP);
    if !completes(enough * STEP) {
        return None;
    }
    while enough - too_little > 1 {
        let middle = (too_little + enough) / 2;
        if completes(middle * STEP) {
            enough = middle;
        } else {
            too_little = middle;
        }
    }
    Some(enough * STEP)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heaps::LinkedList;

    #[test]
    fn the_least_memory_is_where_failures_begin() {
        let trace = Trace::reticulum_loopback();
        let candidate = Of::<LinkedList>::alone();
        let least = least(&candidate, &trace, 1 << 20).unwrap();
        let failed = |bytes| candidate.run(bytes, &trace, Threads::One).unwrap().outcome.failed;
        assert!(failed(least) == 0 && failed(least - 256) > 0);
    }

    #[test]
    fn samples_end_with_the_trace() {
        let trace = Trace::reticulum_loopback();
        let samples = Of::<LinkedList>::alone().sampled(100_000, &trace, 10).unwrap();
        assert!((10..=12).contains(&samples.len()), "{}", samples.len());
        assert_eq!(samples.last().unwrap().event, trace.events().len() - 1);
        assert!(samples.iter().all(|sample| sample.largest <= sample.free));
    }
}
