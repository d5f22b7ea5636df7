//! What pools and those around them print of themselves, and what they are to code that takes
//! anything with bytes.

use std::borrow::BorrowMut;
use std::collections::BTreeSet;
use tierpool::{AllocError, Bytes, Config, Fallback, FreeError, ObjectPool, PoolCache};
use tierpool_testkit::{Heap, fresh_pool};

#[test]
fn pools_and_caches() {
    let pool = fresh_pool(&Config::new(&[(64, 4), (100, 1)])).unwrap();
    let mut cache = PoolCache::<2, 4>::new(pool);
    cache.recycle(pool.alloc(64).unwrap());
    assert_eq!(format!("{pool:?}"), "Pool [(64, 4), (100, 1)]");
    assert_eq!(format!("{cache:?}"), "PoolCache { pool: Pool [(64, 4), (100, 1)], cached: 1, .. }");
}

#[test]
fn statistics() {
    let pool = fresh_pool(&Config::new(&[(64, 4)])).unwrap();
    let held = pool.alloc(64);
    pool.alloc(65).unwrap_err();
    let stats = pool.stats();
    assert_eq!(stats.to_string(), "requests=2 hits=1 misses=1 fallbacks=0 hit_rate=50% 64=1/4");
    let table = [
        " bytes   slots  in use  cached    peak        served        missed",
        "    64       4       1       0       1             1             0",
        "requests 2, hits 1 (50.0 %, from caches 0), exhausted 0, oversized 1, from the fallback 0 (now 0)",
    ];
    // With the feature `track`, the holders follow.
    let shown = format!("{stats:#}");
    assert_eq!(shown.lines().take(3).collect::<Vec<_>>(), table);
    assert_eq!(shown.lines().count() > 3, cfg!(feature = "track"));
    let name = if cfg!(feature = "names") { "name: None, " } else { "" };
    let fields = "exhausted: 0, oversized: 1, fallbacks: 0, from_caches: 0, retries: 0, moved: 0, fallback_live: 0";
    let tier = "size: 64, slots: 4, in_use: 1, cached: 0, peak: 1, served: 1, missed: 0, exact: true, lanes: 1";
    let reserve = if cfg!(feature = "reserve") {
        ", reserve: ReserveStats { slots: 0, in_use: 0, peak: 0, served: 0 }"
    } else {
        ""
    };
    let holders = if cfg!(feature = "track") { ", holders: [" } else { " }" };
    let shown = format!("{stats:?}");
    let start =
        format!("Stats {{ {name}{fields}, tiers: [TierStats {{ {tier}{reserve} }}]{holders}");
    assert!(shown.starts_with(&start), "{shown}");
    drop(held);
}

#[test]
fn heaps() {
    static HEAPS: (Heap<true>, Heap<false>) = (Heap::new(), Heap::new());
    let heaps: [&dyn Fallback; 2] = [&HEAPS.0, &HEAPS.1];
    let text =
        |frees| format!("Fallback {{ free_in_interrupt: {frees}, free_at_once: {frees}, .. }}");
    assert_eq!(format!("{heaps:?}"), format!("[{}, {}]", text(true), text(false)));
}

#[test]
fn objects() {
    static POOL: ObjectPool<u32, 2> = ObjectPool::new();
    let (one, other) = (POOL.alloc(1).unwrap(), POOL.alloc(2).unwrap());
    assert_eq!(format!("{one:?}"), "1");
    assert!(one != other);
    drop(other);
    assert!(one == POOL.alloc(1).unwrap());
    assert!(
        format!("{POOL:?}")
            .starts_with("ObjectPool { stats: TierStats { size: 4, slots: 2, in_use: 1,")
    );
}

#[test]
fn errors() {
    let bytes = Bytes::from_static(b"abc");
    assert_eq!(
        bytes.slice(4..).unwrap_err().to_string(),
        "the range goes beyond the bytes that there are"
    );
    assert_eq!(bytes.into_mut().unwrap_err().to_string(), AllocError::NoPool.to_string());
    let of_frees = [FreeError::NotAllocated, FreeError::Interior, FreeError::Foreign]
        .map(|error| error.to_string());
    let of_requests = [AllocError::Exhausted, AllocError::Oversized, AllocError::NoPool]
        .map(|error| error.to_string());
    let texts: BTreeSet<_> =
        of_frees.iter().chain(&of_requests).filter(|text| text.len() > 10).collect();
    assert_eq!(texts.len(), 6, "each has its own");
    for align in [0, 9, 10, 99, 101] {
        let error = Config::new(&[(1, 1)]).align(align).check().unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("align {align}: the alignment is a power of two from 1 to 4096")
        );
    }
}

#[cfg(feature = "wait")]
#[test]
fn places_to_wait() {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Waker};
    use tierpool::{WaitError, Waiters};
    use tierpool_testkit::leak;
    let waiters = leak(Box::new(Waiters::<1>::new()));
    let pool = fresh_pool(&Config::new(&[(64, 1)]).waiters(waiters)).unwrap();
    let shown = |owned, waiting| {
        format!("Waiters {{ cells: [WakerCell {{ owned: {owned}, waiting: {waiting} }}] }}")
    };
    assert_eq!(format!("{waiters:?}"), shown(false, false));
    let held = pool.alloc(64);
    let mut waiting = pin!(pool.alloc_wait(64));
    assert!(waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert_eq!(format!("{waiters:?}"), shown(true, true));
    drop(held);
    assert_eq!(format!("{waiters:?}"), shown(true, false), "woken");
    assert!(WaitError::Oversized.to_string().starts_with("request too large"));
    assert!(WaitError::TooManyWaiters.to_string().starts_with("pool exhausted, and no place left"));
}

#[cfg(feature = "embassy-net-driver-02")]
#[test]
fn queues_of_a_driver() {
    assert!(format!("{:?}", tierpool::net_driver::State::<2, 2>::new()).starts_with("State"));
}

/// The bytes of a buffer, by whichever trait a function asks for them.
#[test]
fn bytes_to_write_to() {
    let pool = fresh_pool(&Config::new(&[(8, 1)])).unwrap();
    let mut buffer = pool.zeroed(3).unwrap();
    AsMut::<[u8]>::as_mut(&mut buffer)[0] = 1;
    BorrowMut::<[u8]>::borrow_mut(&mut buffer)[1] = 2;
    buffer[2] = 3;
    assert_eq!(buffer, [1, 2, 3]);
}

/// The README shows what its example prints.
#[test]
fn the_table_of_the_readme() {
    tierpool::pool! { static RX = [256 x 16, 512 x 16], spill = 1; }
    tierpool::pool! { static TX = [512 x 8]; }
    let mut buffer = RX.alloc_pooled(500).unwrap();
    buffer.extend_from_slice(b"..a frame").unwrap();
    buffer.advance(2).unwrap();
    let packet = buffer.freeze();
    let mut out = packet.clone().into_mut_in(&TX, 3).unwrap();
    out.prepend(b"LNK").unwrap();
    drop(packet);
    assert_eq!(out, "LNKa frame");
    let shown = format!("{:#}", RX.stats());
    // With the feature `names`, a line stands in front.
    let table = &shown[shown.find(" bytes ").unwrap()..];
    let readme =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    assert!(readme.contains(&format!("```text\n{table}\n```")), "{table}");
}
