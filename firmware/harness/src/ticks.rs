//! Timer interrupts at seeded moments on both cores.
//!
//! Under `-icount` a tick comes after an exact number of instructions, ends the core's turn and
//! lets the other run: one seed is one reproducible interleaving, at instruction granularity.
//! Free-running, ticks come at intervals of real time.

use crate::{board, both};
use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicU32, Ordering::*};
use tierpool_testkit::Random;

/// When ticks come, and what the handler does beyond giving the other core a turn.
#[derive(Clone, Copy)]
pub struct Ticks {
    /// Decides every interval.
    pub seed: u32,
    /// The longest interval.
    pub pace: Pace,
    /// Runs in interrupt context; its argument is the core.
    pub handler: fn(usize),
}

/// The longest interval between two ticks.
#[derive(Clone, Copy)]
pub enum Pace {
    /// In instructions, under `-icount`.
    Instructions(u32),
    /// In microseconds, free-running.
    Micros(u32),
}

/// State that one core alone touches: its own part of an array of two.
struct PerCore<T>([UnsafeCell<T>; 2]);
// SAFETY: element `core` is touched on that core only, and there in its own timer handler, or while
// its timer is off.
unsafe impl<T> Sync for PerCore<T> {}

static STATE: PerCore<Option<(Ticks, Random)>> = PerCore([const { UnsafeCell::new(None) }; 2]);
static COUNT: AtomicU32 = AtomicU32::new(0);
/// What both cores are to run, between `run` and `with_ticks`: written before the job starts, read
/// inside it.
struct Shared(UnsafeCell<Option<(fn(usize), Ticks)>>);
// SAFETY: written by core 0 while core 1 is idle; `both::run` orders that before both reads.
unsafe impl Sync for Shared {}
static NEXT: Shared = Shared(UnsafeCell::new(None));

/// Runs `job` on both cores, each interrupted by ticks until its part ends.
pub fn run(job: fn(usize), ticks: Ticks) {
    // SAFETY: core 1 is idle (see `Shared`).
    unsafe { *NEXT.0.get() = Some((job, ticks)) };
    both::run(with_ticks)
}

/// Runs `job(0)` on this core alone, interrupted by ticks.
pub fn run_one(job: fn(usize), ticks: Ticks) {
    // SAFETY: as in `run`.
    unsafe { *NEXT.0.get() = Some((job, ticks)) };
    with_ticks(0)
}

/// Ticks on both cores since the start.
pub fn count() -> u32 {
    COUNT.load(Relaxed)
}

fn with_ticks(core: usize) {
    // SAFETY: written before this job started (see `Shared`).
    let Some((job, ticks)) = (unsafe { *NEXT.0.get() }) else { return };
    // SAFETY: this core's own element, its timer is off.
    unsafe {
        *STATE.0[core].get() = Some((ticks, Random::new(u64::from(ticks.seed) << 8 | core as u64)))
    };
    arm(core);
    board::interrupts_on();
    job(core);
    board::interrupts_off();
    board::timer_off();
}

/// Sets the next tick of this core.
fn arm(core: usize) {
    // SAFETY: this core's own element; the caller is its handler, or its timer is off.
    let Some((ticks, rng)) = (unsafe { &mut *STATE.0[core].get() }) else { return };
    match ticks.pace {
        // Half of the intervals are about as long as one pool operation, so that one operation is
        // often hit twice.
        Pace::Instructions(longest) => {
            let bound = if rng.bool() { 64.min(longest) } else { longest };
            board::timer_after_instructions(rng.u32(bound));
        }
        Pace::Micros(longest) => board::timer_after_us(1 + rng.u32(longest)),
    }
}

#[unsafe(no_mangle)]
extern "C" fn board_timer() {
    let core = board::core();
    COUNT.fetch_add(1, Relaxed);
    board::turn();
    // SAFETY: as in `arm`.
    if let Some((ticks, _)) = unsafe { &*STATE.0[core].get() } {
        (ticks.handler)(core)
    }
    arm(core); // last, so that the interrupted code gets on however long the handler took
}
