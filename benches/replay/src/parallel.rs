//! Whether two threads run in parallel now: else contention looks free.

use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

/// On its own cache line.
#[repr(align(128))]
struct Word(AtomicU32);

/// Two threads that swap one word must take at least twice as long as two that swap words of their
/// own.
pub fn two_threads_run_in_parallel() -> bool {
    let word = || Word(AtomicU32::new(0));
    let (shared, private) = (word(), [word(), word()]);
    time(&shared, &shared) >= 2 * time(&private[0], &private[1])
}

fn time(first: &Word, second: &Word) -> Duration {
    const SWAPS: u32 = 100_000;
    let start = Barrier::new(2);
    let work = |word: &Word| {
        start.wait();
        let begin = Instant::now();
        for _ in 0..SWAPS {
            // Relaxed: only their time counts.
            let old = word.0.load(Relaxed);
            let _ = word.0.compare_exchange(old, old.wrapping_add(1), Relaxed, Relaxed);
        }
        begin.elapsed()
    };
    thread::scope(|scope| {
        let other = scope.spawn(|| work(first));
        work(second).max(other.join().expect("it does not panic"))
    })
}
