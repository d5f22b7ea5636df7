//! Four threads on the default geometry under `shuttle`: seeded random and PCT schedules, more
//! operations than loom can explore. Sequentially consistent: it finds errors of logic, and proves
//! no ordering.
//!
//! ```text
//!   each thread   alloc · fill · freeze · clone · slice · make_mut · hand over · take over · drop    24 operations
//!   at the end    every slot has come back, and each buffer held what its owner had written
//! ```

use std::collections::VecDeque;
use std::process::ExitCode;
use std::time::Instant;

use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::sync::{Arc, Mutex};
use shuttle::{Config, Runner, thread};
use tierpool::{Bytes, Pool};
use tierpool_testkit::{Choices, Random};

const SCHEDULES: usize = 6_000;
const SEED: u64 = 0x7469_6572;
const THREADS: u64 = 4;
const OPERATIONS: usize = 24;

pub fn main() -> ExitCode {
    run("random", RandomScheduler::new_from_seed(SEED, SCHEDULES));
    run("PCT, depth 3", PctScheduler::new_from_seed(SEED, 3, SCHEDULES));
    ExitCode::SUCCESS
}

/// A schedule that fails panics, and shuttle prints how to replay it.
fn run(name: &str, scheduler: impl Scheduler + 'static) {
    let start = Instant::now();
    let schedules = Runner::new(scheduler, Config::new()).run(four_threads);
    println!("{name}\t{schedules}\t{:.1}", start.elapsed().as_secs_f64());
    assert_eq!(schedules, SCHEDULES);
}

type Queue = Arc<Mutex<VecDeque<Bytes>>>;

fn four_threads() {
    let config = tierpool::Config::new(&[(256, 16), (512, 16), (1024, 16)]).spill(1);
    let pool = Pool::leak(&config).expect("a valid geometry");
    let queue = Queue::default();
    let threads: Vec<_> = (1..=THREADS)
        .map(|seed| {
            let queue = queue.clone();
            thread::spawn(move || operate(pool, &queue, seed))
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    queue.lock().unwrap().drain(..).for_each(|bytes| check(&bytes));
    assert!(pool.is_idle(), "slots lost or freed twice: {:#}", pool.stats());
    assert!(pool.stats().tiers().iter().all(|tier| tier.exact && tier.in_use == 0));
}

/// All bytes of a buffer are equal: whoever writes, writes all of them.
fn check(bytes: &[u8]) {
    assert!(bytes.iter().all(|byte| *byte == bytes[0]), "two writers in one buffer: {bytes:?}");
}

/// One thread's operations; which they are is settled by the seed, how they interleave by the
/// schedule.
fn operate(pool: &'static Pool, queue: &Queue, seed: u64) {
    let mut random = Random::new(seed);
    let mut held: Vec<Bytes> = Vec::new();
    for step in 0..OPERATIONS {
        let pick = random.below(1 << 16);
        match (random.below(8), held.len()) {
            (0..3, _) | (_, 0) => {
                let Ok(mut buffer) = pool.alloc([40, 300, 700][pick % 3]) else { continue };
                buffer.resize(8, seed as u8).expect("room for 8 bytes");
                held.push(buffer.freeze());
            }
            (3, len) => held.push(held[pick % len].clone()),
            (4, len) => held.push(held[pick % len].slice(..4).expect("4 of 8 bytes")),
            (5, len) => {
                if let Ok(data) = held[pick % len].make_mut() {
                    data.fill(step as u8);
                }
            }
            (6, len) => queue.lock().unwrap().push_back(held.swap_remove(pick % len)),
            (_, len) => {
                check(&held.swap_remove(pick % len));
                held.extend(queue.lock().unwrap().pop_front());
            }
        }
    }
    held.iter().for_each(|bytes| check(bytes));
}
