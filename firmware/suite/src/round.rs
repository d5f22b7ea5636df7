//! One run of a test: what both cores need to know, and what is counted.

use core::sync::atomic::{AtomicU32, Ordering::*};
use harness::ticks::{self, Pace, Ticks};
use tierpool_testkit::{Pattern, Random};

/// How the two cores run.
#[derive(Clone, Copy, PartialEq)]
pub enum Mode {
    /// At the same time, on two host threads.
    FreeRunning,
    /// In turns that end at seeded instructions.
    Seeded,
}

/// One run of a test.
#[derive(Clone, Copy)]
pub struct Round {
    pub mode: Mode,
    pub seed: u32,
    /// Steps that each core takes.
    pub steps: u32,
}

static SEED: AtomicU32 = AtomicU32::new(0);
static STEPS: AtomicU32 = AtomicU32::new(0);

impl Round {
    /// Runs `job` on both cores; `handler` runs in timer interrupts.
    pub fn both(self, job: fn(usize), handler: fn(usize)) {
        SEED.store(self.seed, Relaxed);
        STEPS.store(self.steps, Relaxed);
        let pace = match self.mode {
            Mode::FreeRunning => Pace::Micros(200),
            Mode::Seeded => Pace::Instructions(1000),
        };
        ticks::run(job, Ticks { seed: self.seed, pace, handler });
    }
}

/// The steps of the running round.
pub fn steps() -> u32 {
    STEPS.load(Relaxed)
}

/// This core's random numbers for the running round.
pub fn rng(core: usize) -> Random {
    Random::new(u64::from(SEED.load(Relaxed)) << 8 | 16 + core as u64)
}

/// What fills a core's buffer of this number, and no other buffer.
pub fn pattern(core: usize, number: u32) -> Pattern {
    Pattern::new((number << 1 | core as u32).into())
}
