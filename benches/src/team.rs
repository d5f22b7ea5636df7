//! Threads that do the same work at the same time, for a given time.
//!
//! ```text
//!   thread 0  ──gate──┤ once once once … ├──► how often, how long
//!   thread 1  ──gate──┤ once once once … ├──►
//! ```
//!
//! The threads stay from one piece of work to the next, so their caches and their allocators' are
//! warm.

use std::sync::atomic::{AtomicUsize, Ordering::AcqRel, Ordering::Acquire};
use std::time::{Duration, Instant};

/// How often the clock is looked at, in operations.
const BATCH: u32 = 128;

/// How long a thread waits for the others before it lets somebody else have the processor: some
/// tens of microseconds.
const SPINS: u32 = 50_000;

/// The share of one thread in a piece of work.
#[derive(Debug)]
pub struct Work<'a> {
    /// Its number, from 0.
    pub thread: usize,
    pub threads: usize,
    length: Duration,
    gate: &'a AtomicUsize,
}

/// What a thread has done.
#[derive(Clone, Copy, Debug)]
pub struct Done {
    pub operations: u64,
    pub begin: Instant,
    pub elapsed: Duration,
    /// Somebody else was given the processor, which the thread had not offered: sleeping is not
    /// meant.
    pub suspended: bool,
}

impl Work<'_> {
    /// Does `once` until the time is up.
    #[inline(always)]
    pub fn repeat(&self, mut once: impl FnMut()) -> Done {
        self.wait_for_all();
        let (begin, before) = (Instant::now(), suspensions());
        let mut operations = 0;
        loop {
            for _ in 0..BATCH {
                once();
            }
            operations += u64::from(BATCH);
            let elapsed = begin.elapsed();
            if elapsed >= self.length {
                return Done { operations, begin, elapsed, suspended: suspensions() != before };
            }
        }
    }

    /// Waits until all threads are here.
    fn wait_for_all(&self) {
        // AcqRel, Acquire: what each thread did before, all have seen.
        self.gate.fetch_add(1, AcqRel);
        let mut spins = 0;
        while self.gate.load(Acquire) < self.threads {
            spins += 1;
            if spins % SPINS == 0 {
                std::thread::yield_now();
            }
            std::hint::spin_loop();
        }
    }
}

/// How often this thread has been suspended since it began.
fn suspensions() -> i64 {
    // SAFETY: all zero is a value of this type.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the call writes to `usage`.
    unsafe { libc::getrusage(libc::RUSAGE_THREAD, &mut usage) };
    usage.ru_nivcsw
}

/// Some threads.
#[derive(Debug)]
pub struct Team {
    threads: rayon::ThreadPool,
}

impl Team {
    pub fn new(threads: usize) -> anyhow::Result<Team> {
        Ok(Team { threads: rayon::ThreadPoolBuilder::new().num_threads(threads).build()? })
    }

    pub fn threads(&self) -> usize {
        self.threads.current_num_threads()
    }

    /// Lets every thread do this, at the same time; what each of them has returned.
    pub fn run<R: Send>(&self, length: Duration, job: impl Fn(&Work<'_>) -> R + Sync) -> Vec<R> {
        let gate = AtomicUsize::new(0);
        self.threads.broadcast(|at| {
            job(&Work { thread: at.index(), threads: at.num_threads(), length, gate: &gate })
        })
    }
}

/// Whether the threads really worked at the same time: none was suspended, and their times overlap.
pub fn at_once(done: &[Done]) -> bool {
    overlap(done) && !done.iter().any(|it| it.suspended)
}

/// Whether nine tenths of the time is common to all.
pub fn overlap(done: &[Done]) -> bool {
    let ends = || done.iter().map(|it| it.begin + it.elapsed);
    let begins = || done.iter().map(|it| it.begin);
    let between = |from: Option<Instant>, to: Option<Instant>| {
        to.zip(from).map_or(Duration::ZERO, |(to, from)| to.saturating_duration_since(from))
    };
    let (common, all) =
        (between(begins().max(), ends().min()), between(begins().min(), ends().max()));
    common >= all.mul_f64(0.9)
}

/// Nanoseconds of a thread's time for one operation: all threads' rates added up, and divided by
/// their number.
pub fn cost(done: &[Done]) -> f64 {
    done.len() as f64
        / done.iter().map(|it| it.operations as f64 / it.elapsed.as_nanos() as f64).sum::<f64>()
}

/// The slowest thread's operations as a share of the fastest one's.
pub fn fairness(done: &[Done]) -> f64 {
    let operations = || done.iter().map(|it| it.operations);
    operations().min().unwrap_or(0) as f64 / operations().max().unwrap_or(0) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(operations: u64, nanoseconds: u64) -> Done {
        Done {
            operations,
            begin: Instant::now(),
            elapsed: Duration::from_nanos(nanoseconds),
            suspended: false,
        }
    }

    #[test]
    fn at_once_is_not_one_after_the_other() {
        let one = done(1, 1_000_000);
        let later =
            |nanoseconds| Done { begin: one.begin + Duration::from_nanos(nanoseconds), ..one };
        assert!(at_once(&[one]) && at_once(&[one, later(50_000)]));
        assert!(!at_once(&[one, later(200_000)]) && !at_once(&[one, later(2_000_000)]));
        assert!(!at_once(&[one, Done { suspended: true, ..one }]));
    }

    #[test]
    fn cost_is_per_thread_fairness_of_the_slowest() {
        assert_eq!(cost(&[done(100, 1000)]), 10.0);
        assert_eq!(cost(&[done(100, 1000), done(100, 1000)]), 10.0);
        // Rates 0.1 and 0.05 a nanosecond: 0.075 each.
        assert!((cost(&[done(100, 1000), done(50, 1000)]) - 1.0 / 0.075).abs() < 1e-9);
        assert_eq!(fairness(&[done(100, 1000), done(50, 1000)]), 0.5);
        assert_eq!(fairness(&[done(100, 1000)]), 1.0);
    }

    #[test]
    fn all_threads_work_for_the_given_time() {
        let team = Team::new(3).unwrap();
        let length = Duration::from_micros(200);
        let done = team.run(length, |work| work.repeat(|| ()));
        assert_eq!(done.len(), 3);
        assert!(done.iter().all(|it| it.elapsed >= length && it.operations >= u64::from(BATCH)));
    }
}
