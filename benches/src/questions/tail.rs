//! How long one allocation takes at worst, while twice as many threads as there are cores allocate,
//! hold four buffers each, and free. A lock whose holder is suspended makes all others wait;
//! nothing makes a compare-and-swap wait for anybody.
//!
//! Each allocation lies between two readings of the clock. What that alone shows is a candidate of
//! its own: its worst values are threads that were suspended between two readings, which happens to
//! all.

use crate::opaque::opaque;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use libmimalloc_sys as mi;
use quanta::Clock;
use spin::mutex::SpinMutex;

use crate::candidates::locked::{self, Lock, Tiers};
use crate::candidates::{Kind, LEN, SLOTS, malloc, own};
use crate::floor::Floor;
use crate::questions::Effort;
use crate::record::{Figure, Mark, Output, Record};
use crate::spread::Spread;
use crate::switch::Heap;
use crate::team::{Team, Work};

pub const NAME: &str = "tail";
pub const CLOCK: &str = "the clock alone";

/// Buffers that a thread holds.
const HELD: usize = 4;

/// What is told of a distribution, with the share of allocations that are at most as long.
pub const MEASURES: [(&str, f64); 7] = [
    ("p50", 0.5),
    ("p90", 0.9),
    ("p99", 0.99),
    ("p99.9", 0.999),
    ("p99.99", 0.9999),
    ("p99.999", 0.99999),
    ("max", 1.0),
];

/// Its times, in nanoseconds.
type Times = Histogram<u64>;

/// A thread's allocations, each timed.
type TimedWork = dyn Fn(&Work<'_>, &Clock, &mut Times) + Send + Sync;

/// A candidate whose allocations are timed one by one.
pub struct Timed {
    pub name: &'static str,
    kind: Kind,
    heap: Heap,
    work: Box<TimedWork>,
}

impl Timed {
    /// `alloc` is timed; `free` is not.
    fn new<S, T>(
        name: &'static str,
        kind: Kind,
        state: impl Fn() -> S + Send + Sync + 'static,
        alloc: impl Fn(&mut S) -> T + Send + Sync + 'static,
        free: impl Fn(&mut S, T) + Send + Sync + 'static,
    ) -> Timed {
        let work = move |work: &Work<'_>, clock: &Clock, times: &mut Times| {
            let mut state = state();
            let mut held: [Option<T>; HELD] = std::array::from_fn(|_| None);
            let mut at = 0;
            work.repeat(|| {
                let begin = clock.raw();
                let buffer = opaque(alloc(&mut state));
                let end = clock.raw();
                times.saturating_record(clock.delta_as_nanos(begin, end));
                if let Some(old) = held[at].replace(buffer) {
                    free(&mut state, old);
                }
                at = (at + 1) % HELD;
            });
            for buffer in held.into_iter().flatten() {
                free(&mut state, buffer);
            }
        };
        Timed { name, kind, heap: Heap::Glibc, work: Box::new(work) }
    }

    fn run(&self, team: &Team, length: Duration, clock: &Clock) -> Times {
        self.heap.choose();
        let each = team.run(length, |work| {
            let mut times = empty();
            (self.work)(work, clock, &mut times);
            times
        });
        Heap::Glibc.choose();
        each.into_iter().fold(empty(), |mut all, times| {
            all += times;
            all
        })
    }
}

/// For times up to ten seconds, to three digits.
fn empty() -> Times {
    Histogram::new_with_bounds(1, 10_000_000_000, 3).expect("bounds that make sense")
}

pub fn candidates() -> Vec<Timed> {
    fn locked<L: Lock<Tiers>>(name: &'static str) -> Timed {
        let pool = locked::Pool::<L>::leak(SLOTS);
        Timed::new(
            name,
            Kind::Locked,
            || (),
            |_| pool.alloc(LEN).expect("a free buffer"),
            |_, buffer| drop(buffer),
        )
    }
    // Closures that hold nothing, so that the pool is a constant.
    let handle = |_: &mut ()| own::POOL.alloc(LEN).expect("a free slot");
    let lanes = |_: &mut ()| own::LANES_8.alloc(LEN).expect("a free slot");
    // SAFETY: any size will do.
    let glibc = |_: &mut ()| unsafe { libc::malloc(LEN) };
    // SAFETY: allocated by `glibc`, freed once.
    let glibc_free = |_: &mut (), block| unsafe { libc::free(block) };
    // SAFETY: any size will do.
    let mimalloc = |_: &mut ()| unsafe { mi::mi_malloc(LEN) };
    // SAFETY: allocated by `mimalloc`, freed once.
    let mimalloc_free = |_: &mut (), block| unsafe { mi::mi_free(block) };
    vec![
        Timed::new(own::HANDLES, Kind::Own, || (), handle, |_, buffer| drop(buffer)),
        Timed::new(own::HANDLES_8_LANES, Kind::Own, || (), lanes, |_, buffer| drop(buffer)),
        cached(),
        locked::<SpinMutex<Tiers>>(locked::SPIN),
        locked::<Mutex<Tiers>>(locked::MUTEX),
        Timed::new(malloc::GLIBC, Kind::Allocator, || (), glibc, glibc_free),
        Timed::new(malloc::MIMALLOC, Kind::Allocator, || (), mimalloc, mimalloc_free),
        Timed::new(CLOCK, Kind::Beside, || (), |_| (), |_, _| ()),
    ]
}

fn cached() -> Timed {
    use crate::candidates::cached::{CACHE, CACHED};
    Timed::new(
        CACHED,
        Kind::Own,
        || tierpool::PoolCache::<CACHE, 4>::new(&own::POOL),
        |cache| cache.alloc(LEN).expect("a free slot"),
        |cache, buffer| cache.recycle(buffer),
    )
}

/// A candidate's percentiles of each round that counts, in uncontended compare-and-swaps, by
/// [`MEASURES`].
type Rounds = Vec<[f64; MEASURES.len()]>;

pub fn ask(output: &mut Output<'_>, effort: &Effort) -> anyhow::Result<()> {
    let threads = 2 * effort.cores;
    let ((team, proof), alone) = (effort.teams(threads)?, Team::new(1)?);
    let (plan, clock, candidates) = (effort.plan(threads), Clock::new(), candidates());
    // Percentiles far out need many allocations.
    let sample = 3 * plan.sample;
    let mut all: Vec<Rounds> = candidates.iter().map(|_| Vec::new()).collect();
    let (begin, mut done) = (Instant::now(), 0);
    for round in 0..plan.rounds {
        if round > 0 && begin.elapsed() > plan.limit {
            break;
        }
        done += 1;
        let mut before = Floor::measure(&team, &proof, plan.floor);
        for turn in 0..candidates.len() {
            let number = (turn + round) % candidates.len();
            let swap = Floor::measure(&alone, &alone, plan.floor / 10).swap;
            let times = candidates[number].run(&team, sample, &clock);
            let after = Floor::measure(&team, &proof, plan.floor);
            if before.is_parallel() && after.is_parallel() {
                all[number]
                    .push(MEASURES.map(|(_, share)| times.value_at_quantile(share) as f64 / swap));
            }
            before = after;
        }
        output.progress(format!(
            "{NAME}, threads {threads}: round {} of at most {}",
            round + 1,
            plan.rounds
        ))?;
    }
    for (candidate, rounds) in candidates.iter().zip(&all) {
        for (number, (measure, _)) in MEASURES.into_iter().enumerate() {
            output.line(&Record::Figure(Figure {
                question: NAME,
                candidate: candidate.name,
                kind: candidate.kind,
                threads,
                oversubscribed: true,
                setting: String::new(),
                measure,
                spread: Spread::of(rounds.iter().map(|it| it[number])),
                used: rounds.len(),
                discarded: done - rounds.len(),
            }))?;
        }
    }
    marks(output, &candidates, &all)
}

/// Ahead of locks and allocators at the 99.9th percentile and at the worst; with lanes, at most
/// eight times glibc at the 99.9th percentile. Medians over the rounds, one over the other.
fn marks(output: &mut Output<'_>, candidates: &[Timed], all: &[Rounds]) -> anyhow::Result<()> {
    let median = |name: &str, measure: &str| {
        let candidate = candidates.iter().position(|it| it.name == name)?;
        let number = MEASURES.iter().position(|it| it.0 == measure)?;
        Spread::of(all[candidate].iter().map(|it| it[number])).map(|it| it.median)
    };
    let mark = |measure, name, other, at_most| {
        let ratio = median(name, measure).zip(median(other, measure)).map(|(a, b)| a / b);
        Mark::new(NAME, format!("{measure}: {name} ÷ {other}"), at_most, Spread::of(ratio))
    };
    let mut marks = vec![mark("p99.9", own::HANDLES_8_LANES, malloc::GLIBC, 8.0)];
    for peer in candidates.iter().filter(|it| matches!(it.kind, Kind::Locked | Kind::Allocator)) {
        marks.extend(["p99.9", "max"].map(|it| mark(it, own::HANDLES, peer.name, 1.0)));
    }
    for mark in marks {
        output.line(&Record::Mark(mark))?;
    }
    Ok(())
}
