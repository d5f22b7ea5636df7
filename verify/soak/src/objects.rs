//! Values in an object pool. They count themselves, and some have a destructor that panics.

use crate::choices::Choices;
use crate::faults::Fault;
use crate::worker::{Worker, fresh, take};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use tierpool::{Object, ObjectPool};

/// Objects that all workers share.
pub static OBJECTS: ObjectPool<Counted, SLOTS> = ObjectPool::new();
/// How many the pool holds.
pub const SLOTS: usize = 24;

/// A handle on one.
pub type Held = Object<'static, Counted, SLOTS>;

static LIVE: AtomicUsize = AtomicUsize::new(0);

/// A value that knows when it is damaged.
#[derive(Debug)]
pub struct Counted {
    words: [u64; 4],
    panics: bool,
}

impl Counted {
    /// A new value. With `panics`, so does its destructor.
    pub fn new(seed: u64, panics: bool) -> Self {
        LIVE.fetch_add(1, Relaxed);
        Counted { words: [seed; 4], panics }
    }

    /// Writes it anew.
    pub fn rewrite(&mut self, seed: u64) {
        self.words = [seed; 4];
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        LIVE.fetch_sub(1, Relaxed);
        assert!(self.words.iter().all(|&word| word == self.words[0]), "damaged: an object has two owners");
        if self.panics {
            std::panic::resume_unwind(Box::new("at times")); // no message, and no hook
        }
    }
}

/// Values not yet dropped, in the pool or out of it.
pub fn live() -> usize {
    LIVE.load(Relaxed)
}

impl Worker {
    pub(crate) fn object_alloc(&mut self, choices: &mut dyn Choices) -> Option<()> {
        let seed = fresh().seed;
        match OBJECTS.alloc(Counted::new(seed, choices.once_in(8))) {
            Ok(mut object) => {
                object.rewrite(seed + 1);
                self.objects.push(object);
            }
            Err(value) => {
                self.refused();
                self.let_go(value);
            }
        }
        Some(())
    }

    pub(crate) fn object_drop(&mut self, choices: &mut dyn Choices) -> Option<()> {
        let object = take(&mut self.objects, choices)?;
        match choices.below(3) {
            0 => self.let_go(object),
            1 => self.let_go(object.into_inner()),
            _ => {
                let pointer = object.into_raw();
                // SAFETY: from `into_raw`, once.
                self.objects.push(unsafe { OBJECTS.from_raw(pointer) });
            }
        }
        Some(())
    }

    /// Drops what may panic.
    pub(crate) fn let_go<T>(&mut self, value: T) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(value))) {
            assert_eq!(panic.downcast_ref(), Some(&"at times"));
            self.count(Fault::Panic);
        }
    }
}
