//! Reserved slots, and the hook of a tier that runs dry.

#![cfg(all(feature = "reserve", feature = "alloc"))]

use std::alloc::Layout;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use tierpool::{AllocError, BytesMut, Config, ConfigError, Pool, PoolCache};
use tierpool_testkit::fresh_pool;

fn all(pool: &'static Pool, size: usize) -> Vec<BytesMut> {
    std::iter::from_fn(|| pool.alloc(size).ok()).collect()
}

#[test]
fn plain_requests_never_get_a_reserved_slot() {
    tierpool::pool! { static POOL = [64 x 2, 512 x 3 + 2], spill = 1; }
    let held = all(&POOL, 64);
    assert_eq!(held.len(), 5);
    assert_eq!(POOL.alloc(512).unwrap_err(), AllocError::Exhausted);
    assert_eq!(POOL.allocate(Layout::new::<u8>()).unwrap_err(), AllocError::Exhausted);
    let mut cache = PoolCache::<2, 2>::new(&POOL);
    assert!(cache.alloc(512).is_err());
    let reserved = [POOL.alloc_reserved(64).unwrap(), POOL.alloc_reserved(512).unwrap()];
    assert_eq!(reserved.each_ref().map(BytesMut::capacity), [512, 512]);
    assert_eq!(POOL.alloc_reserved(1).unwrap_err(), AllocError::Exhausted);
    assert_eq!(POOL.alloc_reserved(513).unwrap_err(), AllocError::Oversized);
    // Home again: to the reserve, and not to the tier, nor to a cache.
    let [first, second] = reserved;
    cache.recycle(first);
    drop(second);
    assert!(POOL.alloc(512).is_err());
    assert!(!POOL.is_idle());
    drop(held);
    assert!(POOL.is_idle());
}

#[test]
fn a_plain_slot_comes_first() {
    tierpool::pool! { static POOL = [64 x 1 + 1]; }
    let plain = POOL.alloc_reserved(64).unwrap();
    assert_eq!(POOL.stats().tiers()[0].reserve.in_use, 0);
    let reserved = POOL.alloc_reserved(64).unwrap();
    assert_eq!(POOL.stats().tiers()[0].reserve.in_use, 1);
    drop(plain);
    assert!(POOL.alloc(64).is_ok());
    drop(reserved);
    assert!(POOL.is_idle());
}

/// As aligned as the layout asks: from a larger reserve if the own one is not.
#[test]
fn raw_slots_come_from_the_reserve_last() {
    tierpool::pool! { static POOL = [24 x 1 + 1, 64 x 1 + 1]; }
    let layout = |align| Layout::from_size_align(24, align).unwrap();
    let plain = POOL.allocate_reserved(layout(8)).unwrap();
    assert_eq!((plain.len(), POOL.stats().tiers()[0].reserve.in_use), (24, 0));
    let own = POOL.allocate_reserved(layout(8)).unwrap();
    assert_eq!((own.len(), POOL.stats().tiers()[0].reserve.in_use), (24, 1));
    let aligned = POOL.allocate_reserved(layout(64)).unwrap();
    assert_eq!((aligned.len(), POOL.stats().tiers()[1].in_use), (64, 1));
    let reserved = POOL.allocate_reserved(layout(64)).unwrap();
    assert_eq!((reserved.len(), POOL.stats().tiers()[1].reserve.in_use), (64, 1));
    assert!(reserved.cast::<u8>().addr().get().is_multiple_of(64));
    for (align, error) in
        [(1, AllocError::Exhausted), (64, AllocError::Exhausted), (128, AllocError::Oversized)]
    {
        assert_eq!(POOL.allocate_reserved(layout(align)).unwrap_err(), error);
    }
    let stats = POOL.stats();
    assert_eq!((stats.requests(), stats.hits(), stats.exhausted()), (7, 4, 2));
    assert_eq!(stats.tiers().iter().map(|tier| tier.missed).collect::<Vec<_>>(), [2, 2]);
    // SAFETY: nobody uses the slots any more, and the layouts are theirs.
    unsafe {
        POOL.deallocate(plain.cast()).unwrap();
        POOL.deallocate(aligned.cast()).unwrap();
        POOL.deallocate_sized(own.cast(), layout(8));
        POOL.deallocate_sized(reserved.cast(), layout(64));
    }
    assert!(POOL.is_idle());
}

#[test]
fn requests_of_a_reserve_are_hits() {
    tierpool::pool! { static POOL = [64 x 1 + 2, 128 x 1]; }
    let held = [(); 3].map(|()| POOL.alloc_reserved(64).unwrap());
    let before = POOL.stats();
    assert_eq!((before.requests(), before.hits(), before.misses()), (3, 3, 0), "{before:#}");
    let tier = before.tiers()[0];
    assert_eq!((tier.slots, tier.in_use, tier.served, tier.missed), (1, 1, 1, 2));
    let reserve = tier.reserve;
    assert_eq!((reserve.slots, reserve.in_use, reserve.peak, reserve.served), (2, 2, 2, 2));
    assert_eq!(before.tiers()[1].reserve.slots, 0);
    assert!(POOL.alloc_reserved(64).is_err());
    let since = POOL.stats().since(&before);
    assert_eq!((since.requests(), since.exhausted()), (1, 1), "{since:#}");
    let table = format!("{before:#}");
    assert_eq!(
        table.lines().find(|line| line.starts_with("     + ")).unwrap(),
        "     +       2       2               2             2",
        "{table}"
    );
    assert!(POOL.stats().to_string().ends_with("64=1/1+2/2 128=0/1"));
    drop(held);
    POOL.reset_peak();
    assert_eq!(POOL.stats().tiers()[0].reserve.peak, 0);
}

#[test]
fn raw_slots_of_a_reserve_are_found() {
    tierpool::pool! { static POOL = [32 x 1 + 1, 64 x 2 + 2, 128 x 1]; }
    let layout = Layout::new::<[u8; 64]>();
    let free: [fn(NonNull<u8>); 3] = [
        // SAFETY: each is called once for a slot that was taken as a handle of 64 bytes.
        |slot| unsafe { POOL.deallocate(slot) }.unwrap(),
        // SAFETY: as above.
        |slot| unsafe { POOL.deallocate_sized(slot, Layout::new::<[u8; 64]>()) },
        // SAFETY: as above.
        |slot| drop(unsafe { POOL.from_raw(slot) }.unwrap()),
    ];
    for freed_by in free {
        let slots: Vec<_> = std::iter::from_fn(|| POOL.alloc_reserved(64).ok())
            .map(|buffer| buffer.into_raw().unwrap().cast::<u8>())
            .collect();
        assert_eq!(slots.len(), 4);
        assert!(slots.iter().all(|slot| POOL.owns(slot.as_ptr()) && slot.is_aligned()));
        assert!(POOL.allocate(layout).is_err());
        slots.into_iter().for_each(freed_by);
        assert!(POOL.is_idle());
    }
}

#[cfg(feature = "lanes")]
#[test]
fn a_reserve_beside_lanes() {
    tierpool::pool! { static POOL = [64 x 5 + 2], lanes = 2, lane = tierpool::thread_lane; }
    let held: Vec<_> = std::iter::from_fn(|| POOL.alloc_reserved(64).ok()).collect();
    assert_eq!(held.len(), 7);
    let tier = POOL.stats().tiers()[0];
    assert_eq!((tier.in_use, tier.slots, tier.reserve.in_use), (5, 5, 2));
    drop(held);
    assert!(POOL.is_idle());
}

/// All slots of a pool lie apart from each other, whatever its tiers and alignment.
#[test]
fn blocks_do_not_overlap() {
    let tiers = [(24, 3), (24, 1), (100, 2), (512, 3)];
    for align in [1, 8, 64, 256] {
        for reserve in [&[][..], &[1], &[0, 2], &[3, 0, 1, 2, 9]] {
            let config = Config::new(&tiers).align(align).reserve(reserve).spill(4);
            let pool = fresh_pool(&config).unwrap();
            let mut places: Vec<_> = [512, 100, 24]
                .into_iter()
                .flat_map(|size| std::iter::from_fn(move || pool.alloc_reserved(size).ok()))
                .map(|buffer| (buffer.as_ptr().addr(), buffer.capacity(), buffer))
                .collect();
            assert_eq!(places.len(), config.slots(), "{align} {reserve:?}");
            places.sort_by_key(|place| place.0);
            assert!(places.windows(2).all(|two| two[0].0 + two[0].1 <= two[1].0));
            assert!(places.iter().all(|place| place.0 % align == 0));
            drop(places);
            assert!(pool.is_idle());
        }
    }
    let wrong = Config::new(&tiers).reserve(&[0, 1023]).check();
    assert_eq!(wrong, Err(ConfigError::Reserve { tier: 1, slots: 1023 }));
}

#[test]
fn the_hook_is_called_once_for_each_dry_spell() {
    static CALLS: [AtomicUsize; 2] = [const { AtomicUsize::new(0) }; 2];
    fn low(pool: &'static Pool, bytes: usize) {
        assert!(pool.free_slots(bytes) == 0);
        CALLS[usize::from(bytes == 512)].fetch_add(1, Relaxed);
    }
    tierpool::pool! { static POOL = [64 x 2, 512 x 1 + 1], spill = 1, on_low = low; }
    let calls = || CALLS.each_ref().map(|calls| calls.load(Relaxed));
    let mut small = [POOL.alloc(64).unwrap(), POOL.alloc(64).unwrap()].map(Some);
    assert_eq!(calls(), [0, 0]);
    let large = POOL.alloc(64).unwrap(); // spilled
    assert_eq!(calls(), [1, 0]);
    for _ in 0..3 {
        assert!(POOL.alloc(64).is_err());
        assert_eq!(calls(), [1, 1]);
    }
    let reserved = POOL.alloc_reserved(300).unwrap();
    assert_eq!(calls(), [1, 1], "and a request for the reserve is no other dry spell");
    small[0] = None;
    assert_eq!(calls(), [1, 1]);
    small[0] = POOL.alloc(64).ok();
    assert!(POOL.alloc(64).is_err());
    assert_eq!(calls(), [2, 1], "the tier has served again");
    drop((large, reserved));
    assert!(POOL.alloc(64).is_ok());
    assert_eq!(calls(), [2, 1]);
}

/// Whatever way a request takes, a hook that panics takes no slot with it.
#[test]
fn a_hook_that_panics_loses_no_slot() {
    fn low(_: &'static Pool, _: usize) {
        std::panic::resume_unwind(Box::new("on purpose"));
    }
    tierpool::pool! { static POOL = [64 x 1, 512 x 1 + 1, 1024 x 1], spill = 1, on_low = low; }
    let requests: [fn() -> Option<BytesMut>; 6] = [
        || POOL.alloc(64).ok(),
        || POOL.alloc_reserved(64).ok(),
        || POOL.alloc_with_headroom(10, 50).ok(),
        || POOL.alloc_chain::<2>(64).map(drop).ok().and(None),
        || {
            let mut buffer = POOL.alloc_with_headroom(8, 500).unwrap();
            buffer.reserve_front(100).ok()?;
            Some(buffer)
        },
        || POOL.allocate_reserved(Layout::new::<[u8; 64]>()).ok().and(None),
    ];
    for (number, request) in requests.into_iter().enumerate() {
        let held = POOL.alloc(64);
        let held = (held, (number == 4).then(|| POOL.alloc(512)));
        let panicked = std::panic::catch_unwind(request).is_err();
        drop(held);
        assert!(POOL.is_idle(), "request {number}");
        // A dry spell is told once. So this one is over.
        drop((POOL.alloc(64), POOL.alloc(512)));
        assert!(panicked || number == 4, "request {number}");
    }
}
