//! Handles that go from core to core through queues.

use crate::buffers::{self, Filled};
use crate::pattern::Key;
use crate::round::{self, Round};
use core::sync::atomic::{AtomicU32, Ordering::*};
use harness::board;
use ring::Ring;
use tierpool::BytesMut;

/// Ring `core` is the one that `core` pushes into.
static CLONES: [Ring<Filled, 4>; 2] = [const { Ring::new() }; 2];
static UNIQUE: [Ring<(BytesMut, Key), 4>; 2] = [const { Ring::new() }; 2];
/// Cores that push no more.
static FINISHED: AtomicU32 = AtomicU32::new(0);

/// Clones made here are dropped there, in any order with the original's drop.
pub fn clone_and_drop(round: Round) {
    round_of(round, |core| {
        let mut rng = round::rng(core);
        for number in 0..round::steps() {
            if let Some(original) = Filled::new(&mut rng, Key::new(core, number)) {
                for _ in 0..1 + rng.below(3) {
                    // A full ring gives the clone back: dropped here.
                    let _ = CLONES[core].push(original.clone());
                }
                original.check();
            }
            if rng.below(2) == 0
                && let Some(theirs) = CLONES[1 - core].pop()
            {
                theirs.check();
            }
        }
        until_both_finished(|| {
            if let Some(theirs) = CLONES[1 - core].pop() {
                theirs.check();
            }
        });
    });
}

/// Unique buffers are filled here, checked and refilled there, and come back to be checked again.
pub fn there_and_back(round: Round) {
    round_of(round, |core| {
        let mut rng = round::rng(core);
        let mut number = 0;
        for _ in 0..round::steps() {
            number += 1;
            let key = Key::new(core, number);
            let next = if rng.below(2) == 0 { buffers::filled(&mut rng, key) } else { received(core, key) };
            if let Some(buffer) = next {
                let _ = UNIQUE[core].push((buffer, key));
            }
        }
        until_both_finished(|| drop(received(core, Key::new(core, 0))));
    });
}

/// The next buffer from the other core, checked and filled anew.
fn received(core: usize, key: Key) -> Option<BytesMut> {
    let (mut buffer, theirs) = UNIQUE[1 - core].pop()?;
    theirs.check(&buffer, 0);
    buffers::refill(&mut buffer, key);
    Some(buffer)
}

fn round_of(round: Round, job: fn(usize)) {
    FINISHED.store(0, Relaxed);
    round.both(job, |_| ());
}

/// Goes on receiving until the other core pushes no more, then empties the ring.
fn until_both_finished(receive: impl Fn()) {
    // Release: what was pushed is seen by who sees this core finished; Acquire below pairs with it.
    FINISHED.fetch_add(1, Release);
    while FINISHED.load(Acquire) < 2 {
        receive();
        board::turn();
    }
    for _ in 0..8 {
        receive();
    }
}
