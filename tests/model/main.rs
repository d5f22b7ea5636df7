//! Random sequences of operations on handles and pools against a model of plain vectors.
//!
//! The model is in `verify/testkit`; `random` makes the sequences. The fuzz target `handles` drives
//! the same model by the bytes of its input.
//!
//! After every step all contents, addresses, headroom, capacities, uniqueness and counts equal the
//! model's; a failed call has changed nothing. At the end all is home.

mod random;

use proptest::prelude::*;
use tierpool_testkit::model::world::World;

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// The heap may be given memory back in an interrupt handler: every last drop does so at once.
    #[test]
    fn pools_do_as_the_model_when_the_heap_frees(setup in random::setup(), steps in random::steps()) {
        World::<true>::new(&setup).run(&steps);
    }

    /// It may not: last drops are deferred.
    #[test]
    fn pools_do_as_the_model_when_frees_are_deferred(setup in random::setup(), steps in random::steps()) {
        World::<false>::new(&setup).run(&steps);
    }
}
