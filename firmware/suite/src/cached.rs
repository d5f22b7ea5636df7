//! A cache on each core, and buffers that come home to the other core's.

use crate::buffers;
use crate::pattern::Key;
use crate::pools::{self, LARGEST, SMALL};
use crate::round::{self, Round};
use ring::Ring;
use tierpool::{BytesMut, PoolCache};

/// Ring `core` is the one that `core` pushes into.
static FILLED: [Ring<(BytesMut, Key), 4>; 2] = [const { Ring::new() }; 2];

pub fn run(round: Round) {
    round.both(job, |_| ());
    for ring in &FILLED {
        while ring.pop().is_some() {}
    }
}

fn job(core: usize) {
    let mut rng = round::rng(core);
    let mut cache = PoolCache::<3, 4>::new(&SMALL);
    for number in 0..round::steps() {
        if let Some((buffer, theirs)) = FILLED[1 - core].pop() {
            theirs.check(&buffer, 0);
            cache.recycle(buffer);
        }
        let key = Key::new(core, number);
        let Some(mut buffer) = pools::count(cache.alloc(1 + rng.below(LARGEST) as usize)) else {
            // The slots may all lie in caches: in this one, too, of another tier.
            cache.flush();
            continue;
        };
        buffers::refill(&mut buffer, key);
        match rng.below(4) {
            0 => {
                key.check(&buffer, 0);
                cache.recycle(buffer);
            }
            1 => drop(buffer),
            // A full ring gives the buffer back: dropped here.
            _ => drop(FILLED[core].push((buffer, key))),
        }
    }
}
