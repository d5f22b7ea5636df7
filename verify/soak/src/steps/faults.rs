//! Steps that must fail and change nothing, and heaps that fail on their own.

use crate::counts::Fault;
use crate::held::take;
use crate::pools::{self, FREES_LATER, FREES_NOW, Tested, mend_heaps};
use crate::worker::Worker;
use std::alloc::Layout;
use std::ptr::NonNull;
use tierpool::FreeError;
use tierpool_testkit::Choices;

/// A free that must be refused.
fn refused_free(tested: &Tested, address: usize, expected: FreeError) {
    let pointer = NonNull::new(address as *mut u8).expect("not null");
    // SAFETY: never a raw allocation, so nothing is given up: a foreign or interior pointer, or one
    // to a slot that handles own, or one of a pool of which nobody has raw slots.
    let freed = unsafe { tested.pool.deallocate(pointer) };
    assert_eq!(freed, Err(expected), "{}: a bad free", tested.name);
    // SAFETY: the same.
    let handle = unsafe { tested.pool.from_raw(pointer) };
    assert_eq!(handle.err(), Some(expected), "{}: a handle on what is not raw", tested.name);
}

impl Worker {
    pub(crate) fn bad_free(&mut self, choices: &mut dyn Choices) -> Option<()> {
        let shared = take(&mut self.shared, choices)?;
        let (home, size) = (shared.home, shared.bytes.footprint());
        let (_, other) = self.pool(choices);
        let own = pools::owner(home);
        let fault = match (own, choices.below(4)) {
            // A slot that was given back may be anybody's by now, but nobody's raw slot in a pool
            // that has none.
            (Some(own), 0) if !own.raw => {
                drop(shared);
                refused_free(own, home, FreeError::NotAllocated);
                self.count(Fault::DoubleFree);
                return Some(());
            }
            (Some(own), 0 | 1) => {
                refused_free(own, home, FreeError::NotAllocated);
                Fault::Owned
            }
            (Some(own), 2) if size > 1 => {
                refused_free(own, home + 1 + choices.below(size - 1), FreeError::Interior);
                Fault::Interior
            }
            _ => {
                let on_stack = 0_u8;
                let own = own.is_some_and(|own| std::ptr::eq(own, other));
                refused_free(
                    other,
                    if own { (&raw const on_stack).addr() } else { home },
                    FreeError::Foreign,
                );
                Fault::Foreign
            }
        };
        self.count(fault);
        self.shared.push(shared);
        Some(())
    }

    pub(crate) fn bad_range(&mut self, choices: &mut dyn Choices) -> Option<()> {
        let mut shared = take(&mut self.shared, choices)?;
        let len = shared.bytes.len();
        let bytes = &mut shared.bytes;
        let past = if choices.below(2) == 0 { len + 1 } else { usize::MAX };
        assert!(
            bytes.slice(..past).is_err()
                && bytes.slice(past..).is_err()
                && bytes.slice(1..=usize::MAX).is_err()
        );
        assert!(
            bytes.split_to(past).is_err()
                && bytes.split_off(past).is_err()
                && bytes.advance(past).is_err()
        );
        shared.check();
        self.shared.push(shared);
        if let Some(owned) = self.muts.last_mut() {
            assert!(
                owned.buffer.advance(owned.buffer.len() + 1).is_err()
                    && owned.buffer.reset(usize::MAX).is_err()
            );
            owned.check();
        }
        self.count(Fault::Range);
        Some(())
    }

    pub(crate) fn absurd_size(&mut self, choices: &mut dyn Choices) -> Option<()> {
        let size = usize::MAX - choices.below(256);
        let pool = self.pool(choices).1.pool;
        assert!(
            pool.alloc(size).is_err()
                && pool.alloc_pooled(size).is_err()
                && pool.alloc_with_headroom(size, size).is_err()
        );
        assert!(pool.alloc_with_headroom(100, size).is_err());
        let layout = Layout::from_size_align(isize::MAX as usize, 1).expect("the largest");
        assert!(pool.allocate(layout).is_err());
        if let Some(owned) = self.muts.last_mut() {
            assert!(
                owned.buffer.reserve(size).is_err() && owned.buffer.reserve_front(size).is_err()
            );
            owned.check();
        }
        self.count(Fault::Size);
        Some(())
    }

    /// From now on a heap refuses all calls but the next few, or hands out misaligned memory.
    pub(crate) fn spoil_heap(&mut self, choices: &mut dyn Choices) -> Option<()> {
        let (calls, skew) = (choices.below(8), choices.below(4));
        match choices.below(4) {
            0 => FREES_NOW.allow(calls),
            1 => FREES_LATER.allow(calls),
            2 => FREES_NOW.skew(skew & 1, skew >> 1),
            _ => FREES_LATER.skew(skew & 1, skew >> 1),
        }
        Some(())
    }

    pub(crate) fn mend_heap(&mut self, _: &mut dyn Choices) -> Option<()> {
        mend_heaps();
        Some(())
    }
}
