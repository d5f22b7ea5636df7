//! A lock-free stack of slot numbers: Treiber's stack with a tag beside the index.
//!
//! ```text
//!   head    | tag ................ | index |     index = EMPTY (N): no free slot
//!                                     │                  EMPTY_WAITED (N + 1): none, and somebody waits
//!   states  [ 0 ][ 1 ][ 2 ] … [N-1]   │          link of a free slot i, in its state word:
//!             └────┴─►──┴──►  ◄───────┘              next = i + 1 + link, so popping adds to the head:
//!                                                    one to the tag, 1 + link to the index
//! ```
//!
//! All zero is the full list 0 → 1 → 2 → … → EMPTY, so a pool needs no start-up code and lies in
//! `.bss`.
//!
//! R. K. Treiber, "Systems Programming: Coping with Parallelism", IBM RJ 5118, 1986; the tag
//! (there: the modification counter) is that of the System/370 Principles of Operation. Two things
//! differ from the textbook:
//!
//! - Links do not lie in the slots but in state words beside them. A popper that was suspended
//!   reads a stale link from a state word, never from payload that its new owner is writing: that
//!   would be a data race.
//! - The tag moves on every pop, and on pops alone. A head that comes back with the same tag has
//!   seen no pop, so its link is current; and the tag counts the requests served, at no cost.
//!
//! **How far the tag protects.** A popper that is suspended between its load and its
//! compare-and-swap while the others make exactly a multiple of 2^T pops, and finds the same slot
//! on top, takes a stale link. The index field is only as wide as the list needs, all other bits
//! are tag: T is 27 for 16 slots and 22 for 1022 slots on a 32-bit head. At the 2.4 to 4.8 million
//! pops a second of a 240 MHz core that is 28 s and 0.9 s of suspension at least, and then an exact
//! hit. On a 64-bit head T is at least 54.

use core::ptr::NonNull;

use crate::protocol::atomics::{
    Acquire, AtomicExt, AtomicHead, AtomicU32, Backoff, HeadWord, Padded, Relaxed, Release,
    const_unless_loom,
};
use crate::protocol::counter::Counter;
use crate::protocol::slot_state::{StateCell, StateWord};

mod statistics;

pub(crate) use statistics::all_complete;

/// The most slots of one list. With this limit the tag has at least 22 bits.
pub(crate) const MAX_SLOTS: usize = 1022;

/// The words of a list that change, apart from its state words. All are zero at start.
#[derive(Debug)]
pub struct Head {
    /// Tag and index.
    word: AtomicHead,
    /// How often the top bit of the tag has flipped, modulo 2^32.
    flips: AtomicU32,
    /// How often a request found the list empty.
    missed: Counter,
    /// What [`runs_dry_after`](FreeList::runs_dry_after) has told last.
    #[cfg(feature = "reserve")]
    dry: AtomicU32,
}

impl Head {
    const_unless_loom! {
        /// A head with all words zero: the full list.
        pub(crate) fn new() -> Self {
            Head {
                word: AtomicHead::new(0),
                flips: AtomicU32::new(0),
                missed: Counter::new(),
                #[cfg(feature = "reserve")]
                dry: AtomicU32::new(0),
            }
        }
    }
}

#[cfg(all(target_pointer_width = "32", not(any(loom, shuttle, feature = "reserve"))))]
const _: () = assert!(size_of::<Head>() == 16, "bytes of metadata a tier, as documented");

/// A head as it lies beside other words. It has no padding on 32-bit targets, and its own cache
/// line on hosts.
pub(crate) type HeadCell = Padded<Head>;

/// A list: where its words lie, and how the head is divided. It does not change.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FreeList<'a> {
    /// The words that change.
    head: &'a HeadCell,
    /// The first of `slots` state words.
    states: NonNull<StateCell>,
    /// The number of slots: 1 to 1022.
    slots: u32,
    /// The bits of the index in the head: 2^k - 1, and at least `slots` + 1.
    mask: u32,
}

// SAFETY: `states` points at `slots` state words that live for 'a, and these are `Sync`. The caller
// of `new` promises it.
unsafe impl Send for FreeList<'_> {}
// SAFETY: as above.
unsafe impl Sync for FreeList<'_> {}

impl<'a> FreeList<'a> {
    /// A list on these words.
    ///
    /// # Safety
    /// `states` points at `slots` state words that are valid for `'a` and belong to `head` alone.
    /// `slots` is 1 to 1022.
    pub(crate) const unsafe fn new(
        head: &'a HeadCell,
        states: NonNull<StateCell>,
        slots: usize,
    ) -> Self {
        let slots = slots as u32;
        // The indices are 0..N, EMPTY and EMPTY_WAITED.
        let bits = 32 - (slots + 1).leading_zeros();
        FreeList { head, states, slots, mask: (1 << bits) - 1 }
    }

    /// The number of slots: 1 to 1022.
    #[inline(always)]
    pub(crate) const fn slots(&self) -> u32 {
        self.slots
    }

    /// The state word of a slot.
    ///
    /// # Safety
    /// `index` is below the number of slots.
    #[inline(always)]
    pub(crate) unsafe fn state(&self, index: u32) -> &'a StateWord {
        debug_assert!(index < self.slots);
        // SAFETY: the word lies within the array, by the promises of the caller and of `new`. State
        // words are only accessed by shared references.
        unsafe { self.states.add(index as usize).as_ref() }
    }

    /// The index of the slot with this state word.
    ///
    /// # Safety
    /// `state` is one of this list's state words.
    #[inline(always)]
    pub(crate) unsafe fn index_of(&self, state: NonNull<StateWord>) -> u32 {
        // The state word lies at the start of its cell.
        // SAFETY: both pointers point into the array of states, as the caller promises.
        unsafe { state.cast::<StateCell>().offset_from(self.states) as u32 }
    }

    /// The index in a head.
    #[inline(always)]
    fn index(&self, head: HeadWord) -> u32 {
        head as u32 & self.mask
    }

    /// The head with another index and the same tag.
    #[inline(always)]
    fn with_index(&self, head: HeadWord, index: u32) -> HeadWord {
        head & !HeadWord::from(self.mask) | HeadWord::from(index)
    }

    /// The head without its top slot: the next index, and a tag that has moved by one. A current
    /// link makes the index at most `EMPTY`, so there is no carry into the tag. A stale link gives
    /// garbage, and then the compare-and-swap fails.
    #[inline(always)]
    fn popped(&self, head: HeadWord, link: i32) -> HeadWord {
        head.wrapping_add(HeadWord::from(self.mask) + 2).wrapping_add(link as HeadWord)
    }

    /// The index that the link of slot `index` leads to. If the slot is on no list, it is garbage,
    /// but within the mask.
    ///
    /// # Safety
    /// `index` is below the number of slots.
    #[inline(always)]
    pub(crate) unsafe fn next_of(&self, index: u32) -> u32 {
        // SAFETY: the caller promises it.
        let link = unsafe { self.state(index) }.link();
        self.index(self.popped(HeadWord::from(index), link))
    }

    /// Marks a slot free, and links it to the slot that is to lie below it.
    ///
    /// # Safety
    /// The caller owns slot `index`, which is on no list.
    #[inline(always)]
    pub(crate) unsafe fn link_to(&self, index: u32, below: u32) {
        // SAFETY: an owned slot is a slot of this list.
        unsafe { self.state(index) }.set_free(Self::link(index, below));
    }

    /// The link from slot `index` to the slot below it.
    #[inline(always)]
    fn link(index: u32, below: u32) -> i32 {
        below.wrapping_sub(index).wrapping_sub(1) as i32
    }

    /// Pops the top slot: its index, and its state word, whose address the pop knows anyway. The
    /// caller owns the slot, and marks it as held. It costs one compare-and-swap if no other context
    /// interferes.
    #[inline(always)]
    pub(crate) fn pop(&self) -> Option<(u32, &'a StateWord)> {
        let backoff = Backoff::new();
        loop {
            // Acquire: pairs with the Release of the push that put this slot on top, and of all
            // pushes before it. (Every write to the head is a read-modify-write, so the release
            // sequences of these pushes go on.) So link and payload of every slot on the list are
            // visible. The load stands here, at the top of the loop, because the value that a
            // failed S32C1I returns cannot be trusted.
            let head = self.head.word.load(Acquire);
            let index = self.index(head);
            if index >= self.slots {
                return None;
            }
            // SAFETY: the index was just compared. The slot may have been popped meanwhile, but its
            // state word is still a state word.
            let state = unsafe { self.state(index) };
            let link = state.link();
            let new = self.popped(head, link);
            // Relaxed: the swap publishes nothing. The Acquire above has seen all that is needed:
            // if the head has not changed, neither has the link.
            if self.head.word.compare_exchange_weak(head, new, Relaxed, Relaxed).is_ok() {
                self.count_flip(head, new);
                return Some((index, state));
            }
            backoff.spin();
        }
    }

    /// Pops several slots from the top: at least one, and at most `most`. Returns the first, and
    /// how many. The links lead from one to the next. It costs one compare-and-swap if no other
    /// context interferes. The tag moves by one, as for any pop.
    ///
    /// A pop or a push by another context during the walk makes the swap fail, and one pop and push
    /// take no longer than a few steps of the walk. So each lost swap halves the next walk, until
    /// the walk is a plain pop. If the other contexts let a plain pop succeed, this one also
    /// succeeds: after as many further lost swaps as `most` has bits.
    pub(crate) fn pop_chain(&self, mut most: u32) -> Option<(u32, u32)> {
        let backoff = Backoff::new();
        loop {
            // Acquire: as in `pop`, for every slot of the chain.
            let head = self.head.word.load(Acquire);
            let first = self.index(head);
            let (mut next, mut count) = (first, 0);
            // Others may pop the slots during the walk, and write values that are no links. So
            // every index is compared before it is followed. Where it leads to then does not
            // matter, because the swap fails.
            while next < self.slots && count < most {
                // SAFETY: the index was just compared.
                next = unsafe { self.next_of(next) };
                count += 1;
            }
            if count == 0 {
                return None;
            }
            let new = self.with_index(head.wrapping_add(HeadWord::from(self.mask) + 1), next);
            // Relaxed: as in `pop`.
            if self.head.word.compare_exchange_weak(head, new, Relaxed, Relaxed).is_ok() {
                self.count_flip(head, new);
                return Some((first, count));
            }
            most -= most / 2;
            #[cfg(all(test, not(any(loom, shuttle))))]
            LOST.with(|lost| lost.set(lost.get() + 1));
            backoff.spin();
        }
    }

    /// Counts the flip, if the pop has flipped the top bit of the tag.
    #[inline(always)]
    fn count_flip(&self, head: HeadWord, new: HeadWord) {
        if (head ^ new) >> (HeadWord::BITS - 1) != 0 {
            // Release: pairs with the Acquire of `served`. A reader that sees the flip counted also
            // sees the tag that has flipped. Between pop and addition the reader corrects the count
            // by parity.
            self.head.flips.fetch_add(1, Release);
        }
    }

    /// Pushes slots: `first`, the slots that its links lead to, and `last`. The link of `last` is
    /// written here.
    ///
    /// False if a waiter has armed the list. Then nothing has been done and the caller still owns
    /// the slots. It calls [`push_to_waiter`](Self::push_to_waiter), which is a separate function
    /// so that this one needs no stack.
    ///
    /// # Safety
    /// The caller owns the slots from `first` to `last`, which are on no list, and gives them up.
    #[inline(always)]
    pub(crate) unsafe fn push(&self, first: u32, last: u32) -> bool {
        // SAFETY: an owned slot is a slot of this list.
        let state = unsafe { self.state(last) };
        let backoff = Backoff::new();
        loop {
            // Relaxed: the word is only compared below, and its index is never followed.
            let head = self.head.word.load(Relaxed);
            let top = self.index(head);
            if top > self.slots {
                return false;
            }
            state.set_free(Self::link(last, top));
            let new = self.with_index(head, first);
            // Release: publishes the links, and the accesses to the payload by the last owner, to
            // the Acquire of `pop`.
            if self.head.word.compare_exchange_weak(head, new, Release, Relaxed).is_ok() {
                return true;
            }
            backoff.spin();
        }
    }

    /// Pushes slots after [`push`](Self::push) has found `EMPTY_WAITED`. True if this push ends the
    /// wait: then the caller calls the hook.
    ///
    /// # Safety
    /// As for `push`.
    pub(crate) unsafe fn push_to_waiter(&self, first: u32, last: u32) -> bool {
        // Release: as in `push`.
        let head = self.head.word.replace(Release, |head| {
            // The end of the list is EMPTY, whether a waiter has armed it or not.
            // SAFETY: the caller promises it.
            unsafe { self.link_to(last, self.index(head).min(self.slots)) };
            self.with_index(head, first)
        });
        let waited = self.index(head) > self.slots;
        if waited {
            // Acquire: pairs with the Release of `arm`. Our own swap has continued its release
            // sequence. So the hook sees what the waiter did before it armed. This is a separate
            // load, so that other frees pay nothing.
            self.head.word.load(Acquire);
        }
        waited
    }

    /// Arms the list if it is empty: the next push will call the hook. False if a slot has come
    /// back: then try again.
    pub(crate) fn arm(&self) -> bool {
        loop {
            // Relaxed: the value is only compared.
            let head = self.head.word.load(Relaxed);
            if self.index(head) < self.slots {
                return false;
            }
            let waited = self.with_index(head, self.slots + 1);
            // Release: pairs with the Acquire in `push_to_waiter`. The swap also happens if another
            // waiter has armed the list already, because the push must also see what *this* waiter
            // did before.
            if self.head.word.compare_exchange_weak(head, waited, Release, Relaxed).is_ok() {
                return true;
            }
        }
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;

    fn with_list<const N: usize>(head: HeadWord, test: impl Fn(FreeList<'_>)) {
        let flips = AtomicU32::new((head >> (HeadWord::BITS - 1)) as u32);
        let head = HeadCell::new(Head { word: AtomicHead::new(head), flips, ..Head::new() });
        let states = [const { StateCell::new(StateWord::new(0)) }; N];
        // SAFETY: the words live as long as the list, which has them to itself.
        test(unsafe { FreeList::new(&head, NonNull::from(&states).cast(), N) });
    }

    fn pop(list: FreeList<'_>) -> Option<u32> {
        let (index, state) = list.pop()?;
        state.set_held(crate::protocol::slot_state::RAW);
        Some(index)
    }

    #[test]
    fn all_zero_is_the_full_list_in_order() {
        fn check<const N: usize>() {
            with_list::<N>(0, |list| {
                assert!(list.is_complete());
                for i in 0..N as u32 {
                    assert_eq!(pop(list), Some(i));
                    assert_eq!(list.peak(), i + 1);
                    assert_eq!(list.hands(), (i + 1, 0, true));
                }
                assert_eq!(pop(list), None);
                for i in 0..N as u32 {
                    // SAFETY: popped above.
                    assert!(unsafe { list.push(i, i) });
                }
                assert!(list.is_complete());
                assert_eq!(list.peak(), N as u32);
                assert_eq!(list.hands(), (0, 0, true));
                assert_eq!(list.served(), N as u64);
            });
        }
        check::<1>();
        check::<2>();
        check::<3>();
        check::<16>();
        // As many steps as there are slots, each with a look at all of them.
        if !cfg!(miri) {
            check::<62>();
            check::<63>();
            check::<1022>();
        }
    }

    #[test]
    fn slots_are_used_in_lifo_order() {
        with_list::<4>(0, |list| {
            assert_eq!(pop(list), Some(0));
            // SAFETY: popped above. Slot 0 over slot 1: its relative link is 0, as if it had never
            // been used.
            unsafe { list.push(0, 0) };
            assert_eq!(list.peak(), 1);
            assert_eq!(pop(list), Some(0));
            assert_eq!(pop(list), Some(1));
            // SAFETY: popped above.
            unsafe { list.push(0, 0) };
            // SAFETY: popped above.
            unsafe { list.push(1, 1) };
            assert_eq!(pop(list), Some(1));
            assert_eq!(pop(list), Some(0));
            assert_eq!(pop(list), Some(2));
        });
    }

    #[test]
    fn the_tag_wraps_and_served_goes_on() {
        // Two pops before the tag's end: index 0, all tag bits set but the lowest.
        let start = HeadWord::MAX << 4;
        with_list::<4>(start, |list| {
            let before = list.served();
            for n in 1..=20 {
                let index = pop(list).unwrap();
                assert_eq!(list.served(), before + n);
                // SAFETY: just popped.
                unsafe { list.push(index, index) };
                assert!(list.is_complete());
            }
        });
    }

    /// A reader corrects by parity a flip that is not counted yet. So only whole turns show a flip
    /// that is never counted, or counted twice.
    #[test]
    fn every_flip_of_the_tag_is_counted_once() {
        for pop_one in [
            |list: FreeList<'_>| list.pop().map(|(index, _)| index),
            |list: FreeList<'_>| list.pop_chain(1).map(|(first, _)| first),
        ] {
            with_list::<4>(0, |list| {
                let one = HeadWord::from(list.mask) + 1;
                let half = 1 << (HeadWord::BITS - 1);
                for flips in 1..=6 {
                    // As after all pops but one until the next flip.
                    list.head.word.store(
                        if flips % 2 == 1 { half - one } else { HeadWord::MAX - (one - 1) },
                        Relaxed,
                    );
                    let index = pop_one(list).unwrap();
                    // SAFETY: just popped.
                    unsafe { list.push(index, index) };
                    #[allow(clippy::useless_conversion)] // where the head is 64 bits wide
                    let turns = flips * u64::from(half / one);
                    assert_eq!(list.served(), turns);
                }
            });
        }
    }

    #[test]
    fn a_chain_is_as_long_as_asked_or_as_the_list() {
        // One pop before the flip of the tag's top bit.
        with_list::<4>(HeadWord::MAX >> 1 & !7, |list| {
            let before = list.served();
            assert_eq!(list.pop_chain(3), Some((0, 3)));
            assert_eq!(list.served(), before + 1, "one pop; the marks are the caller's");
            assert_eq!(list.peak(), 0, "one pop; the marks are the caller's");
            assert_eq!(list.pop_chain(3), Some((3, 1)));
            assert_eq!(list.pop_chain(3), None);
            assert!(list.arm());
            assert_eq!(list.pop_chain(1), None);
            // SAFETY: the chain popped above, whose links are as they were, and then the slot below
            // it.
            assert!(unsafe { list.push_to_waiter(3, 3) && list.push(0, 2) });
            assert!(list.is_complete());
            assert_eq!(list.pop_chain(u32::MAX), Some((0, 4)));
        });
    }

    /// A mistake that a caller of the unchecked functions can make. `is_idle` shows it.
    #[test]
    fn a_list_with_a_double_free_is_not_complete() {
        with_list::<2>(0, |list| {
            let slot = pop(list).unwrap();
            // SAFETY: popped above; the second push is the mistake.
            assert!(unsafe {
                list.push(slot, slot) && list.is_complete() && list.push(slot, slot)
            });
            assert!(!list.is_complete(), "its links lead round and round");
        });
        with_list::<2>(0, |list| {
            let slot = pop(list).unwrap();
            // SAFETY: popped above; it goes on being used, which is the mistake.
            unsafe {
                list.push(slot, slot);
                list.state(slot).set_held(crate::protocol::slot_state::RAW);
            }
            assert!(!list.is_complete(), "it is on the list, and in use");
        });
    }

    #[test]
    fn a_list_of_any_length_can_be_armed() {
        fn check<const N: usize>() {
            with_list::<N>(0, |list| {
                let slots = [(); N].map(|()| pop(list).unwrap());
                assert!(list.arm() && list.pop().is_none(), "{N} slots");
                // SAFETY: popped above.
                assert!(unsafe {
                    !list.push(slots[0], slots[0]) && list.push_to_waiter(slots[0], slots[0])
                });
                assert_eq!(list.served(), N as u64);
            });
        }
        // One that leaves no index unused, one that leaves one, and one that takes another bit.
        check::<1>();
        check::<2>();
        check::<3>();
        check::<62>();
        check::<63>();
        check::<64>();
    }

    #[test]
    fn only_an_armed_empty_list_reports_a_push() {
        with_list::<2>(0, |list| {
            assert!(!list.arm(), "a slot is free");
            let (a, b) = (pop(list).unwrap(), pop(list).unwrap());
            assert!(list.arm() && list.arm());
            assert_eq!(pop(list), None);
            // SAFETY: popped above.
            assert!(unsafe { !list.push(b, b) && list.push_to_waiter(b, b) });
            // SAFETY: popped above.
            assert!(unsafe { list.push(a, a) });
            assert!(list.is_complete());
        });
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
std::thread_local! {
    /// The number of swaps that the chain pops of this thread have lost.
    pub(crate) static LOST: core::cell::Cell<u32> = const { core::cell::Cell::new(0) };
}
