//! Two threads driven by one input: a worker of the soak for each half of it. They send each other
//! buffers through bounded queues. At the end of both programs, with all still held, nothing may be
//! lost; and nothing at the end of all.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::mpsc::sync_channel;
use std::thread;
use tierpool_soak::audit;
use tierpool_soak::drive::{MISTAKES, check_woken};
use tierpool_soak::pools::mend_heaps;
use tierpool_soak::worker::Worker;
use tierpool_testkit::{Program, planted};

/// Messages that wait for a worker at most.
const INBOX: usize = 8;

fuzz_target!(|data: &[u8]| {
    let halves = data.split_at(data.len() / 2);
    let (to_first, first) = sync_channel(INBOX);
    let (to_second, second) = sync_channel(INBOX);
    // With TIERPOOL_PLANT, a mistake on purpose, to see that it is found.
    let plant = planted(MISTAKES);
    let mut first = Worker::new(vec![to_second], first, plant);
    let mut second = Worker::new(vec![to_first], second, None);
    thread::scope(|scope| {
        scope.spawn(|| run(&mut first, halves.0));
        scope.spawn(|| run(&mut second, halves.1));
    });
    if let Err(error) = audit::audit(&[first.holdings(), second.holdings()]) {
        panic!("with all still held: {error:#}");
    }
    let waits = [first.finish(), second.finish()];
    mend_heaps();
    if let Err(error) = audit::all_home() {
        panic!("at the end: {error:#}");
    }
    waits.iter().for_each(check_woken);
});

fn run(worker: &mut Worker, program: &[u8]) {
    let mut program = Program(program);
    while !program.0.is_empty() {
        worker.step(&mut program);
    }
}
