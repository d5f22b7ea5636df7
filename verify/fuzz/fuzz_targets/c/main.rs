//! The C interface: sequences of its functions on handles whose views are narrowed by hand, against
//! a model.
//!
//! ```text
//!   pools    the pools, made once, and where their slots lie
//!   held     a handle beside what it must hold
//!   worker   what can be done; one worker alone, or two on two threads that send each other handles
//! ```
//!
//! After every step all handles hold the model's bytes, and a call that has failed has changed
//! nothing. A worker alone also knows who shares what, which slots are free, and so whether a call
//! may fail.
#![no_main]

mod held;
mod pools;
mod worker;

use libfuzzer_sys::fuzz_target;
use pools::POOLS;
use std::sync::mpsc::sync_channel;
use std::thread;
use tierpool_testkit::{Choices, Program};
use worker::Worker;

/// Handles on their way to a worker at most.
const INBOX: usize = 4;

fuzz_target!(|data: &[u8]| {
    let mut program = Program(data);
    let first = program.below(POOLS.len());
    let second = (first + 1 + program.below(POOLS.len() - 1)) % POOLS.len();
    let pools = [&POOLS[first], &POOLS[second]];
    if program.below(2) == 0 {
        let mut alone = Worker::new(pools, None);
        alone.run(program);
        alone.release_all();
    } else {
        let halves = program.0.split_at(program.0.len() / 2);
        let ((to_one, one), (to_two, two)) = (sync_channel(INBOX), sync_channel(INBOX));
        let mut one = Worker::new(pools, Some((to_two, one)));
        let mut two = Worker::new(pools, Some((to_one, two)));
        thread::scope(|scope| {
            scope.spawn(|| one.run(Program(halves.0)));
            scope.spawn(|| two.run(Program(halves.1)));
        });
        one.release_all();
        two.release_all();
    }
    pools.iter().for_each(|pool| assert_eq!(pool.in_use(), 0, "not all slots have come home"));
});
