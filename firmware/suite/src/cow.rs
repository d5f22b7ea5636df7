//! Copy on write: two cores share a buffer, both write, neither sees the other's bytes.

use crate::buffers::Filled;
use crate::pattern::Key;
use crate::pools;
use crate::round::{self, Round};
use core::sync::atomic::{AtomicU32, Ordering::*};
use harness::board;
use ring::Ring;

static SHARED: [Ring<Filled, 4>; 2] = [const { Ring::new() }; 2];
static FINISHED: AtomicU32 = AtomicU32::new(0);

pub fn run(round: Round) {
    FINISHED.store(0, Relaxed);
    round.both(job, |_| ());
}

fn job(core: usize) {
    let mut rng = round::rng(core);
    for number in 0..round::steps() {
        if let Some(mine) = Filled::new(&mut rng, Key::new(core, 2 * number)) {
            let _ = SHARED[core].push(mine.clone());
            write(mine, Key::new(core, 2 * number + 1));
        }
        if let Some(theirs) = SHARED[1 - core].pop() {
            write(theirs, Key::new(core, 2 * number + 1));
        }
    }
    FINISHED.fetch_add(1, Release); // as in `handover`
    while FINISHED.load(Acquire) < 2 {
        drop(SHARED[1 - core].pop());
        board::turn();
    }
    while SHARED[1 - core].pop().is_some() {}
}

/// Writes through one of two sharers, into a copy or, if the other has gone, in place.
fn write(mut shared: Filled, key: Key) {
    match pools::make_mut(&mut shared.bytes) {
        Some(bytes) => {
            // A copy is as the other sharer left it.
            shared.key.check(bytes, 0);
            key.fill(bytes);
            key.check(&shared.bytes, 0);
            assert!(shared.bytes.is_unique());
        }
        None => shared.check(),
    }
}
