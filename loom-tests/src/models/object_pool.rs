//! Typed objects over the same free list.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use loom::thread;
use tierpool::ObjectPool;

use crate::fixture::race;
use crate::model::{Model, exhaustive};

pub const MODELS: &[Model] = &[
    exhaustive("object_handover", object_handover).narrow(),
    exhaustive("object_moved_out", object_moved_out).narrow(),
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
