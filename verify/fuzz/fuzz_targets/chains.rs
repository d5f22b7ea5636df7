//! Sequences of operations on chains, against the model of `verify/testkit`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tierpool_testkit::model::chains::{Op, World};
use tierpool_testkit::{Choices, Mistake, Program, planted};

/// The longest sequence.
const STEPS: usize = 120;

fuzz_target!(|data: &[u8]| {
    let program = &mut Program(data);
    let mut world = World::new();
    for _ in 0..STEPS {
        if program.0.is_empty() {
            break;
        }
        let op = op(program);
        world.step(&op);
        world.check();
        // With TIERPOOL_PLANT, a mistake on purpose, to see that it is found.
        if planted(&[Mistake::Slot]).is_some() && matches!(op, Op::Linearize(_)) {
            std::mem::forget(world.pool.alloc(1));
        }
    }
    world.finish();
});

/// Mostly a part or two, sometimes more than a chain, rarely what fits no memory.
fn bytes(program: &mut Program) -> usize {
    match program.below(256) {
        byte @ 0..=179 => byte % 40,
        byte @ 180..=247 => 40 + (byte - 180) * 2,
        byte => usize::MAX - (byte - 248),
    }
}

fn op(p: &mut Program) -> Op {
    let (kind, at) = (p.below(32), p.below(8));
    match kind {
        0..4 => Op::Alloc(bytes(p)),
        4..9 => Op::Extend(at, bytes(p)),
        9..12 => Op::Freeze(at),
        12..16 => Op::Push { at, part: p.below(8), front: p.below(2) == 0 },
        16 | 17 => Op::Pop(at),
        18 | 19 => Op::Advance(at, bytes(p)),
        20 => Op::Truncate(at, bytes(p)),
        21 => Op::Fill { at, part: p.below(8), bytes: bytes(p) },
        22 | 23 => Op::SplitTo(at, bytes(p)),
        24 | 25 => Op::Slice(at, bytes(p), bytes(p)),
        26 => Op::Read(at, bytes(p)),
        27 | 28 => Op::Linearize(at),
        29 => Op::Clone(at),
        30 => Op::Drop(at),
        _ => Op::DropMut(at),
    }
}
