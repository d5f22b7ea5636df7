//! A cache on each core, and buffers that come home to the other core's.

use crate::buffers;
use crate::exchange::Exchange;
use crate::pools::{self, LARGEST, SMALL};
use crate::round::{self, Round};
use tierpool::{BytesMut, PoolCache};
use tierpool_testkit::{Choices, Pattern};

static FILLED: Exchange<(BytesMut, Pattern), 5> = Exchange::new();

pub fn run(round: Round) {
    FILLED.open();
    round.both(job, |_| ());
    FILLED.empty(drop);
}

fn job(core: usize) {
    let mut rng = round::rng(core);
    let mut cache = PoolCache::<3, 4>::new(&SMALL);
    for number in 0..round::steps() {
        if let Some((buffer, theirs)) = FILLED.receive() {
            theirs.check(&buffer);
            cache.recycle(buffer);
        }
        let pattern = round::pattern(core, number);
        let Some(mut buffer) = pools::count(cache.alloc(1 + rng.below(LARGEST))) else {
            // The slots may all lie in caches: in this one, too, of another tier.
            cache.flush();
            continue;
        };
        buffers::refill(&mut buffer, pattern);
        match rng.below(4) {
            0 => {
                pattern.check(&buffer);
                cache.recycle(buffer);
            }
            1 => drop(buffer),
            // A full queue gives the buffer back: dropped here.
            _ => drop(FILLED.send((buffer, pattern))),
        }
    }
}
