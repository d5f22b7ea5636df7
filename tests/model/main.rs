//! Random sequences of operations on handles and pools against a model of plain vectors.
//!
//! ```text
//!   ops    what can be done; `random`: how random sequences of it are made
//!   side   one pool beside what it must answer: which slots are free, what the heap has out
//!   world  two sides, and all handles beside their contents and the buffers that they share;
//!          the steps: `unique` on a BytesMut, `shared` on a Bytes, `raw` on a raw allocation
//! ```
//!
//! The fuzz target `handles` drives the same model by the bytes of its input.
//!
//! After every step all contents, addresses, headroom, capacities, uniqueness and counts equal the model's; a failed
//! call has changed nothing. At the end all is home.

#[path = "../common/mod.rs"]
mod common;
mod ops;
mod random;
mod raw;
mod shared;
mod side;
mod unique;
mod world;

use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// The heap may be given memory back in an interrupt handler: every last drop does so at once.
    #[test]
    fn handles_and_pools_do_as_the_model_with_a_heap_that_frees_at_once(setup in random::setup(), steps in random::steps()) {
        world::World::<true>::new(&setup).run(&steps);
    }

    /// It may not: last drops are deferred.
    #[test]
    fn handles_and_pools_do_as_the_model_with_a_heap_that_defers_frees(setup in random::setup(), steps in random::steps()) {
        world::World::<false>::new(&setup).run(&steps);
    }
}
