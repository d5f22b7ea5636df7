//! What counts as a request, and what is counted apart. Waits are in `wait`.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use tierpool::PoolCache;

/// A block that shrinks into a smaller slot: the caller has asked for one block, though two tiers
/// have served.
#[cfg(feature = "alloc")]
#[test]
fn a_block_that_shrinks_is_one_request() {
    use std::alloc::{GlobalAlloc, Layout, System};
    use tierpool::PoolGlobalAlloc;

    tierpool::pool! { static POOL = [8 x 1, 64 x 4]; }
    static ALLOCATOR: PoolGlobalAlloc<System> = PoolGlobalAlloc::new(&POOL, System);
    let large = Layout::new::<[u8; 64]>();
    // SAFETY: blocks of these layouts, each given back once by its last one.
    let (shrunk, stays) = unsafe {
        let shrunk = ALLOCATOR.realloc(ALLOCATOR.alloc(large), large, 8);
        // The tier of 8 bytes is full now.
        (shrunk, ALLOCATOR.realloc(ALLOCATOR.alloc(large), large, 8))
    };
    let stats = POOL.stats();
    assert_eq!(stats.requests(), 2, "{stats:#}");
    assert_eq!(stats.hits(), 2, "{stats:#}");
    assert_eq!(stats.moved(), 1, "{stats:#}");
    assert_eq!(
        [stats.tiers()[0], stats.tiers()[1]].map(|tier| (tier.served, tier.missed)),
        [(1, 0), (2, 0)]
    );
    assert!(format!("{stats:#}").lines().any(|line| line.ends_with(", moved down 1")));
    #[cfg(feature = "histogram")]
    {
        // What `fit` needs to know: a slot of 64 bytes at a time, and one of 8.
        let sizes: Vec<_> = POOL.histogram().buckets().collect();
        assert_eq!(sizes, [(8, 1), (64, 2)]);
        assert_eq!(
            sizes.iter().map(|size| u64::from(size.1)).sum::<u64>(),
            stats.requests() + stats.moved()
        );
    }
    // SAFETY: as above. Growth within a slot, and into another one, which is a request.
    unsafe {
        let small = Layout::new::<[u8; 8]>();
        ALLOCATOR.dealloc(ALLOCATOR.realloc(shrunk, small, 64), large);
        ALLOCATOR.dealloc(ALLOCATOR.realloc(stays, small, 64), large);
    }
    assert_eq!(POOL.stats().requests(), 3);
    assert_eq!(POOL.stats().moved(), 1);
    tierpool_testkit::assert_all_home(&POOL);
}

#[test]
fn a_cache_reports_its_hits_when_it_is_asked() {
    tierpool::pool! { static POOL = [64 x 16]; }
    let mut cache = PoolCache::<8, 4>::new(&POOL);
    let held = [(); 3].map(|()| cache.alloc(64).unwrap());
    assert_eq!(POOL.stats().hits(), 1, "of the refill alone");
    assert_eq!(POOL.stats().from_caches(), 0, "of the refill alone");
    cache.report();
    assert_eq!(POOL.stats().hits(), 3);
    assert_eq!(POOL.stats().from_caches(), 2);
    cache.report();
    drop((held, cache));
    assert_eq!(POOL.stats().hits(), 3, "each once");
    assert!(POOL.is_idle());
}

/// A cache takes and gets slots without moving the list. Whoever is told that the figures are exact
/// may believe them: here one slot is in use at every moment, and at most three are away.
#[test]
fn figures_are_exact_only_without_caches() {
    tierpool::pool! { static POOL = [64 x 4]; }
    static STOP: AtomicBool = AtomicBool::new(false);
    let mut cache = PoolCache::<4, 4>::new(&POOL);
    let mut held = cache.alloc(64).unwrap();
    assert!(
        cache.cached() > 0 && !POOL.stats().tiers()[0].exact,
        "nobody can tell whether the cache rests"
    );
    thread::scope(|scope| {
        let worker = scope.spawn(move || {
            while !STOP.load(Relaxed) {
                let next = cache.alloc(64).unwrap();
                cache.recycle(std::mem::replace(&mut held, next));
            }
            cache.flush();
            held
        });
        for _ in 0..if cfg!(miri) { 10 } else { 20_000 } {
            let tier = POOL.stats().tiers()[0];
            assert!(
                !tier.exact || ((1..=2).contains(&tier.in_use) && tier.cached == 0),
                "{tier:?}"
            );
        }
        STOP.store(true, Relaxed);
        let held = worker.join().unwrap();
        let tier = POOL.stats().tiers()[0];
        assert_eq!(tier.in_use, 1);
        assert_eq!(tier.cached, 0);
        assert!(tier.exact);
        drop(held);
    });
    assert!(POOL.is_idle());
}

/// The peak after a reset is exact, whatever the order of the list: the slots that rest lie below
/// those that are used again.
#[test]
fn a_peak_counts_from_its_reset() {
    tierpool::pool! { static POOL = [64 x 8]; }
    let peak = || POOL.stats().tiers()[0].peak;
    let mut held: Vec<_> = (0..8).map(|_| POOL.alloc(64).expect("a free slot")).collect();
    assert_eq!(peak(), 8);
    POOL.reset_peak();
    assert_eq!(peak(), 8, "all are in use");
    // Back in an order that leaves gaps among those in use.
    for place in [6, 1, 3, 0, 2] {
        drop(held.remove(place.min(held.len() - 1)));
    }
    assert_eq!(peak(), 8);
    POOL.reset_peak();
    assert_eq!(peak(), 3);
    for most in 1..=5 {
        let again: Vec<_> = (0..most).map(|_| POOL.alloc(64).expect("a free slot")).collect();
        assert_eq!(peak(), 3 + most);
        drop(again);
    }
    drop(held);
    assert!(POOL.is_idle());
    POOL.reset_peak();
    assert_eq!(peak(), 0);
    let all: Vec<_> = (0..8).map(|_| POOL.alloc(64).expect("each slot is there")).collect();
    assert!(POOL.alloc(64).is_err() && all.len() == 8);
}

#[test]
fn free_slots_are_those_of_one_tier() {
    tierpool::pool! { static POOL = [64 x 4, 128 x 2]; }
    let mut cache = PoolCache::<4, 1>::new(&POOL);
    let held = [POOL.alloc(100).expect("a slot"), cache.alloc(1).expect("a slot")];
    assert_eq!(cache.cached(), 1);
    assert_eq!([64, 65, 128, 129].map(|size| POOL.free_slots(size)), [2, 1, 1, 0]);
    drop((held, cache));
    assert_eq!([0, 64, 65].map(|size| POOL.free_slots(size)), [4, 4, 2]);
}

#[test]
fn a_difference_has_the_counts_since() {
    tierpool::pool! { static POOL = [64 x 1, 128 x 4], spill = 1; }
    let first = POOL.alloc(64).expect("a slot");
    let before = POOL.stats();
    let second = POOL.alloc(64).expect("a larger slot");
    assert!(POOL.alloc(1000).is_err());
    let since = POOL.stats().since(&before);
    assert_eq!((since.requests(), since.hits(), since.oversized()), (2, 1, 1), "{since:#}");
    let [small, large] = [since.tiers()[0], since.tiers()[1]];
    assert_eq!((small.served, small.missed, small.in_use, small.peak), (0, 1, 1, 1));
    assert_eq!((large.served, large.missed, large.in_use, large.peak), (1, 0, 1, 1));
    // The wrong way round: nothing underflows.
    assert_eq!(before.since(&POOL.stats()).requests(), 0);
    drop((first, second));
}

#[test]
fn a_reset_beside_busy_threads_loses_no_slot() {
    tierpool::pool! { static POOL = [64 x 4]; }
    let busy = AtomicBool::new(true);
    thread::scope(|scope| {
        let cycles = |turns: u32| {
            for _ in 0..turns {
                let held = [POOL.alloc(64), POOL.alloc(64)];
                let [first, second] = held;
                drop((first, second));
            }
        };
        let turns = if cfg!(miri) { 100 } else { 100_000 };
        let workers = [scope.spawn(move || cycles(turns)), scope.spawn(move || cycles(turns))];
        scope.spawn(|| {
            while busy.load(Relaxed) {
                POOL.reset_peak();
            }
        });
        workers.into_iter().for_each(|worker| worker.join().unwrap());
        busy.store(false, Relaxed);
    });
    let stats = POOL.stats();
    assert!(POOL.is_idle(), "{stats:#}");
    let all: Vec<_> = std::iter::from_fn(|| POOL.alloc(64).ok()).collect();
    assert_eq!(all.len(), 4);
    assert_eq!(POOL.stats().tiers()[0].peak, 4);
}
