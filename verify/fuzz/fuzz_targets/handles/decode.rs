//! What the bytes of an input mean: as the random cases of `tests/model`, with the same bounds.

use tierpool_testkit::model::ops::{Grow, How, Op, Shape, TIERS};
use tierpool_testkit::{Choices, Program};

pub fn shape(program: &mut Program) -> Shape {
    let flags = program.below(256);
    Shape {
        tiers: TIERS[program.below(TIERS.len())],
        align: if flags & 1 == 0 { 1 } else { 16 },
        spill: flags >> 1 & 1,
        zero_on_free: flags & 4 != 0,
        heap: flags & 8 != 0,
    }
}

/// Mostly what fits a tier, sometimes what fits none, rarely what fits no memory.
fn bytes(program: &mut Program) -> usize {
    match program.below(256) {
        byte @ 0..=199 => byte % 71,
        byte @ 200..=247 => byte - 200 + 71 + 4 * program.below(46),
        byte => usize::MAX - (byte - 248) * 10,
    }
}

fn payer(program: &mut Program) -> Option<usize> {
    match program.below(8) {
        pool @ 0..2 => Some(pool),
        _ => None,
    }
}

fn how(program: &mut Program) -> How {
    match program.below(5) {
        0 => How::Plain,
        1 => How::Pooled,
        2 => How::Headroom(bytes(program)),
        3 => How::Zeroed,
        _ => How::Copied,
    }
}

fn grow(program: &mut Program) -> Grow {
    [Grow::Reserve, Grow::Extend, Grow::Push, Grow::Resize, Grow::ReserveFront, Grow::Prepend]
        [program.below(6)]
}

pub fn op(p: &mut Program) -> Op {
    let kind = p.below(36);
    let at = p.below(16);
    let pool = at % 2;
    match kind {
        0 | 1 => Op::Alloc { pool, how: how(p), bytes: bytes(p) },
        2 => Op::Static { bytes: bytes(p) },
        3 | 4 => Op::Grow { at, how: grow(p), bytes: bytes(p), payer: payer(p) },
        5 => Op::AdvanceMut { at, bytes: bytes(p) },
        6 => Op::TruncateMut { at, len: bytes(p) },
        7 => Op::Reset { at, headroom: bytes(p) },
        8 => Op::WriteMut { at },
        9 | 10 => Op::Freeze { at },
        11 => Op::IntoRaw { at },
        12 => Op::DropMut { at },
        13 => Op::Clone { at },
        14 => Op::Slice { at, from: bytes(p), to: bytes(p) },
        15 => Op::SliceClamped { at, from: bytes(p), len: bytes(p) },
        16 => Op::SliceRef { at, from: bytes(p), to: bytes(p) },
        17 => Op::SplitTo { at, pos: bytes(p) },
        18 => Op::SplitOff { at, pos: bytes(p) },
        19 => Op::Advance { at, bytes: bytes(p) },
        20 => Op::Truncate { at, len: bytes(p) },
        21 => Op::MakeMut { at, payer: payer(p) },
        22 => Op::IntoMut { at, payer: payer(p).map(|pool| (pool, bytes(p))) },
        23 => Op::TryIntoMut { at },
        24 => Op::Compact { at, pool: p.below(2) },
        25 => Op::Drop { at },
        26 => Op::Allocate { pool, bytes: bytes(p) },
        27 => Op::Deallocate { at, sized: p.below(2) == 0 },
        28 => Op::FromRaw { at },
        29 => Op::BadFree { at },
        30 => Op::Reclaim { pool },
        31 => Op::SplitMut { at, pos: bytes(p), front: p.below(2) == 0 },
        32 => Op::SplitAll { at },
        33 | 34 => Op::Unsplit { at, other: p.below(16) },
        _ => Op::HeapServes { pool, calls: Some(p.below(8)).filter(|&calls| calls < 4) },
    }
}
