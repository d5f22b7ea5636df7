//! Threads that share a pool, where one property can be told exactly. All operations at once, on
//! pools of all options, are `verify/soak`'s.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};
use tierpool::{AllocError, Config, ObjectPool, Pool};
use tierpool_testkit::{Choices, Random, assert_all_home, fresh_pool};

/// How long a thread waits for another one: a busy machine is slow.
const PATIENCE: Duration = Duration::from_secs(60);

/// Every request is counted once, as served or as refused, whichever threads make them.
#[test]
fn four_threads_count_every_request() {
    const REQUESTS: usize = 20_000;
    let pool = fresh_pool(&Config::new(&[(64, 3), (1024, 2)]).spill(1)).unwrap();
    let work = |seed| {
        let (mut random, mut held, mut granted) = (Random::new(seed), Vec::new(), 0);
        for _ in 0..REQUESTS {
            match pool.alloc(1 + random.below(1024)) {
                Ok(buffer) => {
                    granted += 1;
                    held.push(buffer);
                }
                Err(error) => assert_eq!(error, AllocError::Exhausted),
            }
            held.truncate(random.below(3));
        }
        granted
    };
    let granted: u64 = thread::scope(|scope| {
        let workers: Vec<_> = (0..4).map(|seed| scope.spawn(move || work(seed))).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).sum()
    });
    assert_all_home(pool);
    let stats = pool.stats();
    assert_eq!(stats.hits(), granted);
    assert_eq!(stats.exhausted(), 4 * REQUESTS as u64 - granted);
    assert!(stats.exhausted() > 0, "the pool was never full");
}

/// Two waiters and two freers: after the hook has been called, or `false` returned, trying again is
/// enough to go on.
#[test]
fn every_waiter_is_woken() {
    static SIGNALS: AtomicUsize = AtomicUsize::new(0);
    fn wake(_: &'static Pool) {
        SIGNALS.fetch_add(1, Relaxed);
    }
    tierpool::pool! { static POOL = [64 x 1], on_free = wake; }

    let work = || {
        for _ in 0..5_000 {
            let buffer = loop {
                let before = SIGNALS.load(Relaxed);
                match POOL.alloc(64) {
                    Ok(buffer) => break buffer,
                    Err(_) if !POOL.arm_free_notify(64) => {}
                    Err(_) => {
                        let start = Instant::now();
                        while SIGNALS.load(Relaxed) == before {
                            thread::yield_now();
                            assert!(
                                start.elapsed() < Duration::from_secs(20),
                                "a wake-up was lost"
                            );
                        }
                    }
                }
            };
            thread::yield_now();
            drop(buffer);
        }
    };
    thread::scope(|scope| (0..3).for_each(|_| drop(scope.spawn(work))));
    assert_all_home(&POOL);
    assert_eq!(POOL.stats().hits(), 15_000);
}

/// A copy on the way would not fit on the stack.
#[test]
fn objects_larger_than_a_stack_are_made_in_place() {
    type Large = [u64; 1 << 19];
    static POOL: ObjectPool<Large, 1> = ObjectPool::new();
    let work = || {
        let mut slot = POOL.alloc_uninit().unwrap();
        assert!(POOL.alloc_uninit().is_none());
        // SAFETY: the slot is as large as the value.
        unsafe { slot.as_mut_ptr().write_bytes(7, 1) };
        // SAFETY: all of it has been written.
        let object = unsafe { slot.assume_init() };
        assert!(object.iter().all(|&word| word == 0x0707_0707_0707_0707));
    };
    let thread = thread::Builder::new().stack_size(1 << 20);
    thread.spawn(work).unwrap().join().unwrap();
    assert!(POOL.is_idle());
    assert_eq!((POOL.stats().served, POOL.stats().missed), (1, 1));
}

/// Values that count themselves; one in eight destructors panics.
#[test]
fn objects_whose_destructors_panic_lose_no_slot() {
    static LIVE: AtomicUsize = AtomicUsize::new(0);
    static POOL: ObjectPool<Counted, 5> = ObjectPool::new();

    struct Counted([u64; 4]);
    impl Counted {
        fn new(seed: u64) -> Counted {
            LIVE.fetch_add(1, Relaxed);
            Counted([seed; 4])
        }
    }
    impl Drop for Counted {
        fn drop(&mut self) {
            LIVE.fetch_sub(1, Relaxed);
            assert!(self.0.iter().all(|&word| word == self.0[0]), "two owners");
            if self.0[0].is_multiple_of(8) {
                std::panic::resume_unwind(Box::new("at times")); // no message
            }
        }
    }

    let work = |thread: u64| {
        let mut random = Random::new(thread);
        let mut panics = 0;
        for _ in 0..20_000 {
            let outcome =
                catch_unwind(AssertUnwindSafe(|| match POOL.alloc(Counted::new(random.u64())) {
                    Ok(mut object) => {
                        object.0 = [random.u64(); 4];
                        if random.bool() {
                            drop(object.into_inner());
                        }
                    }
                    Err(value) => drop(value),
                }));
            if let Err(panic) = outcome {
                assert_eq!(panic.downcast_ref(), Some(&"at times"));
                panics += 1;
            }
        }
        panics
    };
    let panics: u32 = thread::scope(|scope| {
        let workers: Vec<_> = (0..4).map(|number| scope.spawn(move || work(number))).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).sum()
    });
    assert!(panics > 5_000, "{panics}");
    assert_eq!(LIVE.load(Relaxed), 0);
    assert!(POOL.is_idle());
    assert_eq!(POOL.stats().in_use, 0);
    let stats = POOL.stats();
    assert_eq!(stats.served + stats.missed, 80_000);
    assert!((0..5).all(|_| POOL.alloc(Counted::new(1)).is_ok()));
}

/// A list that moves all the time cannot be counted exactly, and says so.
#[test]
fn counts_that_others_change_are_not_exact() {
    if thread::available_parallelism().is_ok_and(|cores| cores.get() == 1) {
        return; // a count is over before anybody else runs
    }
    let pool = fresh_pool(&Config::new(&[(8, 1022)])).unwrap();
    let enough = AtomicUsize::new(0);
    thread::scope(|scope| {
        scope.spawn(|| {
            while enough.load(Relaxed) == 0 {
                drop(pool.alloc(8));
            }
        });
        let start = Instant::now();
        let mut stats = pool.stats();
        while stats.tiers()[0].exact && start.elapsed() < PATIENCE {
            stats = pool.stats();
        }
        enough.store(1, Relaxed);
        assert!(start.elapsed() < PATIENCE, "always exact");
        assert!(stats.to_string().contains(" 8=~"), "{stats}");
        let table = format!("{stats:#}");
        let widths: Vec<_> = table.lines().take(2).map(str::len).collect();
        assert_eq!(widths[0], widths[1], "the mark takes no place of its own:\n{table}");
    });
    assert!(pool.stats().tiers()[0].exact, "it rests");
}
