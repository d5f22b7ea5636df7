//! Sequences of operations on handles and pools, against the model of `verify/testkit`.
#![no_main]

mod decode;

use libfuzzer_sys::fuzz_target;
use tierpool_testkit::model::ops::{Op, Shape};
use tierpool_testkit::model::world::World;
use tierpool_testkit::{Choices, Mistake, Program, planted};

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

fn run<const FREE_NOW: bool>(setup: &[Shape; 2], ops: &[Op]) {
    let world = World::<FREE_NOW>::new(setup);
    // With TIERPOOL_PLANT, a mistake on purpose, to see that it is found.
    if planted(&[Mistake::Slot]).is_some() && ops.iter().any(|op| matches!(op, Op::Compact { .. }))
    {
        std::mem::forget(world.pool(0).alloc(1));
    }
    world.run(ops);
}
