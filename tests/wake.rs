//! Wake on free: the hook is called once for each time that somebody waits, and for nothing else.

use std::alloc::Layout;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use tierpool::{Bytes, Pool};

/// Declares a pool whose hook counts its calls, and checks that it is called with its own pool.
macro_rules! counting_pool {
    ($pool:ident, $calls:ident, $($tiers:tt)*) => {
        static $calls: AtomicUsize = AtomicUsize::new(0);
        fn count(pool: &'static Pool) {
            assert!(std::ptr::eq(pool, &$pool));
            $calls.fetch_add(1, Relaxed);
        }
        tierpool::pool! { static $pool = $($tiers)*, on_free = count; }
    };
}

#[test]
fn one_call_for_each_wait_whoever_frees() {
    counting_pool!(POOL, CALLS, [64 x 1]);
    let take = || POOL.zeroed(64).unwrap();
    let frees: [fn(Bytes); 5] = [
        drop,
        |bytes| drop((bytes.clone(), bytes)),
        |bytes| drop(bytes.try_into_mut()),
        |bytes| {
            let slot = bytes.try_into_mut().unwrap().into_raw().unwrap();
            // SAFETY: the slot is not used any more.
            unsafe { POOL.deallocate(slot.cast()) }.unwrap();
        },
        |bytes| {
            let slot = bytes.try_into_mut().unwrap().into_raw().unwrap();
            // SAFETY: a layout of the only tier; the slot is not used any more.
            unsafe { POOL.deallocate_sized(slot.cast(), Layout::new::<u64>()) };
        },
    ];
    for (n, free) in frees.into_iter().enumerate() {
        let only = take();
        assert!(POOL.alloc(1).is_err() && POOL.arm_free_notify(1) && POOL.arm_free_notify(64));
        assert!(POOL.alloc(1).is_err(), "armed is as empty as before");
        assert_eq!(CALLS.load(Relaxed), n);
        free(only.freeze());
        assert_eq!(CALLS.load(Relaxed), n + 1);
        drop(take());
        assert_eq!(CALLS.load(Relaxed), n + 1, "nobody waits any more");
    }
}

#[test]
fn nothing_to_wait_for() {
    counting_pool!(POOL, CALLS, [64 x 2]);
    tierpool::pool! { static WITHOUT_HOOK = [64 x 1]; }
    let _held = (POOL.alloc(1), WITHOUT_HOOK.alloc(1));
    assert!(!POOL.arm_free_notify(64), "a slot is free");
    assert!(!POOL.arm_free_notify(65), "no slot is that large");
    assert!(!WITHOUT_HOOK.arm_free_notify(64), "nobody to call");
    assert_eq!(CALLS.load(Relaxed), 0);
}

#[test]
fn a_waiter_for_one_tier_is_not_woken_by_another() {
    counting_pool!(POOL, CALLS, [64 x 1, 256 x 1]);
    let (small, large) = (POOL.alloc(64).unwrap(), POOL.alloc(256).unwrap());
    assert!(POOL.arm_free_notify(200));
    drop(small);
    assert_eq!(CALLS.load(Relaxed), 0);
    drop(large);
    assert_eq!(CALLS.load(Relaxed), 1);
}

#[test]
fn with_spill_any_tier_that_may_serve_wakes() {
    counting_pool!(POOL, CALLS, [64 x 1, 256 x 1, 512 x 1], spill = 1);
    let (small, mut large, mut largest) =
        (POOL.alloc(64), Some(POOL.alloc(256)), Some(POOL.alloc(512)));
    assert!(POOL.alloc(64).is_err() && POOL.arm_free_notify(64));
    drop(largest.take());
    assert_eq!(CALLS.load(Relaxed), 0, "two tiers up: it may not serve");
    drop(large.take());
    assert_eq!(CALLS.load(Relaxed), 1);
    assert!(!POOL.arm_free_notify(64), "the spill tier has a slot now");
    drop(small);
    assert_eq!(CALLS.load(Relaxed), 2);
}

/// The hook runs after the push: it can have the slot, and wait again.
#[test]
fn the_hook_may_use_the_pool() {
    static SERVED: AtomicUsize = AtomicUsize::new(0);
    fn serve(pool: &'static Pool) {
        let buffer = pool.zeroed(64).expect("a slot has just come back");
        if SERVED.fetch_add(1, Relaxed) < 4 {
            assert!(pool.arm_free_notify(64));
        }
        drop(buffer);
    }
    tierpool::pool! { static POOL = [64 x 1], on_free = serve; }
    let only = POOL.alloc(64).unwrap();
    assert!(POOL.arm_free_notify(64));
    drop(only);
    assert_eq!(SERVED.load(Relaxed), 5);
    assert!(POOL.is_idle());
}
