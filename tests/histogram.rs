//! Which requests the histogram counts: each one once, by the bytes it asked for, whoever serves
//! it.

#![cfg(feature = "histogram")]

use std::alloc::Layout;
use tierpool::{Config, Pool, PoolCache};
use tierpool_testkit::{Heap, fresh_pool};

/// What `work` adds to the histogram of a pool: bytes, and requests.
fn counted(pool: &'static Pool, work: impl FnOnce()) -> Vec<(usize, u32)> {
    let before: Vec<_> = pool.histogram().buckets().collect();
    work();
    let old = |bytes| before.iter().find(|(size, _)| *size == bytes).map_or(0, |(_, count)| *count);
    let now = pool.histogram();
    now.buckets()
        .map(|(bytes, count)| (bytes, count - old(bytes)))
        .filter(|(_, count)| *count > 0)
        .collect()
}

fn pool() -> &'static Pool {
    fresh_pool(&Config::new(&[(16, 4), (32, 4), (64, 4)])).unwrap()
}

#[test]
fn raw_requests_count() {
    let pool = pool();
    let layout = Layout::from_size_align(20, 1).unwrap();
    assert_eq!(counted(pool, || assert!(pool.allocate(layout).is_ok())), [(20, 1)]);
    let slot = pool.allocate(layout).unwrap();
    let rest = counted(pool, || {
        // SAFETY: the slot is ours, and each pointer is used once.
        unsafe {
            let slot = pool.from_raw(slot.cast()).unwrap().into_raw().unwrap();
            pool.deallocate_sized(slot.cast(), layout);
        }
    });
    assert_eq!(rest, [], "nothing else that is done with a raw slot is a request");
}

#[test]
fn requests_of_a_cache_count_whoever_serves_them() {
    let pool = pool();
    let mut cache = PoolCache::<4, 4>::new(pool);
    let mut held = Vec::new();
    for by in ["a refill", "the cache itself", "a refill", "the cache itself", "nobody"] {
        let refused = counted(pool, || held.extend(cache.alloc(28)));
        assert_eq!(refused, [(28, 1)], "{by}");
    }
    assert_eq!(held.len(), 4);
    assert_eq!(counted(pool, || drop(cache.alloc_pooled(1000))), [(1024, 1)], "too large for any");
    let rest = counted(pool, || {
        held.drain(..).for_each(|buffer| cache.recycle(buffer));
        cache.flush();
    });
    assert_eq!(rest, []);
}

#[test]
fn growth_counts_where_it_takes_another_buffer() {
    let pool = pool();
    let mut buffer = pool.alloc(12).unwrap();
    assert_eq!(counted(pool, || buffer.extend_from_slice(&[1; 16]).unwrap()), [], "there was room");
    assert_eq!(counted(pool, || buffer.extend_from_slice(&[1; 10]).unwrap()), [(28, 1)]);
    assert_eq!(counted(pool, || buffer.prepend(&[1; 8]).unwrap()), [(36, 1)]);
    assert_eq!(
        counted(pool, || assert!(buffer.reserve(65).is_err())),
        [(104, 1)],
        "not served, but asked for"
    );
}

#[test]
fn copies_count_where_they_are_made() {
    let pool = pool();
    let mut one = pool.copy_from_slice(&[1; 20]).unwrap().freeze();
    assert_eq!(counted(pool, || drop(one.make_mut())), [], "not shared");
    let mut two = one.clone();
    assert_eq!(counted(pool, || drop(two.make_mut())), [(20, 1)]);
    let two = one.clone();
    assert_eq!(counted(pool, || drop(two.into_mut_in(pool, 4))), [(24, 1)]);
    let mut part = one.slice(..4).unwrap();
    assert_eq!(counted(pool, || part.compact_in(pool).unwrap()), [(4, 1)]);
    assert_eq!(
        counted(pool, || part.compact_in(pool).unwrap()),
        [],
        "already in the smallest slot"
    );
    assert_eq!(
        counted(pool, || drop((pool.zeroed(9), pool.alloc_with_headroom(8, 20)))),
        [(12, 1), (28, 1)]
    );
}

#[test]
fn a_histogram_prints_what_it_holds() {
    let pool = fresh_pool(&Config::new(&[(16, 1)])).unwrap();
    let held = [pool.alloc(9), pool.alloc(9), pool.alloc(65_537), pool.alloc(usize::MAX)];
    let histogram = pool.histogram();
    assert_eq!(histogram.larger(), 2);
    assert_eq!(histogram.stats().requests(), 4);
    assert_eq!(histogram.to_string(), "tierpool histogram 1\ntier 16 1 1 1 1\nsize 12 2\nlarger 2");
    drop(held);
}

#[test]
fn requests_that_spill_or_fall_back_count_once() {
    static HEAP: Heap<true> = Heap::new();
    let pool = fresh_pool(&Config::new(&[(16, 1), (32, 1)]).spill(1).fallback(&HEAP)).unwrap();
    let mut held = Vec::new();
    for by in ["the tier", "the next", "the heap"] {
        assert_eq!(counted(pool, || held.extend(pool.alloc(10))), [(12, 1)], "{by}");
    }
    assert_eq!(held.len(), 3);
}
