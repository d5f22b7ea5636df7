//! Waiting for a buffer, on threads and by hand: nobody sleeps on, whoever is dropped, and places
//! come back.

#![cfg(feature = "wait")]

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};
use tierpool::{AllocError, AllocWait, Pool, WaitError};
use tierpool_testkit::{Heap, Task, block_on};

fn waiting_for(pool: &'static Pool, capacity: usize) -> Task<AllocWait> {
    Task::new(pool.alloc_wait(capacity))
}

#[test]
fn no_wait_where_none_is_needed_or_none_helps() {
    tierpool::pool! { static POOL = [64 x 1], waiters = 1; }
    tierpool::pool! { static NO_PLACE = [64 x 1]; }
    let Poll::Ready(Ok(held)) = waiting_for(&POOL, 64).poll() else { panic!("a slot is free") };
    assert_eq!(held.capacity(), 64);
    assert!(matches!(waiting_for(&POOL, 65).poll(), Poll::Ready(Err(WaitError::Oversized))));
    let _held = NO_PLACE.alloc(1).unwrap();
    assert!(matches!(
        waiting_for(&NO_PLACE, 1).poll(),
        Poll::Ready(Err(WaitError::TooManyWaiters))
    ));
}

#[test]
fn as_many_wait_as_there_are_places() {
    tierpool::pool! { static POOL = [64 x 1], waiters = 2; }
    let held = POOL.alloc(1).unwrap();
    let mut tasks = [(); 3].map(|()| waiting_for(&POOL, 1));
    assert!(tasks[0].poll().is_pending() && tasks[1].poll().is_pending());
    assert!(matches!(tasks[2].poll(), Poll::Ready(Err(WaitError::TooManyWaiters))));
    let [first, mut second, mut third] = tasks;
    drop(first);
    assert!(third.poll().is_pending(), "a dropped waiter leaves its place");
    drop(held);
    let Poll::Ready(Ok(held)) = second.poll() else { panic!("the slot is free") };
    assert!(waiting_for(&POOL, 1).poll().is_pending(), "and so does one that has its buffer");
    drop((held, third));
}

#[test]
fn a_free_wakes_all_once_and_losers_wait_on() {
    tierpool::pool! { static POOL = [64 x 1], waiters = 2; }
    let held = POOL.alloc(1).unwrap();
    let mut tasks = [(); 2].map(|()| waiting_for(&POOL, 1));
    assert!(tasks.iter_mut().all(|task| task.poll().is_pending()));
    drop(held);
    assert_eq!(tasks.each_ref().map(Task::woken), [1, 1]);
    let Poll::Ready(held) = tasks[1].poll() else { panic!("whoever polls first gets the slot") };
    assert!(tasks[0].poll().is_pending());
    drop(held);
    assert_eq!(tasks.each_ref().map(Task::woken), [2, 1]);
    assert!(tasks[0].poll().is_ready());
}

/// The woken task is gone before it could poll: the other one has been woken by the same free.
#[test]
fn a_cancelled_waiter_takes_no_wake_up_along() {
    tierpool::pool! { static POOL = [64 x 1], waiters = 2; }
    let held = POOL.alloc(1).unwrap();
    let (mut cancelled, mut other) = (waiting_for(&POOL, 1), waiting_for(&POOL, 1));
    assert!(cancelled.poll().is_pending() && other.poll().is_pending());
    drop(held);
    drop(cancelled);
    assert_eq!(other.woken(), 1);
    assert!(other.poll().is_ready());
    assert!(POOL.is_idle());
}

#[test]
#[cfg_attr(
    miri,
    ignore = "compares the addresses of tables of wakers, of which Miri makes several"
)]
fn a_poll_that_nobody_woke_is_no_miss() {
    tierpool::pool! { static POOL = [64 x 1], waiters = 1; }
    let _held = POOL.alloc(1).unwrap();
    let mut task = waiting_for(&POOL, 1);
    assert!((0..5).all(|_| task.poll().is_pending()));
    assert_eq!(POOL.stats().tiers()[0].missed, 1);
    assert_eq!(POOL.stats().retries(), 0);
}

/// The last line of the table, which says what became of the requests.
fn summary(pool: &Pool) -> String {
    format!("{:#}", pool.stats()).lines().last().unwrap().into()
}

/// Packets of three tasks, one slot: all are served, so all are hits, however often the losers have
/// tried.
#[test]
fn a_wait_is_one_request_that_is_served() {
    const PACKETS: usize = 60;
    tierpool::pool! { static POOL = [64 x 1], waiters = 3; }
    let mut tasks = [(); 3].map(|()| waiting_for(&POOL, 64));
    let mut held = Vec::new();
    let mut served = 0;
    while served < PACKETS {
        for task in &mut tasks {
            if served < PACKETS
                && let Poll::Ready(buffer) = task.poll()
            {
                served += 1;
                held.push(buffer.unwrap());
                *task = waiting_for(&POOL, 64);
            }
        }
        held.clear();
    }
    let stats = POOL.stats();
    assert_eq!(stats.requests(), 60, "{stats:#}");
    assert_eq!(stats.hits(), 60, "{stats:#}");
    assert_eq!(stats.hit_permille(), 1000, "{stats:#}");
    assert!(
        stats.retries() > 0 && (1..=62).contains(&stats.tiers()[0].missed),
        "a miss a wait: {stats:#}"
    );
    assert_eq!(
        summary(&POOL),
        format!(
            "requests 60, hits 60 (100.0 %, from caches 0), exhausted 0, oversized 0, from the fallback 0 (now 0), tries of waiting tasks {}",
            stats.retries()
        )
    );
    #[cfg(feature = "histogram")]
    assert!(
        (60..=62).contains(&POOL.histogram().buckets().map(|bucket| bucket.1).sum::<u32>()),
        "once a wait"
    );
    let waiting = tasks.iter().filter(|task| task.woken() > 0).count() as u64;
    drop(tasks);
    assert!(POOL.stats().exhausted() >= waiting, "what is given up was not served");
}

#[test]
fn a_wait_that_is_not_served_is_a_miss() {
    static HEAP: tierpool_testkit::Heap<true> = tierpool_testkit::Heap::new();
    tierpool::pool! { static POOL = [64 x 1, 128 x 1], spill = 1, waiters = 1, fallback = &HEAP; }
    HEAP.allow(0);
    let held = (POOL.alloc(64).unwrap(), POOL.alloc(128).unwrap());
    let mut given_up = waiting_for(&POOL, 64);
    assert!(given_up.poll().is_pending());
    let missed = |stats: &tierpool::Stats| [stats.tiers()[0].missed, stats.tiers()[1].missed];
    let stats = POOL.stats();
    assert_eq!(stats.requests(), 2, "not yet");
    assert_eq!(stats.exhausted(), 0, "not yet");
    assert_eq!(missed(&stats), [1, 1], "not yet");
    assert!(matches!(waiting_for(&POOL, 64).poll(), Poll::Ready(Err(WaitError::TooManyWaiters))));
    let stats = POOL.stats();
    assert_eq!(stats.requests(), 3);
    assert_eq!(stats.exhausted(), 1);
    assert_eq!(missed(&stats), [2, 2]);
    drop(given_up);
    assert_eq!(POOL.stats().requests(), 4);
    assert_eq!(POOL.stats().exhausted(), 2);
    HEAP.allow(usize::MAX);
    let Poll::Ready(Ok(heap)) = waiting_for(&POOL, 64).poll() else {
        panic!("the fallback has memory")
    };
    assert!(matches!(waiting_for(&POOL, 129).poll(), Poll::Ready(Ok(_))));
    let stats = POOL.stats();
    assert_eq!(stats.requests(), 6);
    assert_eq!(stats.exhausted(), 3);
    assert_eq!(stats.oversized(), 1);
    assert_eq!(stats.fallbacks(), 2);
    assert_eq!(stats.retries(), 0);
    drop((heap, held));
    tierpool_testkit::assert_all_home(&POOL);
}

#[test]
fn a_new_waker_takes_the_place_of_the_old() {
    tierpool::pool! { static POOL = [64 x 1], waiters = 1; }
    let held = POOL.alloc(1).unwrap();
    let mut task = waiting_for(&POOL, 1);
    assert!(task.poll().is_pending());
    let old = std::mem::take(&mut task.woken);
    assert!(task.poll().is_pending());
    assert_eq!(Arc::strong_count(&old), 1, "the old waker has been dropped");
    drop(held);
    assert_eq!(old.get(), 0);
    assert_eq!(task.woken(), 1);
    drop(task);
}

#[test]
fn wakers_are_dropped_with_their_tasks() {
    tierpool::pool! { static POOL = [64 x 1], waiters = 1; }
    let _held = POOL.alloc(1).unwrap();
    let mut task = waiting_for(&POOL, 1);
    assert!(task.poll().is_pending());
    let woken = task.woken.clone();
    drop(task);
    assert_eq!(Arc::strong_count(&woken), 1);
}

#[test]
fn any_tier_that_may_serve_wakes() {
    tierpool::pool! { static POOL = [64 x 1, 256 x 1, 512 x 1], spill = 1, waiters = 1; }
    let (small, large, largest) = (POOL.alloc(64), POOL.alloc(256), POOL.alloc(512));
    let mut task = waiting_for(&POOL, 64);
    assert!(task.poll().is_pending());
    drop(largest);
    assert_eq!(task.woken(), 0, "two tiers up: it may not serve");
    drop(large);
    assert_eq!(task.woken(), 1);
    assert!(matches!(task.poll(), Poll::Ready(Ok(buffer)) if buffer.capacity() == 256));
    drop(small);
    assert_eq!(task.woken(), 1, "nobody waits any more");
}

#[test]
fn hook_and_tasks_side_by_side() {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    fn count(_: &'static Pool) {
        CALLS.fetch_add(1, Relaxed);
    }
    tierpool::pool! { static POOL = [64 x 1], on_free = count, waiters = 1; }
    let held = POOL.alloc(1).unwrap();
    let mut task = waiting_for(&POOL, 1);
    assert!(task.poll().is_pending() && POOL.arm_free_notify(1));
    drop(held);
    assert_eq!(CALLS.load(Relaxed), 1);
    assert_eq!(task.woken(), 1);
}

/// A future that is polled once and then dropped.
async fn once<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    std::future::poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

/// Eight threads on three slots of two tiers, some of them giving up at times.
#[test]
fn many_threads_on_few_slots() {
    const THREADS: u8 = 8;
    const ROUNDS: usize = if cfg!(miri) { 20 } else { 3_000 };
    tierpool::pool! { static POOL = [64 x 2, 256 x 1], waiters = 8; }
    let served: usize = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|n| {
                scope.spawn(move || {
                    let capacity = if n % 4 == 0 { 256 } else { 64 };
                    let mut served = 0;
                    for round in 0..ROUNDS {
                        let buffer = match (round + usize::from(n)) % 5 {
                            0 => block_on(once(POOL.alloc_wait(capacity))),
                            _ => Some(block_on(POOL.alloc_wait(capacity))),
                        };
                        if let Some(buffer) = buffer {
                            let mut buffer = buffer.expect("a place for each thread");
                            buffer.resize(capacity, n).unwrap();
                            thread::yield_now();
                            assert!(buffer.iter().all(|byte| *byte == n));
                            served += 1;
                        }
                    }
                    served
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert!(served >= usize::from(THREADS) * ROUNDS * 4 / 5);
    assert!(POOL.stats().tiers()[0].missed > 0, "nobody had to wait");
    assert!(POOL.is_idle());
    let tasks = [(); 8].map(|()| waiting_for(&POOL, 64));
    let held = [POOL.alloc(64).unwrap(), POOL.alloc(64).unwrap()];
    let pending = tasks.map(|mut task| (task.poll().is_pending(), task));
    assert!(pending.iter().all(|(pending, _)| *pending), "all places are free again");
    drop((held, pending));
    assert_eq!(POOL.alloc(300).unwrap_err(), AllocError::Oversized);
}

#[test]
fn a_wait_leaves_headroom() {
    tierpool::pool! { static POOL = [64 x 1], align = 8, waiters = 1; }
    let wait = |headroom, capacity| {
        let mut future = POOL.alloc_wait_with_headroom(headroom, capacity);
        Pin::new(&mut future).poll(&mut Context::from_waker(Waker::noop()))
    };
    let Poll::Ready(Ok(mut buffer)) = wait(9, 48) else { panic!("a slot is free") };
    assert_eq!((buffer.headroom(), buffer.capacity()), (16, 48), "rounded up to the alignment");
    buffer.extend_from_slice(b"data").unwrap();
    buffer.prepend(b"head ").unwrap();
    assert_eq!(buffer, "head data");
    assert!(wait(8, 8).is_pending());
    for (headroom, capacity) in [(9, 49), (usize::MAX, 1), (8, usize::MAX)] {
        let polled = wait(headroom, capacity);
        assert!(matches!(polled, Poll::Ready(Err(WaitError::Oversized))), "{headroom} {capacity}");
    }
}

/// The tiers are empty, and the fallback has no memory. What comes back is a buffer of the
/// fallback.
#[cfg(feature = "alloc")]
#[test]
fn memory_of_the_fallback_wakes() {
    fn woken_by<const FREE_NOW: bool>(heap: &'static Heap<FREE_NOW>) {
        let waiters = tierpool_testkit::leak(Box::new(tierpool::Waiters::<2>::new()));
        let config = tierpool::Config::new(&[(64, 1)]).fallback(heap).waiters(waiters);
        let pool = tierpool_testkit::fresh_pool(&config).unwrap();
        // One buffer is a payload and a control block.
        heap.allow(2);
        let (slot, large) = (pool.alloc(64).unwrap(), pool.alloc(64).unwrap());
        let mut tasks = [(); 2].map(|()| waiting_for(pool, 64));
        assert!(tasks.iter_mut().all(|task| task.poll().is_pending()));
        heap.allow(2);
        drop(large);
        assert_eq!(tasks.each_ref().map(Task::woken), [1, 1]);
        let Poll::Ready(Ok(buffer)) = tasks[0].poll() else { panic!("the heap has memory") };
        assert!(!buffer.is_pooled());
        assert!(tasks[1].poll().is_pending());
        drop(slot);
        assert_eq!(tasks[1].woken(), 2, "a slot wakes as well");
        let Poll::Ready(Ok(slot)) = tasks[1].poll() else { panic!("a slot is free") };
        assert!(slot.is_pooled());
        drop((buffer, slot));
        assert_eq!(tasks.each_ref().map(Task::woken), [1, 2], "nobody waits any more");
        pool.reclaim();
    }
    static DEFERS: Heap<false> = Heap::new();
    static AT_ONCE: Heap<true> = Heap::new();
    woken_by(&DEFERS);
    woken_by(&AT_ONCE);
}

#[cfg(feature = "std")]
#[test]
fn a_thread_waits_no_longer_than_its_timeout() {
    tierpool::pool! { static POOL = [64 x 1], waiters = 1; }
    let (long, short) = (Duration::from_secs(30), Duration::from_millis(20));
    let held = POOL.alloc_timeout(64, Duration::ZERO).unwrap();
    let begin = Instant::now();
    assert_eq!(POOL.alloc_timeout(64, Duration::ZERO).unwrap_err(), WaitError::TimedOut);
    assert_eq!(POOL.alloc_timeout(64, short).unwrap_err(), WaitError::TimedOut);
    assert!(begin.elapsed() >= short);
    assert_eq!(POOL.alloc_timeout(65, long).unwrap_err(), WaitError::Oversized);
    thread::scope(|scope| {
        // The place may be the other thread's for a moment, which asks for it below.
        let waits = scope.spawn(|| {
            loop {
                match POOL.alloc_timeout(64, long) {
                    Err(WaitError::TooManyWaiters) => thread::yield_now(),
                    served => break served,
                }
            }
        });
        // The place is the thread's: it waits.
        while !matches!(POOL.alloc_timeout(64, Duration::ZERO), Err(WaitError::TooManyWaiters)) {
            thread::yield_now();
        }
        drop(held);
        assert!(waits.join().unwrap().is_ok());
    });
    assert!(begin.elapsed() < long, "woken, and not timed out");
    // Neither of these ends at a time.
    assert!(POOL.alloc_timeout(64, Duration::MAX).is_ok());
    assert!(POOL.is_idle());
}
