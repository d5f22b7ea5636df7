//! Copy on write: two cores share a buffer, both write, neither sees the other's bytes.

use crate::buffers::Filled;
use crate::exchange::Exchange;
use crate::pools;
use crate::round::{self, Round};
use core::sync::atomic::{AtomicU32, Ordering::*};
use harness::board;
use tierpool_testkit::Pattern;

static SHARED: Exchange<Filled, 5> = Exchange::new();
static FINISHED: AtomicU32 = AtomicU32::new(0);

pub fn run(round: Round) {
    SHARED.open();
    FINISHED.store(0, Relaxed);
    round.both(job, |_| ());
}

fn job(core: usize) {
    let mut rng = round::rng(core);
    for number in 0..round::steps() {
        if let Some(mine) = Filled::new(&mut rng, round::pattern(core, 2 * number)) {
            let _ = SHARED.send(mine.clone());
            write(mine, round::pattern(core, 2 * number + 1));
        }
        if let Some(theirs) = SHARED.receive() {
            write(theirs, round::pattern(core, 2 * number + 1));
        }
    }
    FINISHED.fetch_add(1, Release); // as in `handover`
    while FINISHED.load(Acquire) < 2 {
        drop(SHARED.receive());
        board::turn();
    }
    while SHARED.receive().is_some() {}
}

/// Writes through one of two sharers, into a copy or, if the other has gone, in place.
fn write(mut shared: Filled, pattern: Pattern) {
    match pools::make_mut(&mut shared.bytes) {
        Some(bytes) => {
            // A copy is as the other sharer left it.
            shared.pattern.check(bytes);
            pattern.fill(bytes);
            pattern.check(&shared.bytes);
            assert!(shared.bytes.is_unique());
        }
        None => shared.check(),
    }
}
