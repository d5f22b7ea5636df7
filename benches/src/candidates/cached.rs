//! `tierpool` behind a cache that each thread owns.

use crate::opaque::opaque;
use crate::team::{Done, Work};

use tierpool::{Pool, PoolCache};

use super::own::{LANES_2, POOL};
use super::{Candidate, Kind, LEN};

pub const CACHED: &str = "tierpool PoolCache";
pub const CACHED_2_LANES: &str = "tierpool PoolCache, 2 lanes";

/// Slots that a thread's cache holds of each tier, at most.
pub const CACHE: usize = 8;

pub fn pairs() -> Vec<Candidate> {
    vec![
        Candidate::new(CACHED, Kind::Own, |work| pair(work, &POOL)),
        Candidate::new(CACHED_2_LANES, Kind::Own, |work| pair(work, &LANES_2)),
    ]
}

// Into its callers, where the pool is a constant.
#[inline(always)]
fn pair(work: &Work<'_>, pool: &'static Pool) -> Done {
    let mut cache = PoolCache::<CACHE, 4>::new(pool);
    work.repeat(|| {
        let buffer = opaque(cache.alloc(LEN).expect("a free slot"));
        cache.recycle(buffer);
    })
}
