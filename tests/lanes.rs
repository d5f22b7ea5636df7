//! Lanes: several free lists for one tier.
#![cfg(feature = "lanes")]

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use tierpool::{AllocError, Bytes, BytesMut, Config, ConfigError, ObjectLanes, Pool, PoolCache};
use tierpool_testkit::{assert_all_home, fresh_pool};

thread_local! {
    static LANE: Cell<usize> = const { Cell::new(0) };
}

fn lane() -> usize {
    LANE.get()
}

/// A pool with two lanes, in which this thread chooses its own.
fn two_lanes(tiers: &[(usize, usize)]) -> &'static Pool {
    LANE.set(0);
    fresh_pool(&Config::new(tiers).lanes(2).lane(lane)).unwrap()
}

fn all(pool: &'static Pool, size: usize) -> Vec<BytesMut> {
    std::iter::from_fn(|| pool.alloc(size).ok()).collect()
}

#[test]
fn one_thread_gets_the_slots_of_all_lanes() {
    for slots in [2, 3, 5, 16] {
        let pool = two_lanes(&[(64, slots)]);
        let held = all(pool, 64);
        assert_eq!(held.len(), slots);
        let mut starts: Vec<_> = held.iter().map(|buffer| buffer.as_ptr().addr()).collect();
        starts.sort_unstable();
        assert!(
            starts.windows(2).all(|pair| pair[1] - pair[0] == 64),
            "each slot once, none beside the region"
        );
        drop(held);
        assert_all_home(pool);
    }
}

#[test]
fn a_lane_function_may_answer_anything() {
    let pool = two_lanes(&[(64, 4), (128, 2)]);
    for answer in [0, 1, 2, 7, usize::MAX, usize::MAX - 1] {
        LANE.set(answer);
        let held = all(pool, 100);
        assert_eq!(held.len(), 2);
        drop(held);
        assert_all_home(pool);
    }
}

#[test]
fn a_request_begins_in_its_lane() {
    let pool = two_lanes(&[(64, 4)]);
    let region = |lane| {
        LANE.set(lane);
        pool.alloc(64).unwrap().as_ptr().addr()
    };
    let [first, second] = [region(0), region(1)];
    assert_eq!(second - first, 2 * 64, "half of the slots lie in each lane");
}

#[test]
fn a_slot_goes_home_whoever_frees_it() {
    let pool = two_lanes(&[(64, 2)]);
    let first = pool.alloc(64).unwrap();
    let stolen = pool.alloc(64).unwrap();
    let address = stolen.as_ptr().addr();
    std::thread::spawn(move || {
        LANE.set(1);
        drop((stolen, first));
    })
    .join()
    .unwrap();
    LANE.set(1);
    assert_eq!(pool.alloc(64).unwrap().as_ptr().addr(), address, "lane 1 has its own slot back");
    assert_all_home(pool);
}

#[test]
fn other_lanes_come_before_larger_tiers() {
    LANE.set(0);
    let pool = fresh_pool(&Config::new(&[(64, 2), (128, 2)]).spill(1).lanes(2).lane(lane)).unwrap();
    let sizes: Vec<_> = all(pool, 64).iter().map(|buffer| buffer.capacity()).collect();
    assert_eq!(sizes, [64, 64, 128, 128]);
}

#[test]
fn a_miss_counts_once_for_a_tier() {
    LANE.set(0);
    let pool = fresh_pool(&Config::new(&[(64, 2), (128, 2)]).spill(1).lanes(2).lane(lane)).unwrap();
    let held = all(pool, 64);
    assert_eq!(pool.alloc(64).unwrap_err(), AllocError::Exhausted);
    let stats = pool.stats();
    // Two requests of `all` were spilled; its last one and the one above failed.
    assert_eq!(stats.hits(), 4);
    assert_eq!(stats.exhausted(), 2);
    assert_eq!(stats.tiers()[0].missed, 4);
    assert_eq!(stats.tiers()[1].missed, 2);
    drop(held);
    assert_all_home(pool);
}

#[test]
fn statistics_are_sums_over_the_lanes() {
    let pool = two_lanes(&[(64, 5), (128, 2)]);
    let mut held = all(pool, 64);
    held.truncate(3);
    let stats = pool.stats();
    let tier = stats.tiers()[0];
    assert_eq!(stats.tiers().len(), 2);
    assert_eq!(tier.slots, 5);
    assert_eq!(tier.in_use, 3);
    assert_eq!(tier.served, 5);
    assert_eq!(tier.lanes, 2);
    assert!(tier.exact);
    assert_eq!(stats.requests(), 6, "{stats}");
}

/// Each lane's peak was at a moment of its own: 1 + 1, though there never was more than one slot in
/// use.
#[test]
fn a_peak_over_lanes_is_marked_as_a_bound() {
    let pool = two_lanes(&[(64, 4)]);
    for lane in [0, 1] {
        LANE.set(lane);
        drop(pool.alloc(64).unwrap());
    }
    let stats = pool.stats();
    assert_eq!(stats.tiers()[0].peak, 2);
    assert_eq!(
        stats.tiers()[0].to_string(),
        "64 bytes: 0 of 4 in use, 0 cached, peak <=2, served 2, missed 0"
    );
    assert!(
        format!("{stats:#}")
            .contains("    64       4       0       0 <=    2             2             0"),
        "{stats:#}"
    );
}

#[cfg(feature = "histogram")]
#[test]
fn a_histogram_says_that_a_peak_is_a_sum() {
    let pool = two_lanes(&[(64, 4)]);
    drop(pool.alloc(10));
    assert!(
        pool.histogram().to_string().contains("tier 64 4 1 1 0 lanes 2\n"),
        "{}",
        pool.histogram()
    );
}

#[test]
fn raw_slots_are_found_in_any_lane() {
    let pool = two_lanes(&[(64, 4), (128, 4)]);
    let layout = std::alloc::Layout::new::<[u8; 64]>();
    let slots: Vec<_> = (0..4).map(|_| pool.allocate(layout).unwrap().cast::<u8>()).collect();
    for (number, slot) in slots.into_iter().enumerate() {
        assert!(pool.owns(slot.as_ptr()));
        // SAFETY: the slot is not used any more.
        unsafe {
            if number % 2 == 0 {
                assert_eq!(pool.deallocate(slot), Ok(()));
                assert_eq!(pool.deallocate(slot), Err(tierpool::FreeError::NotAllocated));
            } else {
                pool.deallocate_sized(slot, layout);
            }
        }
    }
    assert_all_home(pool);
}

#[test]
fn growth_and_copies_use_all_lanes() {
    let pool = two_lanes(&[(16, 2), (64, 2)]);
    let kept = pool.alloc(64).unwrap();
    let mut grown = pool.copy_with_headroom(4, b"0123456789ab").unwrap();
    grown.reserve(30).unwrap();
    assert_eq!(&grown[..], &b"0123456789ab"[..]);
    assert!(grown.capacity() >= 42);
    let shared = pool.copy_from_slice(b"shared").unwrap().freeze();
    let mut copy = shared.clone();
    copy.make_mut().unwrap()[0] = b'S';
    assert_eq!(&shared[..], &b"shared"[..]);
    assert_eq!(&copy[..], &b"Shared"[..]);
    drop((kept, grown, shared, copy));
    assert_all_home(pool);
}

#[test]
fn a_cache_keeps_slots_of_all_lanes() {
    let pool = two_lanes(&[(64, 8)]);
    let mut cache = PoolCache::<8, 1>::new(pool);
    let held = all(pool, 64);
    for buffer in held {
        cache.recycle(buffer);
    }
    assert_eq!(cache.cached(), 8);
    assert_eq!(pool.stats().tiers()[0].cached, 8);
    let mut held: Vec<Bytes> = (0..8).map(|_| cache.alloc(64).unwrap().freeze()).collect();
    cache.recycle(held.pop().unwrap());
    drop(held);
    assert_eq!(cache.cached(), 1);
    cache.flush();
    assert_all_home(pool);
}

#[test]
fn a_cache_refills_from_the_other_lane() {
    let pool = two_lanes(&[(64, 4)]);
    let own = [pool.alloc(64).unwrap(), pool.alloc(64).unwrap()];
    let mut cache = PoolCache::<4, 1>::new(pool);
    assert!(cache.alloc(64).is_ok());
    drop((own, cache));
    assert_all_home(pool);
}

static CALLS: AtomicUsize = AtomicUsize::new(0);

#[test]
fn a_free_in_any_lane_ends_a_wait() {
    fn hook(_: &'static Pool) {
        CALLS.fetch_add(1, Relaxed);
    }
    LANE.set(0);
    let pool = fresh_pool(&Config::new(&[(64, 2)]).lanes(2).lane(lane).on_free(hook)).unwrap();
    for comes_back in [0, 1] {
        let mut held = all(pool, 64);
        assert!(pool.arm_free_notify(64));
        let before = CALLS.load(Relaxed);
        drop(held.remove(comes_back));
        assert_eq!(CALLS.load(Relaxed), before + 1);
        drop(held);
    }
    assert_all_home(pool);
}

#[cfg(feature = "wait")]
#[test]
fn a_task_waits_for_all_lanes() {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};
    use tierpool::Waiters;

    static WAITERS: Waiters<2> = Waiters::new();
    LANE.set(0);
    let pool = fresh_pool(&Config::new(&[(64, 2)]).lanes(2).lane(lane).waiters(&WAITERS)).unwrap();
    let mut held = all(pool, 64);
    let mut wait = pin!(pool.alloc_wait(64));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(wait.as_mut().poll(&mut cx).is_pending());
    drop(held.pop());
    let Poll::Ready(Ok(buffer)) = wait.as_mut().poll(&mut cx) else {
        panic!("a slot of lane 1 is free")
    };
    assert_eq!(pool.stats().tiers()[0].missed, 2, "one of `all`, one of the wait");
    drop((buffer, held));
    assert_all_home(pool);
}

#[test]
fn wrong_lanes_are_refused() {
    let check = |config: Config<'_>| config.check().unwrap_err();
    let config = Config::new(&[(64, 4), (128, 2)]);
    assert_eq!(check(config.lanes(0).lane(lane)), ConfigError::Lanes { lanes: 0 });
    assert_eq!(check(config.lanes(65).lane(lane)), ConfigError::Lanes { lanes: 65 });
    assert_eq!(check(config.lanes(3).lane(lane)), ConfigError::SlotsPerLane { tier: 1, slots: 2 });
    assert_eq!(check(config.lanes(2)), ConfigError::NoLaneFunction);
    assert_eq!(config.lanes(2).lane(lane).lists(), 4);
}

#[test]
fn a_static_pool_has_lanes_in_one_line() {
    tierpool::pool! { static RX = [64 x 4, 128 x 4], lanes = 2, lane = tierpool::thread_lane; }
    let held = all(&RX, 64);
    assert_eq!(held.len(), 4);
    drop(held);
    assert_all_home(&RX);
}

/// More lists than the smaller storage of `leak` has room for.
#[test]
#[cfg_attr(miri, ignore = "64 lanes of 16 tiers take minutes")]
fn pools_on_the_heap_take_many_lanes() {
    const TIERS: [(usize, usize); 16] = [(8, 64); 16];
    for lanes in [2, 64] {
        let pool = Pool::leak(&Config::new(&TIERS).lanes(lanes).lane(lane)).unwrap();
        assert_eq!(all(pool, 8).len(), 64);
        assert_all_home(pool);
    }
}

#[test]
#[cfg_attr(miri, ignore = "a race; the sanitizers run it")]
fn threads_in_lanes_lose_nothing() {
    const ROUNDS: u64 = if cfg!(miri) { 50 } else { 20_000 };
    LANE.set(0);
    let pool = fresh_pool(&Config::new(&[(16, 8), (64, 8)]).spill(1).lanes(2).lane(lane)).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            scope.spawn(move || {
                let mut random = fastrand::Rng::with_seed(thread);
                let (mut held, mut cache) = (Vec::new(), PoolCache::<4, 2>::new(pool));
                for _ in 0..ROUNDS {
                    LANE.set(random.usize(..3));
                    let size = random.usize(1..65);
                    let buffer = if random.bool() { pool.alloc(size) } else { cache.alloc(size) };
                    if let Ok(mut buffer) = buffer {
                        buffer.resize(size, thread as u8).unwrap();
                        held.push(buffer.freeze());
                    }
                    while held.len() > random.usize(..4) {
                        let bytes: Bytes = held.swap_remove(random.usize(..held.len()));
                        assert!(
                            bytes.iter().all(|&byte| byte == thread as u8),
                            "two owners of one slot"
                        );
                        if random.bool() { cache.recycle(bytes) } else { drop(bytes) }
                    }
                }
            });
        }
    });
    assert_all_home(pool);
}

#[test]
fn objects_of_all_lanes_serve_any_lane() {
    static POOL: ObjectLanes<u64, 3, 2> = ObjectLanes::new();
    for lane in [0, 1, 2, 7, usize::MAX] {
        let missed = POOL.stats().missed;
        let held: Vec<_> = (0..6).map(|n| POOL.alloc(lane, n).unwrap()).collect();
        assert_eq!(POOL.alloc(lane, 6).unwrap_err(), 6);
        assert!(POOL.alloc_uninit(lane).is_none() && !POOL.is_idle());
        assert!(held.iter().map(|object| **object).eq(0..6), "each slot has one owner");
        let stats = POOL.stats();
        assert_eq!((stats.slots, stats.in_use, stats.lanes), (6, 6, 2));
        assert_eq!(stats.missed, missed + 2, "once a request, and not once a lane");
        drop(held);
        assert!(POOL.is_idle() && POOL.stats().in_use == 0);
    }
    assert_eq!(POOL.stats().served, 30);
}

#[test]
fn an_object_begins_in_its_lane_and_goes_back() {
    static POOL: ObjectLanes<u64, 2, 2> = ObjectLanes::new();
    let place = |lane| &raw const *POOL.alloc(lane, 0).unwrap() as usize;
    let [first, second] = [place(0), place(1)];
    assert_ne!(first, second);
    // Both slots of lane 1, and one that lane 0 lends.
    let stolen = [POOL.alloc(1, 1).unwrap(), POOL.alloc(1, 2).unwrap(), POOL.alloc(1, 3).unwrap()];
    let places = stolen.each_ref().map(|object| &raw const **object as usize);
    assert_eq!((places[0], places[2]), (second, first));
    drop(stolen);
    assert_eq!(place(0), first);
    assert!(places[..2].contains(&place(1)));
}

#[test]
#[cfg_attr(miri, ignore = "a race; the sanitizers run it")]
fn threads_in_lanes_of_objects_lose_none() {
    static POOL: ObjectLanes<Box<usize>, 2, 2> = ObjectLanes::new();
    let work = |lane: usize| {
        let mut held = Vec::new();
        for round in 0..if cfg!(miri) { 50 } else { 20_000 } {
            match POOL.alloc(lane + round / 100, Box::new(lane)) {
                Ok(object) => held.push(object),
                Err(value) => assert_eq!(*value, lane),
            }
            if round % 3 > 0 {
                assert!(held.pop().is_none_or(|object| **object == lane), "two owners");
            }
        }
    };
    std::thread::scope(|scope| (0..3).for_each(|lane| drop(scope.spawn(move || work(lane)))));
    assert!(POOL.is_idle(), "{POOL:?}");
}
