//! Secrets: with `zero_on_free` nothing of a buffer is left once it has been freed, on whichever
//! path.

use std::alloc::Layout;
use tierpool::{BytesMut, Config, Pool};
use tierpool_testkit::{Heap, assert_all_home, fresh_pool};

const SECRET: u8 = 0xA5;

/// Looks at every byte of every slot, through raw allocations.
fn secrets_in(pool: &'static Pool) -> usize {
    let mut found = 0;
    let mut slots = Vec::new();
    for tier in pool.stats().tiers() {
        while let Ok(slot) = pool.allocate(Layout::from_size_align(tier.size, 1).unwrap()) {
            // SAFETY: the slot is ours, and the payload of these pools was zero at first (that of
            // static pools is not initialised).
            found += unsafe { slot.as_ref() }.iter().filter(|&&byte| byte == SECRET).count();
            slots.push(slot);
        }
    }
    // SAFETY: the slots are not used any more.
    slots.into_iter().for_each(|slot| unsafe { pool.deallocate(slot.cast()) }.unwrap());
    found
}

fn secret(pool: &'static Pool, bytes: usize) -> BytesMut {
    pool.copy_from_slice(&vec![SECRET; bytes]).unwrap()
}

/// A name, and a way to free buffers that are full of secrets.
type Path = (&'static str, fn(&'static Pool));

/// Every way a buffer can be freed.
const PATHS: [Path; 12] = [
    ("the drop of the owner", |pool| drop(secret(pool, 64))),
    ("the drop of a sticky owner", |pool| {
        pool.alloc_pooled(9).unwrap().extend_from_slice(&[SECRET; 64]).unwrap()
    }),
    ("the drop of shared bytes", |pool| {
        drop([secret(pool, 64).freeze().clone(), secret(pool, 64).freeze()])
    }),
    ("the last drop, of a part", |pool| {
        let bytes = secret(pool, 64).freeze();
        let part = bytes.slice(..1).unwrap();
        drop(bytes);
        drop(part);
    }),
    ("a cut buffer's drop", |pool| {
        let mut buffer = secret(pool, 64);
        buffer.truncate(3);
        buffer.advance(2).unwrap();
        buffer.clear();
    }),
    ("a reset buffer's drop", |pool| secret(pool, 64).reset(5).unwrap()),
    ("growth into a larger slot", |pool| secret(pool, 64).reserve(1).unwrap()),
    ("growth in front", |pool| secret(pool, 64).prepend(&[SECRET]).unwrap()),
    ("copy-on-write", |pool| {
        let mut bytes = secret(pool, 64).freeze();
        let other = bytes.clone();
        bytes.make_mut().unwrap()[0] = SECRET;
        drop(other);
    }),
    ("a move into a smaller slot", |pool| {
        let mut part = secret(pool, 200).freeze().slice(..10).unwrap();
        part.compact_in(pool).unwrap();
    }),
    ("a raw free", |pool| {
        let slot = secret(pool, 64).into_raw().unwrap();
        // SAFETY: the slot is not used any more.
        unsafe { pool.deallocate(slot.cast()) }.unwrap();
    }),
    ("a raw free by layout, and a raw slot made a handle", |pool| {
        let layout = Layout::new::<[u8; 64]>();
        let mut slots = [pool.allocate(layout).unwrap(), pool.allocate(layout).unwrap()];
        // SAFETY: both are ours; one is given up by its layout, the other becomes a handle.
        unsafe {
            slots.iter_mut().for_each(|slot| slot.as_mut().fill(SECRET));
            pool.deallocate_sized(slots[0].cast(), layout);
            drop(pool.from_raw(slots[1].cast()).unwrap());
        }
    }),
];

#[test]
fn no_path_leaves_a_secret_in_a_slot() {
    let pool = fresh_pool(&Config::new(&[(64, 3), (256, 3)]).zero_on_free(true)).unwrap();
    for (path, run) in PATHS {
        run(pool);
        assert_all_home(pool);
        assert_eq!(secrets_in(pool), 0, "after {path}");
    }
}

#[test]
fn no_path_leaves_a_secret_in_an_aligned_slot() {
    let pool = fresh_pool(&Config::new(&[(50, 3), (200, 3)]).align(64).zero_on_free(true)).unwrap();
    for (path, run) in PATHS {
        run(pool);
        assert_eq!(secrets_in(pool), 0, "after {path}");
    }
}

/// So the tests above can fail.
#[test]
fn without_the_option_every_path_leaves_one() {
    for (path, run) in PATHS {
        // A pool for each: what is left once stays.
        let pool = fresh_pool(&Config::new(&[(64, 3), (256, 3)])).unwrap();
        run(pool);
        assert_ne!(secrets_in(pool), 0, "after {path}");
    }
}

/// Blocks of allocators, that grow into a larger slot, shrink into a smaller one, and are freed.
#[cfg(feature = "alloc")]
#[test]
fn allocators_leave_no_secret() {
    use std::alloc::{GlobalAlloc, System};
    fn secrets_left_by_each_step(pool: &'static Pool) -> [usize; 3] {
        let allocator = tierpool::PoolGlobalAlloc::new(pool, System);
        let layout = |bytes| Layout::from_size_align(bytes, 1).unwrap();
        // SAFETY: each block is given up with the layout that it has then.
        unsafe {
            let small = allocator.alloc(layout(64));
            small.write_bytes(SECRET, 64);
            let grown = allocator.realloc(small, layout(64), 200);
            let after_growth = secrets_in(pool);
            grown.write_bytes(SECRET, 200);
            let shrunk = allocator.realloc(grown, layout(200), 40);
            let after_shrinking = secrets_in(pool);
            allocator.dealloc(shrunk, layout(40));
            [after_growth, after_shrinking, secrets_in(pool)]
        }
    }
    let tiers = Config::new(&[(64, 3), (256, 3)]);
    let wiped = fresh_pool(&tiers.zero_on_free(true)).unwrap();
    assert_eq!(secrets_left_by_each_step(wiped), [0; 3]);
    assert!(
        secrets_left_by_each_step(fresh_pool(&tiers).unwrap()).iter().all(|&secrets| secrets > 0),
        "so the test can fail"
    );
    assert_all_home(wiped);
}

#[test]
fn a_heap_gets_no_secret_back() {
    fn check<const FREE_NOW: bool>(
        pool: &'static Pool,
        heap: &'static Heap<FREE_NOW>,
        dirty: bool,
    ) {
        let bytes = secret(pool, 3000).freeze();
        let mut copy = bytes.clone();
        copy.make_mut().unwrap()[0] = 1;
        let mut grown = copy.into_mut().unwrap();
        grown.reserve(5000).unwrap();
        drop((bytes, grown));
        assert_all_home(pool);
        assert_eq!(heap.outstanding(), (0, 0));
        assert_eq!(pool.stats().fallbacks(), 3);
        assert_eq!(heap.dirty(), if dirty { 3 } else { 0 });
    }
    static NOW: Heap<true> = Heap::new();
    static LATER: Heap<false> = Heap::new();
    static PLAIN: Heap<true> = Heap::new();
    tierpool::pool! { static ON_NOW = [16 x 1], fallback = &NOW, zero_on_free = true; }
    tierpool::pool! { static ON_LATER = [16 x 1], fallback = &LATER, zero_on_free = true; }
    tierpool::pool! { static ON_PLAIN = [16 x 1], fallback = &PLAIN; }
    check(&ON_NOW, &NOW, false);
    check(&ON_LATER, &LATER, false);
    check(&ON_PLAIN, &PLAIN, true);
}

/// Where the fallback may free only later, the wipe does not wait for it: nothing is left between
/// the drop and the reclaim.
#[test]
fn a_deferred_buffer_is_wiped_by_the_drop() {
    fn secrets_left(pool: &'static Pool) -> usize {
        let mut buffer = secret(pool, 1000);
        let (start, capacity) = (buffer.as_mut_ptr(), buffer.capacity());
        drop(buffer);
        // SAFETY: the heap has zeroed all of it, and gets it back below.
        let found = unsafe { std::slice::from_raw_parts(start, capacity) }
            .iter()
            .filter(|&&byte| byte == SECRET)
            .count();
        assert_eq!(pool.reclaim(), 1);
        found
    }
    static HEAP: Heap<false> = Heap::new();
    tierpool::pool! { static WIPED = [16 x 1], fallback = &HEAP, zero_on_free = true; }
    tierpool::pool! { static PLAIN = [16 x 1], fallback = &HEAP; }
    assert_eq!(secrets_left(&WIPED), 0);
    assert_eq!(secrets_left(&PLAIN), 1000);
}

/// What is not freed is not wiped: a forgotten handle, a cut-off part of a buffer that is still
/// held.
#[test]
fn what_is_still_held_is_not_wiped() {
    tierpool::pool! { static POOL = [64 x 1], zero_on_free = true; }
    let mut buffer = secret(&POOL, 64);
    buffer.truncate(1);
    buffer.reset(0).unwrap();
    assert_eq!(POOL.alloc(1).unwrap_err(), tierpool::AllocError::Exhausted);
    // SAFETY: written above, and still there.
    unsafe { buffer.set_len(64) };
    assert_eq!(buffer, [SECRET; 64]);
}
