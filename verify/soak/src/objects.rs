//! Values in an object pool. They count themselves, and some have a destructor that panics.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use tierpool::{Object, ObjectPool, RecyclePool, Recycled, RecycledWait};

/// Objects that all workers share.
pub static OBJECTS: ObjectPool<Counted, SLOTS> = ObjectPool::new();
/// How many the pool holds.
pub const SLOTS: usize = 24;

/// A handle on one.
pub type Held = Object<'static, Counted, SLOTS>;

/// Values that stay in their slots: equal words, whoever wrote them last.
pub static RECYCLED: RecyclePool<[u64; 4], 2, PLACES> = RecyclePool::with_waiters([[0; 4]; 2]);
/// Places to wait for one. A worker that finds none has been refused.
const PLACES: usize = 3;

/// A handle on one.
pub type Value = Recycled<'static, [u64; 4], 2, PLACES>;
/// A wait for one.
pub type ValueWait = RecycledWait<'static, [u64; 4], 2, PLACES>;

static LIVE: AtomicUsize = AtomicUsize::new(0);

/// A number that no other value has.
fn fresh() -> u64 {
    static NUMBERS: AtomicU64 = AtomicU64::new(0);
    NUMBERS.fetch_add(1, Relaxed)
}

/// A value that knows when it is damaged.
#[derive(Debug)]
pub struct Counted {
    words: [u64; 4],
    panics: bool,
}

impl Counted {
    /// A new value. With `panics`, so does its destructor.
    pub fn new(panics: bool) -> Self {
        LIVE.fetch_add(1, Relaxed);
        Counted { words: [fresh(); 4], panics }
    }

    /// Writes it anew.
    pub fn rewrite(&mut self) {
        self.words = [fresh(); 4];
    }

    /// Panics if anybody else has written it.
    pub fn check(&self) {
        assert!(
            self.words.iter().all(|&word| word == self.words[0]),
            "damaged: an object has two owners"
        );
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        LIVE.fetch_sub(1, Relaxed);
        self.check();
        if self.panics {
            std::panic::resume_unwind(Box::new("at times")); // no message, and no hook
        }
    }
}

/// Values not yet dropped, in the pool or out of it.
pub fn live() -> usize {
    LIVE.load(Relaxed)
}
