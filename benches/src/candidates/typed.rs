//! `heapless` and `atomic-pool`: pools of values of one type. A value here is uninitialised memory,
//! so that none of them copies anything on the way in.

use crate::opaque::opaque;
use std::cell::UnsafeCell;
use std::mem::MaybeUninit;

use heapless::pool::arc::ArcBlock;
use heapless::pool::boxed::BoxBlock;

use super::{Candidate, Kind, SLOT, SLOTS};

pub const HEAPLESS_BOX: &str = "heapless box_pool!";
pub const HEAPLESS_ARC: &str = "heapless arc_pool!";
pub const ATOMIC_POOL: &str = "atomic-pool";

/// A value of `heapless`'s `Arc`, which gives out no `&mut`: whoever holds the only one writes
/// through the cell.
pub struct Block(pub UnsafeCell<MaybeUninit<[u8; SLOT]>>);

// SAFETY: this program writes to a block only while it holds the only handle on it.
unsafe impl Sync for Block {}

impl Block {
    pub const fn uninit() -> Block {
        Block(UnsafeCell::new(MaybeUninit::uninit()))
    }
}

heapless::box_pool!(BOXES: MaybeUninit<[u8; SLOT]>);
heapless::arc_pool!(ARCS: Block);

#[allow(clippy::manual_div_ceil)] // the macro's
mod atomic {
    use super::{MaybeUninit, SLOT, SLOTS};

    atomic_pool::pool!(pub ATOMIC: [MaybeUninit<[u8; SLOT]>; SLOTS]);
}

/// Gives `heapless`'s pools their memory, once.
pub fn fill() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        for _ in 0..SLOTS {
            BOXES.manage(Box::leak(Box::new(BoxBlock::new())));
            ARCS.manage(Box::leak(Box::new(ArcBlock::new())));
        }
    });
}

pub fn pairs() -> Vec<Candidate> {
    fill();
    let kind = Kind::TypedOrCounted;
    vec![
        Candidate::new(HEAPLESS_BOX, kind, |work| {
            work.repeat(|| drop(opaque(BOXES.alloc(MaybeUninit::uninit()))))
        }),
        Candidate::new(HEAPLESS_ARC, kind, |work| {
            work.repeat(|| drop(opaque(ARCS.alloc(Block::uninit()))))
        }),
        Candidate::new(ATOMIC_POOL, kind, |work| {
            work.repeat(|| {
                drop(opaque(atomic_pool::Box::<atomic::ATOMIC>::new(MaybeUninit::uninit())))
            })
        }),
    ]
}
