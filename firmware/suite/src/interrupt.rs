//! The pool used from a timer interrupt handler on both cores, while the interrupted code uses it
//! too.

use crate::pools::{self, LARGEST, SMALL};
use crate::round::{self, Round};
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering::*};
use tierpool_testkit::Choices;

/// Whether the code that an interrupt may stop is inside a pool operation, for each core.
static INSIDE: [AtomicBool; 2] = [const { AtomicBool::new(false) }; 2];
/// Interrupts that used the pool, and those of them that came inside a pool operation.
static USED: AtomicU32 = AtomicU32::new(0);
static HITS: AtomicU32 = AtomicU32::new(0);

pub fn run(round: Round) {
    round.both(job, handler);
}

/// The test means nothing unless interrupts came inside operations.
pub fn check_hits() {
    let (used, hits) = (USED.load(Relaxed), HITS.load(Relaxed));
    assert!(hits > 100, "only {hits} of {used} interrupts came inside a pool operation");
    harness::println!("  {hits} of {used} interrupts used the pool inside a pool operation");
}

fn inside<T>(core: usize, operation: impl FnOnce() -> T) -> T {
    // Release and Acquire only keep the compiler from moving the operation: the handler runs on the
    // same core.
    INSIDE[core].store(true, Release);
    let result = operation();
    INSIDE[core].store(false, Release);
    result
}

fn job(core: usize) {
    let mut rng = round::rng(core);
    for number in 0..round::steps() {
        let size = 1 + rng.below(LARGEST);
        let pattern = round::pattern(core, 2 * number);
        let Some(mut buffer) = pools::count(inside(core, || SMALL.alloc(size))) else { continue };
        super::buffers::refill(&mut buffer, pattern);
        let bytes = inside(core, || buffer.freeze());
        let clone = inside(core, || bytes.clone());
        pattern.check(&clone);
        inside(core, || drop(bytes));
        pattern.check(&clone);
        inside(core, || drop(clone));
    }
}

/// Allocates, shares and drops; what it gets is its own until it returns.
fn handler(core: usize) {
    let number = USED.fetch_add(1, Relaxed);
    if INSIDE[core].load(Acquire) {
        HITS.fetch_add(1, Relaxed);
    }
    let pattern = round::pattern(core, 2 * number + 1);
    let Some(mut buffer) = pools::count(SMALL.alloc_pooled(40)) else { return };
    super::buffers::refill(&mut buffer, pattern);
    let bytes = buffer.freeze();
    let clone = bytes.clone();
    drop(bytes);
    pattern.check(&clone);
}
