//! What two cores get done on one pool, as a ratio to one core.
//!
//! Both run the same loop, preempted after seeded numbers of instructions, so that one is often
//! stopped inside an operation on which the other then runs into it. Under `-icount` the counter
//! counts the instructions of both cores; two cores that work side by side need half as long. 200 %
//! would be a pool that costs nothing to share. What the interrupts themselves cost is measured on
//! work that shares nothing, and taken off.
//!
//! Pools behind a lock are left out: what their waiting costs would be a matter of when QEMU
//! changes cores.

use crate::{peers, pools};
use core::sync::atomic::{AtomicU32, Ordering::*};
use harness::ticks::{self, Pace, Ticks};
use harness::{board, println};

const PAIRS: u32 = 20_000;
const TICKS: Ticks = Ticks { seed: 1, pace: Pace::Instructions(1000), handler: |_| () };

/// Tens of pairs left to do, for both cores together.
static LEFT: AtomicU32 = AtomicU32::new(0);

/// A way to run a job: on one core or on both.
type Run = fn(fn(usize), Ticks);

pub fn figures() {
    figure("tierpool", |_| work(pools::raw_pair_sized));
    figure("atomic-pool", |_| work(peers::atomic_pair));
}

fn figure(implementation: &str, job: fn(usize)) {
    let (alone, both) = (counts(ticks::run_one, job), counts(ticks::run, job));
    // The same pairs, done by two cores in half of the instructions that both took together.
    println!(
        "figure\ttwo cores, percent of one\t{implementation}\t{}",
        (alone * 200 + both / 2) / both
    );
}

/// What the counter advances while `PAIRS` are done, without what the interrupts cost.
fn counts(run: Run, job: fn(usize)) -> u64 {
    let nothing_shared: fn(usize) = |_| work(|| (0..10).for_each(|n| _ = core::hint::black_box(n)));
    let undisturbed = counts_with_ticks(|job, _| job(0), nothing_shared).0;
    let (disturbed, ticks) = counts_with_ticks(run, nothing_shared);
    let (counts, job_ticks) = counts_with_ticks(run, job);
    counts - (disturbed - undisturbed) * job_ticks / ticks
}

/// What the counter advances while `PAIRS` are done, and the interrupts that came.
fn counts_with_ticks(run: Run, job: fn(usize)) -> (u64, u64) {
    LEFT.store(PAIRS / 10, Relaxed);
    let (start, ticks) = (board::counter(), ticks::count());
    run(job, TICKS);
    (board::counter().wrapping_sub(start).into(), (ticks::count() - ticks).into())
}

/// Takes pairs in tens, so that both cores are busy to the end and taking costs little.
fn work(pair: fn()) {
    while LEFT.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_ok() {
        for _ in 0..10 {
            pair()
        }
    }
}
