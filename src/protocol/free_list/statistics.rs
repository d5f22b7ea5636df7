//! What can be read off a list that others go on using: never on a hot path, exact when it rests.
//!
//! | figure | read from |
//! |---|---|
//! | served | the head's tag, and how often its top bit has flipped |
//! | missed | a counter that those who leave empty-handed add to |
//! | peak | the highest state word that is not 0 |
//! | in use, cached | the marks in all state words, between two looks at the head; none in a cache, or it may have moved unseen |
//! | complete | a walk from the head, between two looks at it |

use crate::protocol::atomics::{Acquire, HeadWord, Relaxed, Release};
use crate::protocol::counter;
use crate::protocol::free_list::FreeList;

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

    /// The tag now: it rises with each pop, and with nothing else.
    #[cfg(feature = "lanes")]
    pub(crate) fn tag(&self) -> HeadWord {
        self.head_now() & !HeadWord::from(self.mask)
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
            if self.unchanged_since(before) {
                return (in_use, cached, cached == 0);
            }
        }
        (in_use, cached, false)
    }

    /// The head, if every slot is on the list; what its last owner did with it has happened before, and all of this is true of
    /// a moment if the head is the [same afterwards](Self::head_now). Walks the list.
    pub(crate) fn head_if_all_free(&self) -> Option<HeadWord> {
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
            index = unsafe { self.next_of(index) };
            length += 1;
        }
        (length == self.slots && index >= self.slots).then_some(head)
    }

    /// The head, for a second look at a list, or at several.
    ///
    /// **What tells.** A pop adds to the tag, which outweighs every index. So a list that was complete or empty at both looks, with the
    /// same head, was so all the time: what had come back would have had to go. Of several such lists the *sum* of the heads tells
    /// as much, since none of them can have fallen: to a complete list nothing is pushed, and an empty one is armed at most, which
    /// adds one. (A head falls by a push. So a list that is neither must stay out of the sum: it could hide that another one has
    /// risen.) The sum wraps, as a tag does, and is deceived as a tag is: by pops between the looks that come to exactly a
    /// multiple of the whole word, which are 2^22 at least.
    ///
    /// **A moment that all agree on** lies between the looks at all lists and the second looks at all of them. What if somebody
    /// gives a slot of one list back and then takes one of another, and the looks see the second, but not the first? Not seeing it,
    /// the second look has written the head before. So the push was made on what that look had written, the pop came after the
    /// push had succeeded, and the first look, which saw the pop, before the second look: a circle. No edge of it depends on an
    /// ordering of the pop, which may stay Relaxed: the second look is ordered behind the first by what is named below, a push
    /// behind the write that it replaces by being a read-modify-write, and a pop behind the push by the branch on the push's
    /// success, which holds a store back on Arm and RISC-V, too. (With a mere load, the push may still be on its way though the
    /// pop has been seen. That is also why this look has to find the list empty, and not the pop before it, which loads.)
    pub(crate) fn head_now(&self) -> HeadWord {
        // A read-modify-write that changes nothing, since a load may return what the head was, though words have been read that
        // were written when it had moved. Release: all that was read before, by this look or by looks at other heads, comes before
        // its write, and whoever pops on what it has written (Acquire, or by a swap of its own that its stores depend on) writes
        // later. Relaxed would not do: a compiler makes a load of an addition of nothing that publishes nothing. (Of this one it
        // makes a fence and a load on x86, where that is as good: all see the swaps in one order there, and loads in theirs.)
        self.head.word.fetch_or(0, Release)
    }

    /// As [`head_now`](Self::head_now), if the list is empty.
    #[inline(always)]
    pub(crate) fn empty_now(&self) -> Option<HeadWord> {
        let head = self.head_now();
        (self.index(head) >= self.slots).then_some(head)
    }

    /// Nothing has been popped or pushed since the head was `head`, and what was read since is no younger than that.
    fn unchanged_since(&self, head: HeadWord) -> bool {
        self.head_now() == head
    }

    /// Every slot is on the list, and what its last owner did with it has happened before.
    pub(crate) fn is_complete(&self) -> bool {
        self.head_if_all_free().is_some_and(|head| self.unchanged_since(head))
    }
}
