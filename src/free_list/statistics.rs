//! What can be read off a list that others go on using: never on a hot path, exact when it rests.
//!
//! | figure | read from |
//! |---|---|
//! | served | the head's tag, and how often its top bit has flipped |
//! | missed | a counter that those who leave empty-handed add to |
//! | peak | the highest state word that is not 0 |
//! | in use, cached | the marks in all state words, between two looks at the head; none in a cache, or it may have moved unseen |
//! | complete | a walk from the head, between two looks at it |

use super::FreeList;
use crate::counter;
use crate::sync::{Acquire, HeadWord, Relaxed, Release};

impl FreeList<'_> {
    /// Counts a request that found the list empty.
    pub(crate) fn count_miss(&self) {
        self.head.missed.bump();
    }

    /// Requests that found the list empty, since start.
    pub(crate) fn missed(&self) -> u64 {
        self.head.missed.get()
    }

    /// Pops since start, 64 bits.
    pub(crate) fn served(&self) -> u64 {
        let index_bits = self.mask.count_ones();
        loop {
            // Acquire: pairs with the Release of `count_flip`: the tag is not older than the last flip that is counted here.
            let flips = self.head.flips.load(Acquire);
            // Relaxed: it may be younger by one flip, which the parity tells, see `counter`.
            let head = self.head.word.load(Relaxed);
            // Relaxed: only compared; it finds that half a turn has passed since the first load, and needs no order for that.
            if self.head.flips.load(Relaxed) == flips {
                let tag = head >> index_bits;
                #[allow(clippy::useless_conversion)] // where the head is 64 bits wide
                return counter::extend(u64::from(tag), HeadWord::BITS - index_bits, flips);
            }
        }
    }

    /// Highest slot ever used + 1: the most slots that were off the list at once (never-used slots lie at the
    /// bottom, in order).
    pub(crate) fn peak(&self) -> u32 {
        // SAFETY: the range ends below the number of slots.
        (0..self.slots).rev().find(|&i| unsafe { self.state(i) }.was_used()).map_or(0, |i| i + 1)
    }

    /// For models: as if so many requests had been served and missed, see [`counter::before_flip`].
    #[cfg(loom)]
    pub(crate) fn begin_before_flip(&self, flips: u32, left: u32) {
        let index_bits = self.mask.count_ones();
        let (tag, flips) = counter::before_flip(HeadWord::BITS - index_bits, flips, left);
        // Relaxed, all: before the threads of the model begin.
        let index = self.index(self.head.word.load(Relaxed));
        self.head.word.store(self.with_index((tag as HeadWord) << index_bits, index), Relaxed);
        self.head.flips.store(flips, Relaxed);
        self.head.missed.begin_before_flip(flips, left);
    }

    /// Slots in use, slots in caches, and whether nothing can have moved while they were counted.
    pub(crate) fn hands(&self) -> (u32, u32, bool) {
        const TRIES: u32 = 4;
        let (mut in_use, mut cached) = (0, 0);
        for _ in 0..TRIES {
            // Relaxed: only compared.
            let before = self.head.word.load(Relaxed);
            (in_use, cached) = (0, 0);
            for i in 0..self.slots {
                // SAFETY: the range ends below the number of slots.
                let state = unsafe { self.state(i) };
                let (mine, theirs) = state.hands();
                in_use += u32::from(mine);
                cached += u32::from(theirs);
            }
            // Still the same means that no pop fell into the scan (its tag would show), nor a push (which cannot be undone
            // without a pop). A slot between its pop and its mark counts as free, and another core's marks may arrive late:
            // exact at quiescence. What a cache takes and gets does not move the head, so with slots in caches nobody can tell.
            if self.is_still(before) {
                return (in_use, cached, cached == 0);
            }
        }
        (in_use, cached, false)
    }

    /// The head, if every slot is on the list; what its last owner did with it has happened before, and all of this is true of
    /// a moment at which the head [is still](Self::is_still) the same afterwards. Walks the list.
    pub(crate) fn complete(&self) -> Option<HeadWord> {
        // Acquire: pairs with the Release of the pushes, as in `pop`.
        let head = self.head.word.load(Acquire);
        let mut index = self.index(head);
        let mut length = 0;
        while index < self.slots && length < self.slots {
            // SAFETY: just compared.
            if unsafe { self.state(index) }.in_use() {
                return None;
            }
            // SAFETY: the same.
            index = unsafe { self.below(index) };
            length += 1;
        }
        (length == self.slots && index >= self.slots).then_some(head)
    }

    /// Nothing has been popped or pushed since the head was `head`, and what was read since is no younger than that.
    pub(crate) fn is_still(&self, head: HeadWord) -> bool {
        // A read-modify-write, since a load may return what the head was though words have been read that were written when it
        // had moved. Release: they were read before this swap, and who pops after it (Acquire, or by a swap of its own that
        // its stores depend on) writes them later. Relaxed: moved, so what was read is discarded.
        self.head.word.compare_exchange(head, head, Release, Relaxed).is_ok()
    }

    /// Every slot is on the list, and what its last owner did with it has happened before.
    pub(crate) fn is_complete(&self) -> bool {
        self.complete().is_some_and(|head| self.is_still(head))
    }
}
