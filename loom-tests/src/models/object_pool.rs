//! Typed objects over the same free list.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use loom::thread;
use tierpool::{ObjectPool, RecyclePool};

use crate::fixture::race;
use crate::model::{Model, exhaustive};

pub const MODELS: &[Model] = &[
    exhaustive("object_handover", object_handover).narrow(),
    exhaustive("object_moved_out", object_moved_out).narrow(),
    exhaustive("shared_object_dropped_by_two", shared_object_dropped_by_two).narrow(),
    exhaustive("shared_object_written_after_drop", shared_object_written_after_drop),
    exhaustive("shared_object_unwrapped_against_drop", shared_object_unwrapped_against_drop)
        .narrow(),
    exhaustive("recycled_handover", recycled_handover).narrow(),
];

/// Counts its drops, in a counter that takes part in no race.
struct Dropped(Arc<AtomicU32>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.fetch_add(1, Relaxed);
    }
}

/// One slot for two values: a destructor and a push, a pop and a write. Exposes a slot that is
/// pushed before its value is gone, and a value that is dropped twice or never.
fn object_handover() {
    let pool = Arc::new(ObjectPool::<Dropped, 1>::new());
    let drops = Arc::new(AtomicU32::new(0));
    let once = |pool: Arc<ObjectPool<Dropped, 1>>, drops: Arc<AtomicU32>| {
        let _in_the_pool_or_back = pool
            .alloc(Dropped(drops))
            .map(|object| object.0.load(Relaxed))
            .map_err(|value| value.0.load(Relaxed));
    };
    let (theirs, counted) = (pool.clone(), drops.clone());
    race(move || once(theirs, counted), || once(pool.clone(), drops.clone()));
    assert_eq!(drops.load(Relaxed), 2);
    assert!(pool.is_idle());
}

/// A value moved out by one thread while the other waits for its slot. Exposes a slot that is
/// pushed before the move.
fn object_moved_out() {
    let pool = Arc::new(ObjectPool::<u32, 1>::new());
    let theirs = pool.clone();
    let other = thread::spawn(move || {
        theirs.alloc(1).map_or_else(|value| value, |object| object.into_inner())
    });
    let mine = pool.alloc(2).map_or_else(|value| value, |object| object.into_inner());
    assert_eq!(mine, 2);
    assert_eq!(other.join().unwrap(), 1);
    assert!(pool.is_idle());
}

/// One value with two handles, one of them a clone of this moment, and one with a third. Exposes a
/// value that is dropped twice, never, or before the other holder has read it.
fn shared_object_dropped_by_two() {
    let pool = Arc::new(ObjectPool::<Dropped, 1>::new());
    let drops = Arc::new(AtomicU32::new(0));
    // SAFETY: the pool outlives both threads, which are joined below.
    let within: &'static ObjectPool<Dropped, 1> = unsafe { &*Arc::as_ptr(&pool) };
    let mine = within.alloc(Dropped(drops.clone())).ok().expect("a free slot").share();
    let theirs = mine.clone();
    race(
        move || {
            let third = theirs.clone();
            assert_eq!(theirs.0.load(Relaxed), 0);
            drop(theirs);
            assert_eq!(third.0.load(Relaxed), 0);
        },
        || {
            assert_eq!(mine.0.load(Relaxed), 0);
            drop(mine);
        },
    );
    assert_eq!(drops.load(Relaxed), 1);
    assert!(pool.is_idle());
}

/// One holder reads and lets go; the other one writes if it has been the last. Exposes a write that
/// comes before the read.
fn shared_object_written_after_drop() {
    let pool = Arc::new(ObjectPool::<u32, 1>::new());
    // SAFETY: as above.
    let within: &'static ObjectPool<u32, 1> = unsafe { &*Arc::as_ptr(&pool) };
    let mut mine = within.alloc(1).expect("a free slot").share();
    let theirs = mine.clone();
    race(
        move || assert_eq!(*theirs, 1),
        || {
            if let Some(value) = mine.get_mut() {
                *value = 2;
            }
            drop(mine);
        },
    );
    assert!(pool.is_idle());
}

/// One holder reads and lets go; the other one takes the value out, or lets go as well. Exposes a
/// value that is taken out while it is read, and one that is both taken and dropped.
fn shared_object_unwrapped_against_drop() {
    let pool = Arc::new(ObjectPool::<Dropped, 1>::new());
    let drops = Arc::new(AtomicU32::new(0));
    // SAFETY: as above.
    let within: &'static ObjectPool<Dropped, 1> = unsafe { &*Arc::as_ptr(&pool) };
    let mine = within.alloc(Dropped(drops.clone())).ok().expect("a free slot").share();
    let theirs = mine.clone();
    let ((), values) = race(
        move || assert_eq!(theirs.0.load(Relaxed), 0),
        || match mine.try_unwrap() {
            Ok(mut object) => {
                *object = Dropped(drops.clone()); // drops the one that was shared
                assert_eq!(drops.load(Relaxed), 1);
                drop(object.into_inner());
                2
            }
            Err(shared) => {
                drop(shared);
                1
            }
        },
    );
    assert_eq!(drops.load(Relaxed), values);
    assert!(pool.is_idle());
}

/// One value that two threads ask for, and change. Exposes an owner that does not see what the last
/// one wrote.
fn recycled_handover() {
    let pool = Arc::new(RecyclePool::<u32, 1>::new([0]));
    let once = |pool: Arc<RecyclePool<u32, 1>>| {
        pool.request().map_or(0, |mut value| {
            *value += 1;
            1
        })
    };
    let theirs = pool.clone();
    let (theirs, mine) = race(move || once(theirs), || once(pool.clone()));
    assert_eq!(*pool.request().expect("both have given it back"), theirs + mine);
    assert!(pool.is_idle());
}
