//! Tests of the pool on two cores at once. With the feature `lanes` the pool has a lane for each
//! core.
//!
//! | argument 0 | what runs |
//! |---|---|
//! | 0 | every test once, free-running, `argument 1` steps a core: two host threads, real contention |
//! | 1 | every test for each of the seeds `argument 1 ..`, `argument 2` of them, preempted by seeded timer interrupts (`-icount`) |
//! | 2 | the progress test over a pool behind a spinlock: must fail |
#![no_std]
#![no_main]

mod buffers;
mod cached;
mod churn;
mod cow;
mod exchange;
mod exhaust;
mod handover;
#[cfg(feature = "track")]
mod held;
mod interrupt;
mod lock;
mod mixed;
mod pools;
mod progress;
mod round;

use harness::{board::argument, print, println, report};
use round::{Mode, Round};

/// One test: `run` panics if something is wrong.
struct Test {
    name: &'static str,
    run: fn(Round),
    /// Needs turns that end at exact instructions.
    seeded_only: bool,
}

const TESTS: &[Test] = &[
    Test {
        name: "take a few, give back, as often as possible",
        run: churn::run,
        seeded_only: false,
    },
    Test { name: "allocate and deallocate to exhaustion", run: exhaust::run, seeded_only: false },
    Test {
        name: "clone on one core, drop on the other",
        run: handover::clone_and_drop,
        seeded_only: false,
    },
    Test {
        name: "unique buffers handed over and back",
        run: handover::there_and_back,
        seeded_only: false,
    },
    Test { name: "copy on write on both cores", run: cow::run, seeded_only: false },
    Test {
        name: "a cache on each core, buffers handed over",
        run: cached::run,
        seeded_only: false,
    },
    Test { name: "random operations", run: mixed::run, seeded_only: false },
    #[cfg(feature = "track")]
    Test { name: "who holds a buffer", run: held::run, seeded_only: false },
    Test { name: "pool used in timer interrupts", run: interrupt::run, seeded_only: false },
    Test {
        name: "progress while the other core is suspended",
        run: progress::lock_free,
        seeded_only: true,
    },
];

#[unsafe(no_mangle)]
fn main() {
    match argument(0) {
        0 => free_running(argument(1)),
        1 => seeded(argument(1), argument(2).max(1)),
        _ => with_lock(),
    }
}

fn free_running(steps: u32) {
    let tests = || TESTS.iter().filter(|test| !test.seeded_only);
    for test in tests() {
        let round = Round { mode: Mode::FreeRunning, seed: 1, steps };
        test.run([round]);
    }
    println!("  {} passed, 0 failed", tests().count());
}

fn seeded(first: u32, seeds: u32) {
    for test in TESTS {
        test.run((first..first + seeds).map(|seed| Round { mode: Mode::Seeded, seed, steps: 60 }));
    }
    // One seed alone may have none of these.
    if seeds > 10 {
        interrupt::check_hits();
        progress::check_suspensions();
    }
    println!("  {} passed, 0 failed", TESTS.len());
}

impl Test {
    /// Runs the rounds and checks the pool after each.
    fn run(&self, rounds: impl IntoIterator<Item = Round>) {
        print!("  {:<44} ", self.name);
        let (ticks, before) = (harness::ticks::count(), pools::begin());
        let mut count = 0;
        for round in rounds {
            report::running(self.name, if round.mode == Mode::Seeded { round.seed } else { 0 });
            (self.run)(round);
            pools::check_lists();
            count += 1;
        }
        pools::check_statistics(before);
        println!("ok, rounds {count}, interrupts {}", harness::ticks::count() - ticks);
    }
}

fn with_lock() {
    let name = "progress, pool behind a spinlock";
    for seed in 1..=100 {
        report::running(name, seed);
        progress::locked(Round { mode: Mode::Seeded, seed, steps: 60 });
    }
    println!("  {name}: not caught");
}
