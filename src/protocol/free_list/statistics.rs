//! Figures about a list that other contexts may still use. They are never read on a hot path, and
//! they are exact while the list does not change.
//!
//! | figure | read from |
//! |---|---|
//! | served | the head's tag, and how often its top bit has flipped |
//! | missed | a counter; each request that finds the list empty adds one |
//! | peak | the state words of slots that were used |
//! | in use, cached | the marks in all state words, between two looks at the head. Exact only if no slot is in a cache: a cache moves slots unseen |
//! | complete | a walk from the head, between two looks at the head |

use crate::protocol::atomics::{Acquire, HeadWord, Relaxed, Release};
use crate::protocol::counter;
use crate::protocol::free_list::FreeList;
#[cfg(feature = "track")]
use crate::protocol::holder::Holder;

impl<'a> FreeList<'a> {
    /// Counts a request that found the list empty.
    pub(crate) fn count_miss(&self) {
        self.head.missed.bump();
    }

    /// The number of requests that found the list empty, since the start.
    pub(crate) fn missed(&self) -> u64 {
        self.head.missed.get()
    }

    /// The number of pops since the start, in 64 bits.
    pub(crate) fn served(&self) -> u64 {
        let index_bits = self.mask.count_ones();
        loop {
            // Acquire: pairs with the Release of `count_flip`. The tag is not older than the last
            // flip that is counted here.
            let flips = self.head.flips.load(Acquire);
            // Relaxed: the tag may be newer by one flip. The parity shows that, see `counter`.
            let head = self.head.word.load(Relaxed);
            // Relaxed: the value is only compared. It shows whether half a turn has passed since
            // the first load. That needs no order.
            if self.head.flips.load(Relaxed) == flips {
                let tag = head >> index_bits;
                #[allow(clippy::useless_conversion)] // where the head is 64 bits wide
                return counter::extend(u64::from(tag), HeadWord::BITS - index_bits, flips);
            }
        }
    }

    /// The largest number of slots that were off the list at once, since the start or since the
    /// last reset. The slots at the bottom of the list are used last. So all slots were on the list
    /// but those that were used.
    pub(crate) fn peak(&self) -> u32 {
        // SAFETY: the range ends below the number of slots.
        let used = |i: u32| u32::from(unsafe { self.state(i) }.was_used());
        (0..self.slots).map(used).sum()
    }

    /// Forgets the peak: only slots that are off the list now count as used.
    pub(crate) fn reset_peak(&self) {
        // SAFETY: the range ends below the number of slots.
        (0..self.slots).for_each(|i| unsafe { self.state(i) }.rest());
    }

    /// The number of slots on the list.
    pub(crate) fn free_slots(&self) -> u32 {
        let used = |i: u32| {
            // SAFETY: the range ends below the number of slots.
            let (mine, theirs) = unsafe { self.state(i) }.hands();
            u32::from(mine || theirs)
        };
        self.slots - (0..self.slots).map(used).sum::<u32>()
    }

    /// The slots that are held: their numbers, the handles on them (none for a raw slot), who holds
    /// them, and how many requests the list has served since they were taken, modulo 2^32.
    #[cfg(feature = "track")]
    pub(crate) fn held(self) -> impl Iterator<Item = (u32, Option<usize>, Holder, u32)> + 'a {
        let served = self.served() as u32;
        (0..self.slots).filter_map(move |i| {
            // SAFETY: the range ends below the number of slots.
            let state = unsafe { self.state(i) };
            // One load: the slot may be free at the next one.
            let handles = state.handles()?;
            let cell = state.holder();
            Some((i, handles, cell.holder(), served.wrapping_sub(cell.since())))
        })
    }

    /// The number of pops since the start, modulo a power of two that depends on the list.
    #[cfg(feature = "reserve")]
    pub(crate) fn served_now(&self) -> u32 {
        // Relaxed: not older than the head that the caller has found empty.
        (self.head.word.load(Relaxed) >> self.mask.count_ones()) as u32
    }

    /// True for one of those who find the tier of this list empty after it has served so many
    /// requests, and for nobody who comes with an older number.
    #[cfg(feature = "reserve")]
    pub(crate) fn runs_dry_after(&self, served: u32) -> bool {
        // Odd, so that it is not the 0 of the start.
        let now = served << 1 | 1;
        // Relaxed, both: the word orders nothing but itself, and it only rises.
        let mut told = self.head.dry.load(Relaxed);
        while told == 0 || now.wrapping_sub(told) as i32 > 0 {
            match self.head.dry.compare_exchange(told, now, Relaxed, Relaxed) {
                Ok(_) => return true,
                Err(newer) => told = newer,
            }
        }
        false
    }

    /// For models: sets the counts as if so many requests had been served and missed, see
    /// [`counter::before_flip`].
    #[cfg(loom)]
    pub(crate) fn begin_before_flip(&self, flips: u32, left: u32) {
        let index_bits = self.mask.count_ones();
        let (tag, flips) = counter::before_flip(HeadWord::BITS - index_bits, flips, left);
        // Relaxed, all: the threads of the model have not started yet.
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

    /// The number of slots in use, the number of slots in caches, and whether this is exact: the
    /// list cannot have changed during the scan.
    pub(crate) fn hands(&self) -> (u32, u32, bool) {
        const TRIES: u32 = 4;
        let (mut in_use, mut cached) = (0, 0);
        for _ in 0..TRIES {
            // Relaxed: the value is only compared.
            let before = self.head.word.load(Relaxed);
            (in_use, cached) = (0, 0);
            for i in 0..self.slots {
                // SAFETY: the range ends below the number of slots.
                let state = unsafe { self.state(i) };
                let (mine, theirs) = state.hands();
                in_use += u32::from(mine);
                cached += u32::from(theirs);
            }
            // If the head is the same, there was no pop during the scan, because a pop moves the
            // tag. There was no push either, because only a pop can undo a push. A slot between its
            // pop and its mark counts as free, and the marks of another core may arrive late. So
            // the counts are exact only at quiescence. A cache takes and gets slots without moving
            // the head. So if caches hold slots, an equal head shows nothing.
            if self.unchanged_since(before) {
                return (in_use, cached, cached == 0);
            }
        }
        (in_use, cached, false)
    }

    /// The head, if every slot is on the list. Then what the last owner of each slot did with it
    /// has happened before. All of this is true of one moment if the head is [the same
    /// afterwards](Self::head_now). Walks the list.
    pub(crate) fn head_if_all_free(&self) -> Option<HeadWord> {
        // Acquire: pairs with the Release of the pushes, as in `pop`.
        let head = self.head.word.load(Acquire);
        let mut index = self.index(head);
        let mut length = 0;
        while index < self.slots && length < self.slots {
            // SAFETY: the index was just compared.
            if unsafe { self.state(index) }.in_use() {
                return None;
            }
            // SAFETY: the index was compared above.
            index = unsafe { self.next_of(index) };
            length += 1;
        }
        (length == self.slots && index >= self.slots).then_some(head)
    }

    /// The head, for a second look at one list, or at several lists.
    ///
    /// **What an equal head shows.** A pop adds to the tag, which outweighs every index. Suppose
    /// that a list was complete or empty at both looks, with the same head. Then it was so all the
    /// time: a slot that came back meanwhile would have to leave again, by a pop.
    ///
    /// **Several lists.** For several such lists it is enough to compare the *sum* of their heads,
    /// because none of these heads can have fallen. Nothing can be pushed to a complete list. An
    /// empty list can at most be armed, which adds one. (A push makes a head fall. So a list that
    /// is neither complete nor empty must stay out of the sum: its fall could hide the rise of
    /// another head.) The sum wraps, as a tag does, and it fails as a tag does: if the pops between
    /// the looks add up to exactly a multiple of the whole word. That takes at least 2^22 pops.
    ///
    /// **One moment for all lists.** It lies between the first looks at all lists and the second
    /// looks at all lists. Can a context give back a slot of list A, and then take a slot of list
    /// B, so that the looks see the pop from B but not the push to A? No, because this leads to a
    /// circle:
    ///
    /// - The second look at A did not see the push. So it wrote the head of A before the push, and
    ///   the push replaced the value that the look had written.
    /// - The pop from B came after the push to A had succeeded.
    /// - The first look at B saw the pop, and it came before the second look at A.
    ///
    /// No edge of this circle depends on an ordering of the pop, which may stay Relaxed. The
    /// Release below orders the second look behind the first. The push comes behind the write that
    /// it replaces, because it is a read-modify-write. The pop comes behind the push because of the
    /// branch on the success of the push, which also holds back a store on Arm and RISC-V. (A mere
    /// load would not be held back: the push could still be on its way when the pop is seen. For
    /// the same reason this look itself must find the list empty. The pop before it is not enough,
    /// because it only loads.)
    pub(crate) fn head_now(&self) -> HeadWord {
        // This is a read-modify-write that changes nothing. A load is not enough, because it may
        // return an old head although this context has read words that were written after the head
        // had moved.
        // Release: everything that was read before, by this look or by looks at other heads, comes
        // before the write of this operation. A pop that reads what it has written comes later: by
        // its Acquire, or by its own swap, on which its stores depend. Relaxed is not enough: a
        // compiler may turn an addition of nothing that publishes nothing into a load. (On x86 it
        // turns this operation into a fence and a load. That is as good there, because on x86 all
        // cores see the swaps in one order, and loads in program order.)
        self.head.word.fetch_or(0, Release)
    }

    /// As [`head_now`](Self::head_now), if the list is empty.
    #[inline(always)]
    pub(crate) fn empty_now(&self) -> Option<HeadWord> {
        let head = self.head_now();
        (self.index(head) >= self.slots).then_some(head)
    }

    /// True if nothing was popped or pushed since the head was `head`. Then whatever was read since
    /// is no newer than this call.
    fn unchanged_since(&self, head: HeadWord) -> bool {
        self.head_now() == head
    }

    /// True if every slot is on the list. Then what the last owner of each slot did with it has
    /// happened before.
    pub(crate) fn is_complete(&self) -> bool {
        self.head_if_all_free().is_some_and(|head| self.unchanged_since(head))
    }
}

/// True if, at one moment, every slot of these lists was on its list. `between` is asked between the
/// two looks at the lists, and must be true as well.
///
/// A slot may be taken from one list, after it was seen complete, and come back to another one
/// before that is looked at. So each list is looked at twice: then a head rises.
pub(crate) fn all_complete<'a>(
    lists: impl Iterator<Item = FreeList<'a>> + Clone,
    between: impl FnOnce() -> bool,
) -> bool {
    let sum = |look: fn(&FreeList<'a>) -> Option<HeadWord>| {
        lists.clone().try_fold(0, |sum: HeadWord, list| Some(sum.wrapping_add(look(&list)?)))
    };
    let complete = sum(FreeList::head_if_all_free);
    complete.is_some() && between() && complete == sum(|list| Some(list.head_now()))
}
