//! `tierpool` behind a cache that each thread owns.

use crate::opaque::opaque;

use tierpool::PoolCache;

use super::own::POOL;
use super::{Candidate, Kind, LEN};

pub const CACHED: &str = "tierpool PoolCache";

/// Slots that a thread's cache holds of each tier, at most.
pub const CACHE: usize = 8;

pub fn pairs() -> Vec<Candidate> {
    vec![Candidate::new(CACHED, Kind::Own, |work| {
        let mut cache = PoolCache::<CACHE, 4>::new(&POOL);
        work.repeat(|| {
            let buffer = opaque(cache.alloc(LEN).expect("a free slot"));
            cache.recycle(buffer);
        })
    })]
}
