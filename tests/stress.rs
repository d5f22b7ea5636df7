//! Threads that share pools: every buffer is full of a canary, is handed over, shared, copied and dropped elsewhere,
//! and at the end all are home and the counts agree. Each test takes well under a second.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};
use tierpool::{AllocError, Bytes, BytesMut, Config, ObjectPool, Pool};
use tierpool_testkit::{assert_all_home, canary, check_canary, fresh_pool};

/// How long a worker works at least, ...
const TIME: Duration = Duration::from_millis(350);
/// ... how many buffers it takes at least, ...
const ENOUGH: u64 = 500;
/// ... and how long it waits for them: a busy machine or Valgrind is slow, a pool that has lost its slots is stuck.
const PATIENCE: Duration = Duration::from_secs(60);

/// What goes from thread to thread: bytes, and what they must be.
enum Message {
    Owned(u64, BytesMut),
    Shared(u64, Bytes),
}

impl Message {
    fn check(&self) {
        match self {
            Message::Owned(seed, buffer) => check_canary(*seed, buffer),
            Message::Shared(seed, bytes) => check_canary(*seed, bytes),
        }
    }
}

/// One thread's share. It counts what it was granted and what it was refused.
struct Worker {
    pool: &'static Pool,
    random: fastrand::Rng,
    out: SyncSender<Message>,
    granted: u64,
    refused: u64,
}

impl Worker {
    fn count<T>(&mut self, result: Result<T, AllocError>) -> Option<T> {
        match result {
            Ok(value) => {
                self.granted += 1;
                Some(value)
            }
            Err(AllocError::Exhausted) => {
                self.refused += 1;
                None
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// A new buffer, full of its canary to the last byte.
    fn fill(&mut self) -> Option<Message> {
        let (seed, size, sticky) = (self.random.u64(..), self.random.usize(..1000), self.random.bool());
        let result = if sticky { self.pool.alloc_pooled(size) } else { self.pool.alloc(size) };
        let mut buffer = self.count(result)?;
        buffer.extend_from_slice(&canary(seed, buffer.capacity())).expect("it fits");
        Some(Message::Owned(seed, buffer))
    }

    /// Copy-on-write with whoever else holds the bytes: they must not see it.
    fn rewrite(&mut self, seed: u64, mut bytes: Bytes) -> Message {
        let other = self.random.u64(..);
        let may_copy = !bytes.is_unique();
        match bytes.make_mut() {
            Ok(writable) => {
                writable.copy_from_slice(&canary(other, writable.len()));
                self.granted += u64::from(may_copy); // at most: the others may have gone meanwhile
                Message::Shared(other, bytes)
            }
            Err(_) => {
                assert!(may_copy, "a unique buffer needs no copy");
                self.refused += 1;
                Message::Shared(seed, bytes)
            }
        }
    }

    fn on(&mut self, message: Message) {
        message.check();
        match (message, self.random.u8(..6)) {
            (Message::Owned(seed, buffer), 0..=2) => {
                let bytes = buffer.freeze();
                self.send(Message::Shared(seed, bytes.clone()));
                check_canary(seed, &bytes);
            }
            (Message::Shared(seed, bytes), 0) => {
                self.send(Message::Shared(seed, bytes.clone()));
                let message = self.rewrite(seed, bytes);
                message.check();
                self.send(message);
            }
            (Message::Shared(seed, bytes), 1) => match bytes.try_into_mut() {
                Ok(buffer) => self.send(Message::Owned(seed, buffer)),
                Err(bytes) => check_canary(seed, &bytes),
            },
            (Message::Shared(seed, bytes), 2) => {
                let front = bytes.slice_clamped(0, bytes.len() / 2);
                self.send(Message::Shared(seed, front));
                check_canary(seed, &bytes);
            }
            (Message::Owned(_, buffer), 3) => self.raw(buffer),
            _ => {} // dropped here
        }
    }

    /// Through the raw layer and back, rewritten on the way.
    fn raw(&mut self, buffer: BytesMut) {
        let seed = self.random.u64(..);
        let Ok(slot) = buffer.into_raw() else { return };
        // SAFETY: the slot is ours, and its owner has filled it; it is given up once.
        unsafe {
            let bytes = &mut *slot.as_ptr();
            bytes.copy_from_slice(&canary(seed, bytes.len()));
            check_canary(seed, bytes);
            self.pool.deallocate(slot.cast()).unwrap();
        }
    }

    /// To a thread that may be busy: then it is dropped here.
    fn send(&mut self, message: Message) {
        let _ = self.out.try_send(message);
    }

    fn run(mut self, inbox: Receiver<Message>) -> (u64, u64) {
        let start = Instant::now();
        while start.elapsed() < TIME || self.granted < ENOUGH && start.elapsed() < PATIENCE {
            for _ in 0..50 {
                if let Some(message) = self.fill() {
                    self.on(message);
                }
                while let Ok(message) = inbox.try_recv() {
                    self.on(message);
                }
            }
        }
        drop(self.out);
        inbox.iter().for_each(|message| message.check());
        (self.granted, self.refused)
    }
}

/// `threads` workers in a ring, each sending to the next.
fn stress(pool: &'static Pool, threads: usize) {
    let (mut outs, inboxes): (Vec<_>, Vec<_>) = (0..threads).map(|_| sync_channel(8)).unzip();
    outs.rotate_left(1);
    let workers: Vec<_> = (outs.into_iter().zip(inboxes).enumerate())
        .map(|(number, (out, inbox))| {
            let random = fastrand::Rng::with_seed(number as u64);
            thread::spawn(move || Worker { pool, random, out, granted: 0, refused: 0 }.run(inbox))
        })
        .collect();
    let (granted, refused) = workers.into_iter().map(|worker| worker.join().unwrap()).fold((0, 0), |(a, b), (c, d)| (a + c, b + d));

    assert_all_home(pool);
    let stats = pool.stats();
    let served = stats.hits() + stats.fallbacks();
    assert!(granted >= ENOUGH * threads as u64, "only {granted} buffers in {PATIENCE:?}");
    // A copy that was foreseen may not have been needed, and one that failed may have become needless.
    assert!(served <= granted && refused <= stats.misses(), "granted {granted}, refused {refused}\n{stats:#}");
    // Two threads fill it only if they run at the same time, which a busy machine does not promise.
    assert!(threads < 4 || stats.tiers().iter().all(|tier| tier.peak == tier.slots), "the pool was never full\n{stats:#}");
}

#[test]
fn two_threads_on_a_static_pool() {
    tierpool::pool! { static POOL = [64 x 3, 256 x 4, 1024 x 4], spill = 1; }
    stress(&POOL, 2);
}

#[test]
fn four_threads_on_a_static_pool_that_wipes() {
    tierpool::pool! { static POOL = [100 x 3, 1000 x 5], spill = 1, zero_on_free = true; }
    stress(&POOL, 4);
}

#[test]
fn two_threads_on_a_pool_made_at_run_time() {
    stress(fresh_pool(&Config::new(&[(64, 3), (256, 4), (1024, 4)]).align(64)).unwrap(), 2);
}

#[test]
fn four_threads_on_a_heap_that_frees_at_once() {
    static HEAP: tierpool_testkit::Heap<true> = tierpool_testkit::Heap::new();
    tierpool::pool! { static POOL = [64 x 2, 1024 x 2], fallback = &HEAP, zero_on_free = true; }
    stress(&POOL, 4);
    assert_eq!((HEAP.outstanding(), HEAP.dirty()), ((0, 0), 0));
    assert!(POOL.stats().fallbacks() > 100);
}

#[cfg(feature = "alloc")]
#[test]
fn four_threads_on_a_leaked_pool_with_the_global_allocator_behind() {
    let config = Config::new(&[(64, 2), (1024, 2)]).spill(1).fallback(&tierpool::GlobalHeap);
    let pool = Pool::leak(&config).unwrap();
    stress(pool, 4);
    assert!(pool.stats().fallbacks() > 100);
}

/// Two waiters and two freers: after the hook has been called, or `false` returned, trying again is enough to go on.
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
                            assert!(start.elapsed() < Duration::from_secs(20), "a wake-up was lost");
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
        let mut random = fastrand::Rng::with_seed(thread);
        let mut panics = 0;
        for _ in 0..20_000 {
            let outcome = catch_unwind(AssertUnwindSafe(|| match POOL.alloc(Counted::new(random.u64(..))) {
                Ok(mut object) => {
                    object.0 = [random.u64(..); 4];
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
    assert_eq!((LIVE.load(Relaxed), POOL.is_idle(), POOL.stats().in_use), (0, true, 0));
    let stats = POOL.stats();
    assert_eq!(stats.served + stats.missed, 80_000);
    assert!((0..5).all(|_| POOL.alloc(Counted::new(1)).is_ok()));
}

/// A list that moves all the time cannot be counted exactly, and says so.
#[test]
fn counts_that_others_change_are_not_called_exact() {
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
