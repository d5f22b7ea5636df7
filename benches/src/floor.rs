//! What everything is measured in: uncontended compare-and-swaps; and whether threads really ran in
//! parallel.
//!
//! ```text
//!   private   thread 0 ──► [ word ]  thread 1 ──► [ word ]     a cache line each: the floor
//!   shared    thread 0 ──► [ word ] ◄── thread 1               the line travels, if both run
//! ```
//!
//! Of more threads than cores, as many as there are cores make the proof.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crossbeam_utils::CachePadded;

use crate::team::{self, Done, Team, Work};

/// Shared compare-and-swaps must cost this many times what private ones do, or the threads did not
/// run in parallel.
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

/// How long the proof takes, of either kind of words.
const PROOF: Duration = Duration::from_micros(200);

/// Measured just before or after what it is to be compared with.
#[derive(Clone, Copy, Debug)]
pub struct Floor {
    /// Nanoseconds of an uncontended compare-and-swap.
    pub swap: f64,
    /// One on a word that all threads share, over one on a private word. Infinite for one thread.
    pub shared: f64,
    /// All threads were at work all the time.
    pub at_once: bool,
}

impl Floor {
    /// The floor of a team; `proof` is the same or, if that has more threads than cores, a team of
    /// as many.
    pub fn measure(team: &Team, proof: &Team, length: Duration) -> Floor {
        let swap = team::cost(&team.run(length, private));
        let apart = proof.run(PROOF, private);
        if proof.threads() == 1 {
            return Floor { swap, shared: f64::INFINITY, at_once: team::at_once(&apart) };
        }
        let word = CachePadded::new(AtomicU64::new(0));
        let together = proof.run(PROOF, |work| work.repeat(|| swap_once(&word)));
        let shared = team::cost(&together) / team::cost(&apart);
        Floor { swap, shared, at_once: team::at_once(&apart) && team::at_once(&together) }
    }

    /// Every thread had a processor, and they ran at the same time.
    pub fn is_parallel(&self) -> bool {
        self.shared >= PARALLEL && self.at_once
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thread_needs_no_proof_two_have_a_ratio() {
        let length = Duration::from_micros(100);
        let [one, two] = [1, 2].map(|threads| Team::new(threads).unwrap());
        let floor = Floor::measure(&one, &one, length);
        assert!(floor.swap > 0.0 && floor.shared == f64::INFINITY);
        let floor = Floor::measure(&two, &two, length);
        assert!(floor.shared.is_finite() && floor.shared > 0.0);
    }

    #[test]
    fn parallel_is_at_once_and_slower_when_shared() {
        let floor = |shared, at_once| Floor { swap: 1.0, shared, at_once }.is_parallel();
        assert!(floor(2.0, true) && floor(f64::INFINITY, true));
        assert!(!floor(1.9, true) && !floor(3.0, false));
    }
}
