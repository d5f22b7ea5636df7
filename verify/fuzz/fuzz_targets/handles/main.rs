//! Sequences of operations on handles and pools, against the model of `tests/model`.
#![no_main]

#[path = "../../../../tests/common/mod.rs"]
mod common;
mod decode;
#[path = "../../../../tests/model/ops.rs"]
mod ops;
#[path = "../../../../tests/model/raw.rs"]
mod raw;
#[path = "../../../../tests/model/shared.rs"]
mod shared;
#[path = "../../../../tests/model/side.rs"]
mod side;
#[path = "../../../../tests/model/unique.rs"]
mod unique;
#[path = "../../../../tests/model/world.rs"]
mod world;

use libfuzzer_sys::fuzz_target;
use ops::Op;
use tierpool_soak::choices::{Choices, Program};
use world::World;

/// The longest sequence: what it takes for counts to grow, no more, so that inputs stay small.
const STEPS: usize = 200;

fuzz_target!(|data: &[u8]| {
    let program = &mut Program(data);
    let frees_now = program.below(2) == 0;
    let setup = [decode::shape(program), decode::shape(program)];
    let mut ops = Vec::new();
    while !program.0.is_empty() && ops.len() < STEPS {
        ops.push(decode::op(program));
    }
    if frees_now { run::<true>(&setup, &ops) } else { run::<false>(&setup, &ops) }
});

fn run<const FREE_NOW: bool>(setup: &[ops::Shape; 2], ops: &[Op]) {
    let world = World::<FREE_NOW>::new(setup);
    // With TIERPOOL_PLANT, a mistake on purpose, to see that it is found.
    if std::env::var_os("TIERPOOL_PLANT").is_some() && ops.iter().any(|op| matches!(op, Op::Compact { .. })) {
        std::mem::forget(world.sides[0].pool.alloc(1));
    }
    world.run(ops);
}
