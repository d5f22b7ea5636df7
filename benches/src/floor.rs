//! What everything is measured in: uncontended compare-and-swaps; and whether threads really ran in parallel.
//!
//! ```text
//!   private   thread 0 ──► [ word ]  thread 1 ──► [ word ]     a cache line each: the floor
//!   shared    thread 0 ──► [ word ] ◄── thread 1               the line travels, if both run
//! ```

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crossbeam_utils::CachePadded;

use crate::team::{self, Done, Team, Work};

/// Shared compare-and-swaps must cost this many times what private ones do, or the threads did not run in parallel.
pub const PARALLEL: f64 = 2.0;

/// One compare-and-swap loop, as a pop or a push has it: a load, and a swap to another value.
#[inline(always)]
fn swap_once(word: &AtomicU64) {
    loop {
        // Relaxed: a count that orders nothing.
        let old = word.load(Relaxed);
        if word.compare_exchange_weak(old, old.wrapping_add(1), Relaxed, Relaxed).is_ok() {
            return;
        }
    }
}

/// Compare-and-swaps on a word of the thread's own.
pub fn private(work: &Work<'_>) -> Done {
    let word = CachePadded::new(AtomicU64::new(0));
    let word: &AtomicU64 = black_box(&word);
    work.repeat(|| swap_once(word))
}

/// Measured just before or after what it is to be compared with.
#[derive(Clone, Copy, Debug)]
pub struct Floor {
    /// Nanoseconds of an uncontended compare-and-swap.
    pub swap: f64,
    /// One on a word that all threads share, over one on a private word. Infinite for one thread.
    pub shared: f64,
}

impl Floor {
    pub fn measure(team: &Team, length: Duration) -> Floor {
        let swap = team::cost(&team.run(length, private));
        let word = CachePadded::new(AtomicU64::new(0));
        let shared = || team::cost(&team.run(length, |work| work.repeat(|| swap_once(&word)))) / swap;
        Floor { swap, shared: if team.threads() > 1 { shared() } else { f64::INFINITY } }
    }

    pub fn is_parallel(&self) -> bool {
        self.shared >= PARALLEL
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thread_needs_no_proof_and_two_have_a_ratio() {
        let length = Duration::from_micros(100);
        let one = Floor::measure(&Team::new(1).unwrap(), length);
        assert!(one.swap > 0.0 && one.is_parallel());
        let two = Floor::measure(&Team::new(2).unwrap(), length);
        assert!(two.shared.is_finite() && two.shared > 0.0);
        assert!(!Floor { swap: 1.0, shared: 1.9 }.is_parallel());
    }
}
