//! `tierpool`: the raw layer, handles, typed objects; handles of pools with lanes.
//!
//! A pool with lanes has as many slots in all as one without.

use crate::opaque::opaque;
use std::alloc::Layout;

use tierpool::{ObjectPool, Pool, thread_lane};

use super::{Candidate, Kind, LEN, SLOT, SLOTS};

tierpool::pool! { pub static POOL = [256 x SLOTS, 512 x SLOTS, 1024 x SLOTS]; }

// For as many threads as cores: a lane each. With more threads, a lane for each of eight.
tierpool::pool! {
    pub static LANES_2 = [256 x SLOTS, 512 x SLOTS, 1024 x SLOTS], lanes = 2, lane = thread_lane;
    pub static LANES_8 = [256 x SLOTS, 512 x SLOTS, 1024 x SLOTS], lanes = 8, lane = thread_lane;
}

static OBJECTS: ObjectPool<[u8; SLOT], SLOTS> = ObjectPool::new();

pub const RAW_SIZED: &str = "tierpool raw, deallocate_sized";
pub const RAW_CHECKED: &str = "tierpool raw, deallocate";
pub const HANDLES: &str = "tierpool handles";
pub const HANDLES_2_LANES: &str = "tierpool handles, 2 lanes";
pub const HANDLES_8_LANES: &str = "tierpool handles, 8 lanes";
pub const TYPED: &str = "tierpool ObjectPool";

pub fn pairs() -> Vec<Candidate> {
    vec![
        Candidate::new(RAW_SIZED, Kind::Own, |work| work.repeat(raw_sized)),
        Candidate::new(RAW_CHECKED, Kind::Own, |work| work.repeat(raw_checked)),
        Candidate::new(HANDLES, Kind::Own, |work| work.repeat(|| handle(&POOL))),
        Candidate::new(HANDLES_2_LANES, Kind::Own, |work| work.repeat(|| handle(&LANES_2))),
        Candidate::new(HANDLES_8_LANES, Kind::Own, |work| work.repeat(|| handle(&LANES_8))),
        Candidate::new(TYPED, Kind::Own, |work| {
            work.repeat(|| drop(opaque(OBJECTS.alloc_uninit())))
        }),
    ]
}

#[inline(always)]
fn handle(pool: &'static Pool) {
    drop(opaque(pool.alloc(LEN)));
}

const LAYOUT: Layout = Layout::new::<[u8; LEN]>();

#[inline(always)]
fn raw_sized() {
    let slot = opaque(POOL.allocate(LAYOUT).expect("a free slot"));
    // SAFETY: allocated just now with this layout.
    unsafe { POOL.deallocate_sized(slot.cast(), LAYOUT) };
}

#[inline(always)]
fn raw_checked() {
    let slot = opaque(POOL.allocate(LAYOUT).expect("a free slot"));
    // SAFETY: allocated just now.
    unsafe { POOL.deallocate(slot.cast()) }.expect("a slot of the pool");
}
