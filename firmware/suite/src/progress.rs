//! A core suspended inside an operation must not keep the other from its own.
//!
//! Core 0 is stopped at a seeded instruction of an operation and stays in the timer handler, as a
//! task does that an operating system suspends, until core 1 has done some operations. Behind a
//! lock that core 0 holds, core 1 never gets there.

use crate::lock::LockPool;
use crate::pools::{self, SMALL};
use crate::round::{self, Round};
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering::*};
use harness::board;

/// Operations that core 1 must complete, in so many of its turns.
const OPERATIONS: u32 = 5;
const TURNS: u32 = 400;

static INSIDE: AtomicBool = AtomicBool::new(false);
static FINISHED: AtomicBool = AtomicBool::new(false);
/// Operations that core 1 has completed.
static COMPLETED: AtomicU32 = AtomicU32::new(0);
static SUSPENSIONS: AtomicU32 = AtomicU32::new(0);

static LOCKED: LockPool = LockPool::new();

pub fn lock_free(round: Round) {
    FINISHED.store(false, Relaxed);
    round.both(|core| job(core, || drop(pools::count(SMALL.alloc(1)))), suspend);
}

pub fn locked(round: Round) {
    FINISHED.store(false, Relaxed);
    round.both(
        |core| {
            job(core, || {
                if let Some(slot) = LOCKED.take() {
                    LOCKED.give(slot)
                }
            })
        },
        suspend,
    );
}

/// The test means nothing unless core 0 was suspended inside operations.
pub fn check_suspensions() {
    let count = SUSPENSIONS.load(Relaxed);
    assert!(count > 100, "core 0 was suspended inside an operation {count} times only");
    harness::println!(
        "  {count} suspensions inside an operation, each time the other core went on"
    );
}

fn job(core: usize, operation: fn()) {
    if core == 0 {
        for _ in 0..round::steps() {
            INSIDE.store(true, Release); // only the handler on this core reads it
            operation();
            INSIDE.store(false, Release);
        }
        FINISHED.store(true, Release);
    } else {
        while !FINISHED.load(Acquire) {
            operation();
            COMPLETED.fetch_add(1, Relaxed);
        }
    }
}

/// The handler: on core 0, inside an operation, waits for core 1.
fn suspend(core: usize) {
    if core != 0 || !INSIDE.load(Acquire) || !harness::both::running() {
        return;
    }
    SUSPENSIONS.fetch_add(1, Relaxed);
    let start = COMPLETED.load(Relaxed);
    for _ in 0..TURNS {
        if COMPLETED.load(Relaxed).wrapping_sub(start) >= OPERATIONS {
            return;
        }
        board::turn();
    }
    panic!(
        "no progress: {TURNS} turns of the other core while this one is suspended inside an operation"
    );
}
