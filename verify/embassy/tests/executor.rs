//! Tasks of two embassy executors, each on a thread of its own, wait for the buffers of one small
//! pool.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use embassy_executor::Executor;
use embassy_futures::yield_now;

const TASKS: usize = 4;
const ROUNDS: usize = 2_000;

tierpool::pool! { static POOL = [64 x 2], waiters = 2 * TASKS; }

/// Tasks that have had all their buffers, of both executors.
static DONE: AtomicUsize = AtomicUsize::new(0);

/// Holds each buffer while the others run.
#[embassy_executor::task(pool_size = 2 * TASKS)]
async fn fill(number: u8) {
    for _ in 0..ROUNDS {
        let mut buffer = POOL.alloc_wait(64).await.expect("a place for each task");
        buffer.resize(64, number).expect("64 bytes");
        yield_now().await;
        assert!(buffer.iter().all(|byte| *byte == number), "two tasks in one buffer");
    }
    DONE.fetch_add(1, Relaxed);
}

/// Looks again and again whether all is done, so that its executor does.
#[embassy_executor::task(pool_size = 2)]
async fn tick() {
    loop {
        embassy_time::Timer::after_millis(1).await;
    }
}

#[test]
fn tasks_of_two_executors_wait_for_two_slots() {
    const LATE: Duration = Duration::from_secs(60);
    let start = Instant::now();
    let run = |first: usize| {
        let executor = Box::leak(Box::new(Executor::new()));
        executor.run_until(
            |spawner| {
                (first..first + TASKS).for_each(|number| {
                    spawner.spawn(fill(number as u8).expect("a task of its own"))
                });
                spawner.spawn(tick().expect("a task of its own"));
            },
            || {
                assert!(
                    start.elapsed() < LATE,
                    "some tasks sleep on: {} of {} are done",
                    DONE.load(Relaxed),
                    2 * TASKS
                );
                DONE.load(Relaxed) == 2 * TASKS
            },
        );
    };
    thread::scope(|scope| {
        scope.spawn(|| run(0));
        scope.spawn(|| run(TASKS));
    });
    assert!(POOL.is_idle());
    let stats = POOL.stats();
    assert!(
        stats.hits() as usize == 2 * TASKS * ROUNDS
            && stats.requests() == stats.hits()
            && stats.tiers()[0].missed > 0,
        "all have been served, and some had to wait: {stats}"
    );
}
