//! A chain: slots off the free list that one context has to itself, linked through their state words.
//!
//! ```text
//!   chain    first ─► │ CACHED + link │ ─► │ CACHED + link │ ─► …       len slots; the last link leads nowhere
//!                          put, take: plain stores
//!   list     head ──► free ─► free ─► …    refill, give_back: one compare-and-swap for many slots
//! ```
//!
//! The methods take the list that the chain belongs to, so that a chain is two half-words.

use crate::free_list::FreeList;
use crate::tier::Tier;

/// See the module. All slots of one chain come from one tier.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chain {
    first: u16,
    len: u16,
}

impl Chain {
    pub(crate) const EMPTY: Chain = Chain { first: 0, len: 0 };

    /// Slots.
    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        self.len.into()
    }

    /// Takes the first slot, and marks it held by handles.
    ///
    /// # Safety
    /// `list` is the one that this chain belongs to.
    #[inline(always)]
    pub(crate) unsafe fn take(&mut self, list: &FreeList<'_>, mark: u32) -> Option<u32> {
        self.len = self.len.checked_sub(1)?;
        let index = u32::from(self.first);
        // SAFETY: the slots of a chain are slots of its list.
        unsafe {
            self.first = list.below(index) as u16;
            list.state(index).set_held(mark);
        }
        Some(index)
    }

    /// Puts a slot in front.
    ///
    /// # Safety
    /// `list` is the one that this chain belongs to. The caller owns slot `index`, which is on no list, and gives it up.
    #[inline(always)]
    pub(crate) unsafe fn put(&mut self, list: &FreeList<'_>, index: u32) {
        // SAFETY: an owned slot is a slot of its list.
        let state = unsafe { list.state(index) };
        state.touch_write();
        state.set_cached(FreeList::link(index, self.first.into()));
        self.first = index as u16;
        self.len += 1;
    }

    /// Fills an empty chain with up to `most` slots of the free list, at least one. False if that is empty.
    ///
    /// # Safety
    /// `list` is the one that this chain belongs to.
    pub(crate) unsafe fn refill(&mut self, list: &FreeList<'_>, most: u32) -> bool {
        debug_assert!(self.len == 0);
        let Some((first, count)) = list.pop_chain(most) else { return false };
        *self = Chain { first: first as u16, len: count as u16 };
        let mut index = first;
        for _ in 0..count {
            // SAFETY: the slots of a chain are slots of its list.
            unsafe {
                let state = list.state(index);
                state.set_cached(state.link());
                index = list.below(index);
            }
        }
        true
    }

    /// Gives the first `count` slots back to the free list of their tier; there are at least so many. Wakes who waits.
    ///
    /// # Safety
    /// `tier` is the one that this chain belongs to.
    pub(crate) unsafe fn give_back(&mut self, tier: &Tier, count: usize) {
        debug_assert!(count <= self.len());
        let list = tier.list();
        let (first, mut last, mut next) = (u32::from(self.first), 0, u32::from(self.first));
        for _ in 0..count {
            last = next;
            // SAFETY: the slots of a chain are slots of its list.
            unsafe {
                let state = list.state(last);
                state.set_free(state.link());
                next = list.below(last);
            }
        }
        if count > 0 {
            *self = Chain { first: next as u16, len: self.len - count as u16 };
            // SAFETY: the slots from `first` to `last` were this chain's, and are so no more.
            unsafe { tier.free_out_of_line(first, last) }
        }
    }
}
