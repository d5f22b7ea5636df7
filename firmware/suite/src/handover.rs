//! Handles that go from core to core through queues.

use crate::buffers::{self, Filled};
use crate::exchange::Exchange;
use crate::round::{self, Round};
use core::sync::atomic::{AtomicU32, Ordering::*};
use harness::board;
use tierpool::BytesMut;
use tierpool_testkit::{Choices, Pattern};

static CLONES: Exchange<Filled, 5> = Exchange::new();
static UNIQUE: Exchange<(BytesMut, Pattern), 5> = Exchange::new();
/// Cores that push no more.
static FINISHED: AtomicU32 = AtomicU32::new(0);

/// Clones made here are dropped there, in any order with the original's drop.
pub fn clone_and_drop(round: Round) {
    CLONES.open();
    round_of(round, |core| {
        let mut rng = round::rng(core);
        for number in 0..round::steps() {
            if let Some(original) = Filled::new(&mut rng, round::pattern(core, number)) {
                for _ in 0..1 + rng.below(3) {
                    // A full queue gives the clone back: dropped here.
                    let _ = CLONES.send(original.clone());
                }
                original.check();
            }
            if rng.below(2) == 0
                && let Some(theirs) = CLONES.receive()
            {
                theirs.check();
            }
        }
        until_both_finished(|| {
            if let Some(theirs) = CLONES.receive() {
                theirs.check();
            }
        });
    });
}

/// Unique buffers are filled here, checked and refilled there, and come back to be checked again.
pub fn there_and_back(round: Round) {
    UNIQUE.open();
    round_of(round, |core| {
        let mut rng = round::rng(core);
        let mut number = 0;
        for _ in 0..round::steps() {
            number += 1;
            let pattern = round::pattern(core, number);
            let next = if rng.below(2) == 0 {
                buffers::filled(&mut rng, pattern)
            } else {
                received(pattern)
            };
            if let Some(buffer) = next {
                let _ = UNIQUE.send((buffer, pattern));
            }
        }
        until_both_finished(|| drop(received(round::pattern(core, 0))));
    });
}

/// The next buffer from the other core, checked and filled anew.
fn received(pattern: Pattern) -> Option<BytesMut> {
    let (mut buffer, theirs) = UNIQUE.receive()?;
    theirs.check(&buffer);
    buffers::refill(&mut buffer, pattern);
    Some(buffer)
}

fn round_of(round: Round, job: fn(usize)) {
    FINISHED.store(0, Relaxed);
    round.both(job, |_| ());
}

/// Goes on receiving until the other core pushes no more, then empties the queue.
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
