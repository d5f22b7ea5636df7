//! What a caller may get wrong: wrong frees, sizes at and beyond every limit, ranges that overflow,
//! forgotten handles, too many clones. Each is an error (or a trap), and the pool stays whole.

use std::alloc::Layout;
use std::ops::Bound;
use std::process::Command;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use tierpool::{
    AllocError, Bytes, ConfigError, FreeError, ObjectPool, Pool, PoolCache, RangeError,
};
use tierpool_testkit::assert_all_home;

/// Frees a pointer of any kind.
fn free(pool: &'static Pool, pointer: NonNull<u8>) -> Result<(), FreeError> {
    // SAFETY: the tests use no slot after they have given it here.
    unsafe { pool.deallocate(pointer) }
}

fn raw(pool: &'static Pool, bytes: usize) -> NonNull<u8> {
    pool.allocate(Layout::from_size_align(bytes, 1).unwrap()).unwrap().cast()
}

fn start(bytes: &[u8]) -> NonNull<u8> {
    NonNull::from(bytes).cast()
}

// ---- the raw layer

#[test]
fn a_double_free_is_an_error() {
    tierpool::pool! { static POOL = [64 x 2]; }
    let (a, b) = (raw(&POOL, 64), raw(&POOL, 64));
    assert_eq!(free(&POOL, a), Ok(()));
    assert_eq!(free(&POOL, a), Err(FreeError::NotAllocated));
    assert_eq!(free(&POOL, a), Err(FreeError::NotAllocated));
    assert_eq!(free(&POOL, b), Ok(()));
    assert_eq!(free(&POOL, b), Err(FreeError::NotAllocated));
    assert_ne!(raw(&POOL, 1), raw(&POOL, 1), "the list holds each slot once");
    assert_eq!(POOL.alloc(1).unwrap_err(), AllocError::Exhausted);
}

#[test]
fn a_slot_never_handed_out_is_not_taken_back() {
    tierpool::pool! { static POOL = [64 x 2]; }
    let first = raw(&POOL, 1);
    // SAFETY: still within the pool.
    assert_eq!(free(&POOL, unsafe { first.add(64) }), Err(FreeError::NotAllocated));
    assert_eq!(free(&POOL, first), Ok(()));
    assert_all_home(&POOL);
}

#[test]
fn an_interior_pointer_is_an_error() {
    tierpool::pool! { static POOL = [24 x 3, 100 x 2]; }
    for bytes in [24, 100] {
        let slot = raw(&POOL, bytes);
        for inside in 1..bytes {
            // SAFETY: within the slot.
            assert_eq!(free(&POOL, unsafe { slot.add(inside) }), Err(FreeError::Interior));
        }
        assert_eq!(free(&POOL, slot), Ok(()));
    }
    assert_all_home(&POOL);
}

#[test]
fn what_lies_elsewhere_is_foreign() {
    tierpool::pool! { static POOL = [64 x 2]; }
    tierpool::pool! { static OTHER = [64 x 2]; }
    let local = [0; 64];
    let others = raw(&OTHER, 64);
    for pointer in
        [start(&local), others, NonNull::dangling(), NonNull::new(usize::MAX as *mut u8).unwrap()]
    {
        assert_eq!(free(&POOL, pointer), Err(FreeError::Foreign));
        // SAFETY: it is refused.
        assert_eq!(unsafe { POOL.from_raw(pointer) }.unwrap_err(), FreeError::Foreign);
        assert!(!POOL.owns(pointer.as_ptr()));
    }
    assert_eq!(free(&OTHER, others), Ok(()));
    // The low half of an address is not all of it.
    #[cfg(target_pointer_width = "64")]
    for far in [1 << 32, 3 << 32, 1_usize.wrapping_neg() << 32] {
        let slot = raw(&POOL, 1);
        let beyond = NonNull::new(slot.as_ptr().wrapping_add(far)).unwrap();
        assert_eq!(free(&POOL, beyond), Err(FreeError::Foreign));
        assert_eq!(free(&POOL, slot), Ok(()));
    }
}

#[test]
fn both_ends_of_the_payload_are_exact() {
    tierpool::pool! { static POOL = [64 x 2]; }
    let (first, second) = (raw(&POOL, 1).as_ptr(), raw(&POOL, 1).as_ptr());
    assert_eq!(first.addr() + 64, second.addr());
    let owned = [first, first.wrapping_add(63), second, second.wrapping_add(63)]
        .map(|pointer| POOL.owns(pointer));
    assert_eq!(owned, [true; 4]);
    for outside in [first.wrapping_sub(1), second.wrapping_add(64)] {
        assert!(!POOL.owns(outside));
        assert_eq!(free(&POOL, NonNull::new(outside).unwrap()), Err(FreeError::Foreign));
    }
}

#[test]
fn a_slot_of_a_handle_is_no_raw_allocation() {
    tierpool::pool! { static POOL = [64 x 2]; }
    let buffer = POOL.zeroed(64).unwrap();
    assert_eq!(free(&POOL, start(&buffer)), Err(FreeError::NotAllocated));
    let bytes = buffer.freeze();
    let shared = bytes.clone();
    assert_eq!(free(&POOL, start(&shared)), Err(FreeError::NotAllocated));
    // SAFETY: it is refused.
    assert_eq!(unsafe { POOL.from_raw(start(&bytes)) }.unwrap_err(), FreeError::NotAllocated);
    assert_eq!(bytes, [0; 64]);
    drop((bytes, shared));
    assert_all_home(&POOL);
}

#[test]
fn raw_slots_are_aligned_as_asked_or_refused() {
    tierpool::pool! { static POOL = [24 x 2, 64 x 2, 100 x 2, 4096 x 1], spill = 3; }
    // 24 bytes are 8-aligned, 100 are 4-aligned, the others 64-aligned: the ends of the region are.
    for (align, slots) in
        [(1, 7), (2, 7), (4, 7), (8, 5), (16, 3), (32, 3), (64, 3), (128, 0), (4096, 0)]
    {
        let layout = Layout::from_size_align(1, align).unwrap();
        let held: Vec<_> = std::iter::from_fn(|| POOL.allocate(layout).ok()).collect();
        assert_eq!(
            POOL.allocate(layout),
            Err(if slots > 0 { AllocError::Exhausted } else { AllocError::Oversized })
        );
        assert_eq!(held.len(), slots, "aligned to {align}");
        for slot in held {
            assert_eq!(slot.cast::<u8>().addr().get() % align, 0);
            // SAFETY: the same layout; the slot is not used any more.
            unsafe { POOL.deallocate_sized(slot.cast(), layout) };
        }
    }
    assert_all_home(&POOL);
}

#[test]
fn what_is_no_slot_cannot_become_a_raw_one() {
    let empty = Bytes::new().try_into_mut().unwrap();
    assert!(empty.into_raw().unwrap_err().is_empty());
    static HEAP: tierpool_testkit::Heap<true> = tierpool_testkit::Heap::new();
    tierpool::pool! { static POOL = [8 x 1], fallback = &HEAP; }
    let back = POOL.zeroed(100).unwrap().into_raw().unwrap_err();
    assert_eq!(back, [0; 100]);
}

// ---- sizes

#[test]
fn zero_bytes_are_a_request_like_any_other() {
    tierpool::pool! { static POOL = [8 x 8, 64 x 1]; }
    let mut empty = [
        POOL.alloc(0),
        POOL.alloc_pooled(0),
        POOL.zeroed(0),
        POOL.copy_from_slice(&[]),
        POOL.alloc_with_headroom(0, 0),
    ]
    .map(Result::unwrap);
    for buffer in &mut empty {
        assert_eq!(buffer.len(), 0);
        assert_eq!(buffer.capacity(), 8);
        assert_eq!(buffer.headroom(), 0);
        buffer.reserve(0).unwrap();
        buffer.reserve_front(0).unwrap();
        buffer.extend_from_slice(&[]).unwrap();
        buffer.prepend(&[]).unwrap();
        buffer.resize(0, 1).unwrap();
        buffer.advance(0).unwrap();
        assert!(buffer.is_empty());
    }
    let slot = POOL.allocate(Layout::new::<()>()).unwrap();
    assert_eq!(slot.len(), 8);
    assert_eq!(free(&POOL, slot.cast()), Ok(()));
    drop(empty);
    assert_all_home(&POOL);
}

#[test]
fn a_tier_serves_its_size_and_not_one_byte_more() {
    tierpool::pool! { static POOL = [1 x 1, 16 x 1, 65_535 x 1, 65_536 x 1]; }
    let mut larger = [1, 16, 65_535, 65_536].windows(2);
    while let Some(&[size, next]) = larger.next() {
        assert_eq!(POOL.alloc(size).unwrap().capacity(), size);
        assert_eq!(POOL.alloc(size + 1).unwrap().capacity(), next);
        let mut buffer = POOL.zeroed(size).unwrap();
        buffer.push(1).unwrap();
        assert_eq!(buffer.len(), size + 1);
        assert_eq!(buffer.capacity(), next);
    }
    let mut largest = POOL.zeroed(65_536).unwrap();
    assert_eq!(POOL.alloc(65_537).unwrap_err(), AllocError::Oversized);
    assert_eq!(largest.push(1), Err(AllocError::Oversized));
    assert_eq!(largest.len(), 65_536);
}

/// The same for raw slots, through a cache, with headroom, and where sizes are rounded up.
#[test]
fn limits_are_the_same_by_every_way() {
    tierpool::pool! { static POOL = [16 x 4, 50 x 4], align = 32; }
    let raw = |bytes| POOL.allocate(Layout::from_size_align(bytes, 1).unwrap());
    let mut cache = PoolCache::<2, 4>::new(&POOL);
    for (bytes, capacity) in [(0, 32), (1, 32), (31, 32), (32, 32), (33, 64), (64, 64)] {
        let slot = raw(bytes).unwrap();
        assert_eq!(POOL.alloc(bytes).unwrap().capacity(), capacity);
        assert_eq!(cache.alloc(bytes).unwrap().capacity(), capacity);
        assert_eq!(slot.len(), capacity);
        assert_eq!(free(&POOL, slot.cast()), Ok(()));
        cache.flush();
    }
    // 32 bytes of headroom and 32 of data, and one more of either.
    assert_eq!(POOL.alloc_with_headroom(32, 32).unwrap().capacity(), 32);
    assert_eq!(POOL.alloc_with_headroom(33, 32).unwrap_err(), AllocError::Oversized);
    assert_eq!(POOL.alloc_with_headroom(32, 33).unwrap_err(), AllocError::Oversized);
    for bytes in [65, isize::MAX as usize, usize::MAX] {
        assert_eq!(cache.alloc(bytes).unwrap_err(), AllocError::Oversized);
        assert_eq!(cache.alloc_pooled(bytes).unwrap_err(), AllocError::Oversized);
    }
    assert_eq!(raw(65), Err(AllocError::Oversized));
    assert_eq!(raw(isize::MAX as usize), Err(AllocError::Oversized));
    assert_all_home(&POOL);
}

/// `tierpool_testkit::Heap` panics if it is asked for nothing.
#[test]
fn zero_bytes_of_the_fallback_are_not_asked_for() {
    static HEAP: tierpool_testkit::Heap<true> = tierpool_testkit::Heap::new();
    tierpool::pool! { static POOL = [8 x 1], fallback = &HEAP; }
    let only = POOL.alloc(0).unwrap();
    let empty = POOL.alloc(0).unwrap();
    assert!(!empty.is_pooled());
    assert_eq!(empty.len(), 0);
    assert_eq!(HEAP.outstanding(), (1, 1));
    drop((only, empty));
    assert_all_home(&POOL);
}

/// Sizes whose sums and roundings overflow.
#[test]
fn sizes_near_the_integer_limit_are_oversized() {
    static HEAP: tierpool_testkit::Heap<false> = tierpool_testkit::Heap::new();
    tierpool::pool! { static PLAIN = default, align = 64; }
    tierpool::pool! { static BACKED = default, align = 64, fallback = &HEAP; }
    let huge = [
        usize::MAX,
        usize::MAX - 1,
        usize::MAX - 63,
        usize::MAX - 64,
        usize::MAX / 2 + 1,
        isize::MAX as usize,
    ];
    for pool in [&PLAIN, &BACKED] {
        let mut buffer = pool.alloc_with_headroom(64, 100).unwrap();
        buffer.extend_from_slice(b"kept").unwrap();
        let (address, capacity) = (buffer.as_ptr(), buffer.capacity());
        for bytes in huge {
            let errors = [
                pool.alloc(bytes).unwrap_err(),
                pool.alloc_pooled(bytes).unwrap_err(),
                pool.zeroed(bytes).unwrap_err(),
                pool.alloc_with_headroom(bytes, 0).unwrap_err(),
                pool.alloc_with_headroom(1, bytes).unwrap_err(),
                pool.alloc_with_headroom(bytes, bytes).unwrap_err(),
                buffer.reserve(bytes).unwrap_err(),
                buffer.reserve_front(bytes).unwrap_err(),
                buffer.resize(bytes, 0).unwrap_err(),
                buffer.reserve_in(pool, bytes).unwrap_err(),
                buffer.reserve_front_in(pool, bytes).unwrap_err(),
                pool.zeroed(4).unwrap().freeze().into_mut_in(pool, bytes).unwrap_err().error,
            ];
            assert_eq!(errors, [AllocError::Oversized; 12], "{bytes}");
            assert_eq!(buffer.reset(bytes), Err(RangeError));
            assert_eq!(buffer.advance(bytes), Err(RangeError));
            assert!(!pool.arm_free_notify(bytes));
        }
        assert_eq!(&buffer[..], &b"kept"[..]);
        assert_eq!(buffer.as_ptr(), address);
        assert_eq!(buffer.headroom(), 64);
        assert_eq!(buffer.capacity(), capacity);
        drop(buffer);
        assert_all_home(pool);
    }
    assert_eq!(HEAP.outstanding(), (0, 0));
}

// ---- ranges

#[test]
fn ranges_that_overflow_or_fall_are_errors() {
    const MAX: usize = usize::MAX;
    tierpool::pool! { static POOL = default; }
    for mut bytes in
        [Bytes::from_static(b"0123456789"), POOL.copy_from_slice(b"0123456789").unwrap().freeze()]
    {
        let refused = [
            bytes.slice(..=MAX),
            bytes.slice(..MAX),
            bytes.slice(MAX..),
            bytes.slice(0..=10),
            bytes.slice(11..),
            bytes.slice(MAX..=MAX),
            bytes.slice((Bound::Excluded(MAX), Bound::Unbounded)),
            bytes.slice((Bound::Excluded(10), Bound::Unbounded)),
            bytes.slice(std::ops::Range { start: 3, end: 2 }),
            bytes.split_to(11),
            bytes.split_off(11),
            bytes.split_to(MAX),
            bytes.split_off(MAX),
        ];
        assert!(refused.iter().all(|result| *result == Err(RangeError)), "{refused:?}");
        assert_eq!(bytes.advance(11), Err(RangeError));
        assert_eq!(bytes.advance(MAX), Err(RangeError));
        bytes.truncate(MAX);
        assert_eq!(bytes, "0123456789");
        assert_eq!(bytes.slice(..=9).unwrap().len(), 10);
        assert_eq!(bytes.slice(10..).unwrap().len(), 0);
        assert_eq!(bytes.slice((Bound::Excluded(0), Bound::Included(1))).unwrap(), "1");
        assert!(bytes.slice_ref(b"123").is_err() && bytes.slice_ref(&bytes[10..]).is_ok());
    }
    assert_all_home(&POOL);
}

// ---- forgotten handles, too many handles

#[test]
fn a_forgotten_handle_loses_its_slot_alone() {
    tierpool::pool! { static POOL = [64 x 3]; }
    std::mem::forget(POOL.alloc(1).unwrap());
    std::mem::forget(POOL.alloc(1).unwrap().freeze().clone());
    assert!(!POOL.is_idle());
    assert_eq!(POOL.stats().tiers()[0].in_use, 2);
    for _ in 0..10 {
        let last = POOL.alloc(1).unwrap();
        assert_eq!(POOL.alloc(1).unwrap_err(), AllocError::Exhausted);
        drop(last);
    }
}

#[test]
fn a_forgotten_raw_slot_loses_itself() {
    tierpool::pool! { static POOL = [64 x 2]; }
    let _ = raw(&POOL, 1);
    let _ = POOL.alloc(1).unwrap().into_raw().unwrap();
    assert!(!POOL.is_idle());
    assert_eq!(POOL.stats().tiers()[0].in_use, 2);
    assert_eq!(POOL.alloc(1).unwrap_err(), AllocError::Exhausted);
}

#[test]
fn a_forgotten_fallback_buffer_loses_itself() {
    static HEAP: tierpool_testkit::Heap<false> = tierpool_testkit::Heap::new();
    tierpool::pool! { static POOL = [8 x 1], fallback = &HEAP; }
    std::mem::forget(POOL.zeroed(100).unwrap());
    drop(POOL.zeroed(100).unwrap());
    assert_eq!(POOL.reclaim(), 1);
    assert_eq!(HEAP.outstanding(), (1, 1));
    assert_eq!(POOL.stats().fallback_live(), 1);
    assert!(!POOL.is_idle());
}

#[test]
fn a_forgotten_cache_loses_its_slots_alone() {
    tierpool::pool! { static POOL = [64 x 6]; }
    let mut cache = PoolCache::<4, 4>::new(&POOL);
    let held = cache.alloc(1).unwrap();
    assert_eq!(cache.cached(), 1);
    std::mem::forget(cache);
    drop(held);
    let rest: Vec<_> = std::iter::from_fn(|| POOL.alloc(1).ok()).collect();
    assert_eq!(rest.len(), 5);
    assert_eq!(POOL.stats().tiers()[0].cached, 1);
    drop(rest);
    assert!(!POOL.is_idle());
}

#[cfg(feature = "wait")]
#[test]
fn a_forgotten_wait_costs_its_place_and_no_other() {
    use std::future::Future;
    use std::task::{Context, Poll, Waker};
    tierpool::pool! { static POOL = [64 x 1], waiters = 2; }
    let held = POOL.alloc(1).unwrap();
    let waits = || {
        let mut wait = Box::pin(POOL.alloc_wait(1));
        let polled = wait.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        (wait, polled)
    };
    std::mem::forget(waits());
    for _ in 0..3 {
        assert!(waits().1.is_pending());
    }
    let last = waits();
    assert!(matches!(waits().1, Poll::Ready(Err(tierpool::WaitError::TooManyWaiters))));
    drop((held, last));
    assert_all_home(&POOL);
}

#[test]
fn a_forgotten_object_loses_its_slot_alone() {
    let pool = ObjectPool::<String, 2>::new();
    std::mem::forget(pool.alloc(String::new()));
    for n in 0..10 {
        let last = pool.alloc(n.to_string()).unwrap();
        assert_eq!(pool.alloc(String::from("back")).unwrap_err(), "back");
        assert_eq!(*last, n.to_string());
    }
    assert!(!pool.is_idle());
    assert_eq!(pool.stats().in_use, 1);
    assert_eq!(pool.stats().served, 11);
    assert_eq!(pool.stats().missed, 10);
}

/// In a process of its own, which must not survive the clone that would bring the count near its
/// wrap; nor do clones by several threads at once get past it.
#[test]
#[cfg_attr(miri, ignore = "counts to 2^27 in a process of its own")]
fn too_many_clones_trap_before_the_count_wraps() {
    const CHILD: &str = "TIERPOOL_TOO_MANY_CLONES";
    const FEW_ENOUGH: &str = "all of them are there";
    const UNWOUND: &str = "it has unwound";
    if std::env::var_os(CHILD).is_some() {
        struct Unwinding;
        impl Drop for Unwinding {
            fn drop(&mut self) {
                println!("{UNWOUND}");
            }
        }
        tierpool::pool! { static POOL = default; }
        let _unwinding = Unwinding;
        let bytes = POOL.zeroed(1).unwrap().freeze();
        // One handle more than 2^27 is the last; it is cloned no more.
        (0..1 << 27).for_each(|_| std::mem::forget(bytes.clone()));
        println!("{FEW_ENOUGH}");
        let clone = || {
            let _unwinding = Unwinding;
            std::mem::forget(bytes.clone());
        };
        std::thread::scope(|scope| {
            [(); 4].map(|()| scope.spawn(clone)).map(|thread| thread.join().is_ok())
        });
        std::process::exit(0);
    }
    let own_name = "too_many_clones_trap_before_the_count_wraps";
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", own_name, "--nocapture"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&child.stdout);
    assert!(printed.contains(FEW_ENOUGH) && !printed.contains(UNWOUND), "{printed}");
    assert!(!child.status.success(), "it went on");
    #[cfg(unix)]
    {
        use std::os::unix::process::ExitStatusExt;
        const SIGILL: i32 = 4;
        const SIGABRT: i32 = 6;
        let expected = if cfg!(feature = "std") { SIGABRT } else { SIGILL };
        assert_eq!(child.status.signal(), Some(expected));
    }
}

/// A loop as documented, where the alignment alone does not fit: free slots that are not aligned so
/// are no reason to try again.
#[test]
fn who_waits_for_an_aligned_slot_does_not_spin() {
    static WOKEN: AtomicUsize = AtomicUsize::new(0);
    fn wake(_: &'static Pool) {
        WOKEN.fetch_add(1, Relaxed);
    }
    tierpool::pool! { static POOL = [24 x 1, 64 x 1, 100 x 1, 128 x 1], spill = 3, on_free = wake; }
    // 24 bytes are 8-aligned, 100 are 4-aligned, the others 64-aligned.
    let layout = Layout::from_size_align(20, 32).unwrap();
    let held = [(); 2].map(|()| POOL.allocate(layout).unwrap().cast::<u8>());
    let mut tries = 0;
    while POOL.allocate(layout) == Err(AllocError::Exhausted) {
        tries += 1;
        assert!(tries < 10, "it spins");
        if POOL.arm_free_notify_for(layout) {
            break;
        }
    }
    assert_eq!(tries, 1);
    assert_eq!(WOKEN.load(Relaxed), 0);
    assert!(!POOL.arm_free_notify(20), "20 bytes that need not be aligned so are free");
    drop((POOL.alloc(24).unwrap(), POOL.alloc(100).unwrap()));
    assert_eq!(WOKEN.load(Relaxed), 0, "neither tier may serve");
    for slot in held {
        // SAFETY: allocated above, and not used any more.
        unsafe { POOL.deallocate(slot) }.unwrap();
    }
    assert_eq!(WOKEN.load(Relaxed), 2, "both tiers may");
    let never = Layout::from_size_align(20, 128).unwrap();
    assert_eq!(POOL.allocate(never), Err(AllocError::Oversized));
    assert!(!POOL.arm_free_notify_for(never));
    assert!(AllocError::Oversized.to_string().contains("too strictly aligned"));
    assert_all_home(&POOL);
}

/// Numbers of any size: an error's variants are public.
#[test]
fn every_geometry_error_prints() {
    let error = ConfigError::Slots { tier: usize::MAX, slots: usize::MAX };
    assert!(error.to_string().ends_with("with spill, for more"), "{error}");
}

/// A request whose sum overflows is a request, too.
#[test]
fn sizes_that_overflow_are_counted() {
    tierpool::pool! { static POOL = default; }
    assert!(POOL.alloc_with_headroom(1, usize::MAX).is_err());
    assert_eq!(POOL.stats().oversized(), 1);
    assert_eq!(POOL.stats().requests(), 1);
}
