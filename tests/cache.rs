//! The per-core cache: what it keeps, what it gives back, and that nothing is lost on the way.

use std::ptr::NonNull;
use std::sync::Barrier;
use std::sync::mpsc::sync_channel;
use std::thread;

use tierpool::{AllocError, Bytes, Config, FreeError, Pool, PoolCache};
use tierpool_testkit::{Heap, Random, fresh_pool};

fn pool(tiers: &[(usize, usize)]) -> &'static Pool {
    fresh_pool(&Config::new(tiers)).unwrap()
}

#[test]
fn a_refill_hands_out_first_what_was_used_last() {
    tierpool::pool! { static POOL = [64 x 4]; }
    let buffers = [(); 4].map(|()| POOL.alloc(64).unwrap());
    let starts = [0, 1, 2, 3].map(|n: usize| buffers[n].as_ptr());
    buffers.into_iter().for_each(drop); // the last one lies on top
    let mut cache = PoolCache::<4, 4>::new(&POOL);
    let refilled = [(); 2].map(|()| cache.alloc(64).unwrap());
    assert_eq!(refilled.each_ref().map(|buffer| buffer.as_ptr()), [starts[3], starts[2]]);
}

#[test]
fn a_batch_is_half_the_cache_rounded_up() {
    fn batch<const N: usize>() -> usize {
        let pool = pool(&[(64, 1022)]);
        let mut cache = PoolCache::<N, 4>::new(pool);
        let held = cache.alloc(1).unwrap();
        assert_eq!(pool.stats().tiers()[0].cached, cache.cached());
        assert_eq!(pool.stats().tiers()[0].in_use, 1);
        drop(held);
        cache.cached() + 1
    }
    assert_eq!(batch::<1>(), 1);
    assert_eq!(batch::<2>(), 1);
    assert_eq!(batch::<3>(), 2);
    assert_eq!(batch::<8>(), 4);
    assert_eq!(batch::<1022>(), 511);
}

#[test]
fn the_last_recycled_slot_comes_back_first() {
    let pool = pool(&[(64, 16)]);
    let mut cache = PoolCache::<8, 4>::new(pool);
    let buffers = [(); 8].map(|()| pool.alloc(64).unwrap());
    let addresses = buffers.each_ref().map(|buffer| buffer.as_ptr());
    buffers.into_iter().for_each(|buffer| cache.recycle(buffer));
    assert_eq!(cache.cached(), 8);
    let again = [(); 8].map(|()| cache.alloc(64).unwrap());
    assert!(again.iter().map(|buffer| buffer.as_ptr()).eq(addresses.into_iter().rev()));
}

#[test]
fn a_full_cache_gives_half_back() {
    let pool = pool(&[(64, 16)]);
    let mut cache = PoolCache::<4, 4>::new(pool);
    let buffers = [(); 16].map(|()| pool.alloc(64).unwrap());
    let cached = buffers.map(|buffer| {
        cache.recycle(buffer);
        cache.cached()
    });
    assert_eq!(
        cached,
        [1, 2, 3, 4, 3, 4, 3, 4, 3, 4, 3, 4, 3, 4, 3, 4],
        "six batches of two went back"
    );
    drop(cache);
    assert!(pool.is_idle());
    let every = [(); 16].map(|()| pool.alloc(64).unwrap());
    assert_eq!(pool.alloc(64).unwrap_err(), AllocError::Exhausted);
    drop(every);
}

#[test]
fn a_full_cache_gives_back_the_oldest_slots() {
    let pool = pool(&[(64, 16)]);
    let mut cache = PoolCache::<4, 4>::new(pool);
    let buffers = [(); 5].map(|()| pool.alloc(64).unwrap());
    let starts = buffers.each_ref().map(|buffer| buffer.as_ptr());
    buffers.into_iter().for_each(|buffer| cache.recycle(buffer)); // the fifth finds it full
    let kept = [(); 3].map(|()| cache.alloc(64).unwrap());
    assert!(kept.iter().map(|buffer| buffer.as_ptr()).eq([starts[4], starts[3], starts[2]]));
    let back = [(); 2].map(|()| pool.alloc(64).unwrap());
    assert!(
        back.iter().map(|buffer| buffer.as_ptr()).eq([starts[1], starts[0]]),
        "the younger one on top"
    );
}

#[test]
fn a_cache_keeps_slots_of_its_smallest_tiers() {
    fn kept<const TIERS: usize>() -> Vec<usize> {
        let pool = pool(&[(8, 4), (16, 4), (24, 4), (32, 4), (40, 4), (48, 4)]);
        let mut cache = PoolCache::<2, TIERS>::new(pool);
        for size in [8, 16, 24, 32, 40, 48] {
            let buffer = cache.alloc(size).unwrap();
            assert_eq!(buffer.capacity(), size);
            cache.recycle(buffer);
        }
        let kept: Vec<usize> = pool.stats().tiers().iter().map(|tier| tier.cached).collect();
        assert_eq!(cache.cached(), kept.iter().sum());
        kept
    }
    assert_eq!(kept::<0>(), [0; 6]);
    assert_eq!(kept::<1>(), [1, 0, 0, 0, 0, 0]);
    assert_eq!(kept::<4>(), [1, 1, 1, 1, 0, 0]);
    assert_eq!(kept::<6>(), vec![1; 6], "as many as the pool has, if that is fewer");
    assert_eq!(kept::<9>(), vec![1; 6], "as many as the pool has, if that is fewer");
}

#[test]
fn each_tier_has_its_own_chain() {
    let pool = pool(&[(64, 8), (256, 8), (1024, 8)]);
    let mut cache = PoolCache::<4, 4>::new(pool);
    for (size, capacity) in [(1, 64), (65, 256), (1024, 1024), (64, 64), (256, 256)] {
        let buffer = cache.alloc(size).unwrap();
        assert_eq!(buffer.capacity(), capacity);
        cache.recycle(buffer);
    }
    assert!(pool.stats().tiers().iter().all(|tier| (tier.cached, tier.served) == (2, 1)));
    assert_eq!(cache.alloc(1025).unwrap_err(), AllocError::Oversized);
}

#[test]
fn a_part_of_a_buffer_brings_its_whole_slot_home() {
    let pool = pool(&[(64, 1)]);
    let mut cache = PoolCache::<4, 4>::new(pool);
    let mut buffer = pool.copy_from_slice(b"header, body").unwrap();
    buffer.advance(8).unwrap();
    cache.recycle(buffer.freeze().slice(1..3).unwrap());
    let again = cache.alloc(64).unwrap();
    assert_eq!(again.len(), 0);
    assert_eq!(again.headroom(), 0);
    assert_eq!(again.capacity(), 64);
}

#[test]
fn what_is_not_a_slot_of_this_pool_is_dropped() {
    // Two pools whose descriptors may lie side by side.
    static HEAP: Heap<true> = Heap::new();
    tierpool::pool! { static MINE = [64 x 2], fallback = &HEAP; }
    tierpool::pool! { static OTHERS = [64 x 2, 128 x 2, 256 x 2]; }
    let mut cache = PoolCache::<4, 4>::new(&MINE);
    for size in [64, 128, 256] {
        cache.recycle(OTHERS.alloc(size).unwrap());
    }
    let mut others = PoolCache::<4, 4>::new(&OTHERS);
    others.recycle(MINE.alloc(64).unwrap());
    cache.recycle(MINE.alloc(1000).unwrap());
    cache.recycle(Bytes::from_static(b"constant"));
    cache.recycle(Bytes::new());
    assert_eq!(cache.cached(), 0);
    assert_eq!(others.cached(), 0);
    assert!(MINE.is_idle() && OTHERS.is_idle());
}

#[test]
fn a_shared_buffer_stays_with_its_other_holder() {
    let pool = pool(&[(64, 1)]);
    let mut cache = PoolCache::<4, 4>::new(pool);
    let packet = pool.copy_from_slice(b"shared").unwrap().freeze();
    cache.recycle(packet.clone());
    assert_eq!(cache.cached(), 0);
    assert_eq!(&packet[..], &b"shared"[..]);
    cache.recycle(packet);
    assert_eq!(cache.cached(), 1);
}

#[test]
fn freeing_a_cached_slot_is_an_error() {
    let pool = pool(&[(64, 4)]);
    let mut cache = PoolCache::<4, 4>::new(pool);
    let buffer = cache.alloc(64).unwrap();
    let slot = NonNull::new(buffer.as_ptr().cast_mut()).unwrap();
    cache.recycle(buffer);
    // SAFETY: a late second free; no raw allocation exists.
    unsafe {
        assert_eq!(pool.deallocate(slot).unwrap_err(), FreeError::NotAllocated);
        assert_eq!(pool.from_raw(slot).map(drop).unwrap_err(), FreeError::NotAllocated);
    }
    drop(cache);
    assert!(pool.is_idle());
}

#[test]
fn pool_only_buffers_stay_out_of_the_fallback() {
    static HEAP: Heap<true> = Heap::new();
    tierpool::pool! { static POOL = [64 x 2], fallback = &HEAP; }
    let mut cache = PoolCache::<2, 4>::new(&POOL);
    let mut buffer = cache.alloc_pooled(64).unwrap();
    assert_eq!(buffer.reserve(65), Err(AllocError::Oversized));
    cache.recycle(buffer);
    assert_eq!(cache.cached(), 1);
    let mut plain = cache.alloc(64).unwrap();
    plain.reserve(65).unwrap();
    assert!(!plain.is_pooled(), "the next owner's buffer is not sticky");
}

#[test]
fn an_empty_tier_spills_as_without_a_cache() {
    static HEAP: Heap<true> = Heap::new();
    let pool = fresh_pool(&Config::new(&[(64, 1), (128, 1)]).spill(1).fallback(&HEAP)).unwrap();
    let mut cache = PoolCache::<4, 4>::new(pool);
    let held = [(); 3].map(|()| cache.alloc(64).unwrap());
    assert_eq!(
        held.each_ref().map(|buffer| (buffer.capacity() >= 64, buffer.is_pooled())),
        [(true, true), (true, true), (true, false)]
    );
    let stats = pool.stats();
    assert_eq!(stats.requests(), 3);
    assert_eq!(stats.hits(), 2);
    assert_eq!(stats.fallbacks(), 1);
}

#[test]
fn statistics_are_complete_after_a_flush() {
    const REQUESTS: u64 = 70_000; // more than the cache counts before it reports
    let pool = pool(&[(64, 16)]);
    let mut cache = PoolCache::<8, 4>::new(pool);
    for _ in 0..REQUESTS {
        let buffer = cache.alloc(64).unwrap();
        cache.recycle(buffer);
    }
    assert!(REQUESTS - pool.stats().requests() < 1 << 16);
    cache.flush();
    let stats = pool.stats();
    assert_eq!(stats.requests(), REQUESTS);
    assert_eq!(stats.from_caches(), REQUESTS - 1);
    assert_eq!(stats.tiers()[0].served, 1);
}

#[test]
fn a_dropped_cache_reports_what_it_served() {
    let pool = pool(&[(64, 16)]);
    let mut cache = PoolCache::<8, 4>::new(pool);
    drop([(); 3].map(|()| cache.alloc(64).unwrap()));
    drop(cache);
    assert_eq!(pool.stats().requests(), 3);
    assert_eq!(pool.stats().from_caches(), 2);
}

#[test]
fn recycling_wipes_where_the_pool_wipes() {
    let pool = fresh_pool(&Config::new(&[(64, 1)]).zero_on_free(true)).unwrap();
    let mut cache = PoolCache::<2, 4>::new(pool);
    let mut secret = cache.alloc(64).unwrap();
    secret.extend_from_slice(&[0x5E; 64]).unwrap();
    cache.recycle(secret);
    let mut next = cache.alloc(64).unwrap();
    // SAFETY: the pool wipes, so every byte of a free slot is initialised.
    unsafe { next.set_len(64) };
    assert_eq!(next, [0; 64]);
}

#[test]
fn a_flush_ends_a_wait() {
    static WOKEN: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    fn wake(_: &'static Pool) {
        WOKEN.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }
    tierpool::pool! { static POOL = [64 x 2], on_free = wake; }
    let mut cache = PoolCache::<4, 4>::new(&POOL);
    drop(cache.alloc(64));
    let buffers = [POOL.alloc(64), cache.alloc(64)];
    buffers.into_iter().flatten().for_each(|buffer| cache.recycle(buffer));
    assert!(POOL.arm_free_notify(64), "both slots are the cache's");
    cache.flush();
    assert_eq!(WOKEN.load(std::sync::atomic::Ordering::Relaxed), 1);
    assert!(POOL.is_idle());
}

/// Buffers cross from thread to thread and come home to whichever cache is there.
#[test]
fn nothing_is_lost_among_threads() {
    const THREADS: usize = 4;
    const ROUNDS: usize = 20_000;
    let pool = pool(&[(64, 40), (512, 40)]);
    let barrier = Barrier::new(THREADS);
    let (senders, receivers): (Vec<_>, Vec<_>) =
        (0..THREADS).map(|_| sync_channel::<Bytes>(4)).unzip();
    thread::scope(|scope| {
        for (number, inbox) in receivers.into_iter().enumerate() {
            let next = senders[(number + 1) % THREADS].clone();
            let barrier = &barrier;
            scope.spawn(move || {
                let mut cache = PoolCache::<6, 4>::new(pool);
                let mut rng = Random::new(number as u64);
                for round in 0..ROUNDS {
                    let size = if rng.bool() { 64 } else { 512 };
                    if let Ok(mut buffer) = cache.alloc(size) {
                        let mark = [number as u8, round as u8];
                        buffer.extend_from_slice(&mark).unwrap();
                        let packet = buffer.freeze();
                        if let Err(back) = next.try_send(packet.clone()) {
                            drop(back);
                        }
                        assert_eq!(packet, mark);
                        cache.recycle(packet);
                    }
                    while let Ok(packet) = inbox.try_recv() {
                        assert_eq!(usize::from(packet[0]), (number + THREADS - 1) % THREADS);
                        cache.recycle(packet);
                    }
                }
                barrier.wait(); // nobody sends any more
                inbox.try_iter().for_each(|packet| cache.recycle(packet));
            });
        }
    });
    drop(senders);
    assert!(pool.is_idle(), "{:#}", pool.stats());
    assert_eq!(pool.stats().hits() + pool.stats().misses(), (ROUNDS * THREADS) as u64);
}
