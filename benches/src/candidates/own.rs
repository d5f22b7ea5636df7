//! `tierpool`: the raw layer, handles, typed objects.

use crate::opaque::opaque;
use std::alloc::Layout;
use std::mem::MaybeUninit;

use tierpool::ObjectPool;

use super::{Candidate, Kind, LEN, SLOT, SLOTS};

tierpool::pool! { pub static POOL = [256 x SLOTS, 512 x SLOTS, 1024 x SLOTS]; }

static OBJECTS: ObjectPool<MaybeUninit<[u8; SLOT]>, SLOTS> = ObjectPool::new();

pub const RAW_SIZED: &str = "tierpool raw, deallocate_sized";
pub const RAW_CHECKED: &str = "tierpool raw, deallocate";
pub const HANDLES: &str = "tierpool handles";
pub const TYPED: &str = "tierpool ObjectPool";

pub fn pairs() -> Vec<Candidate> {
    vec![
        Candidate::new(RAW_SIZED, Kind::Own, |work| work.repeat(raw_sized)),
        Candidate::new(RAW_CHECKED, Kind::Own, |work| work.repeat(raw_checked)),
        Candidate::new(HANDLES, Kind::Own, |work| work.repeat(|| drop(opaque(POOL.alloc(LEN))))),
        Candidate::new(TYPED, Kind::Own, |work| {
            work.repeat(|| drop(opaque(OBJECTS.alloc(MaybeUninit::uninit()))))
        }),
    ]
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
