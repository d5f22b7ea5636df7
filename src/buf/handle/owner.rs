//! Where a handle belongs, and which ends of its buffer other halves have.
//!
//! ```text
//!   ├──────────── the buffer ────────────┤     marks
//!   ├──────────── whole ─────────────────┤     none
//!   ├─ front ─┼─ middle ─┼──── back ─────┤     BEHIND, both, BEFORE
//!
//!   address of the tier ────────── | 2: BEHIND | 1: BEFORE
//! ```
//!
//! The marks lie in the low bits of the address of the tier, which are zero otherwise. A handle on
//! a whole slot has none, and only the paths that the state word sends away from the whole slots
//! look for them. So they cost a buffer that was never split nothing. A handle without a buffer may
//! have kept marks, which say nothing.

use core::ptr::NonNull;

use crate::pool::tier::Tier;

/// A tier, and the marks.
#[derive(Clone, Copy)]
pub(crate) struct Owner(NonNull<Tier>);

/// What lies in front of the data belongs to another half.
const BEFORE: usize = 1;
/// What lies behind the data belongs to another half.
const BEHIND: usize = 2;

const _: () = assert!(align_of::<Tier>() > BEFORE | BEHIND);

impl Owner {
    /// A tier, without a mark.
    #[inline(always)]
    pub(crate) fn of(tier: &'static Tier) -> Self {
        Owner(tier.into())
    }

    /// The tier.
    #[inline(always)]
    pub(crate) fn tier(self) -> &'static Tier {
        // SAFETY: without the marks, there are none.
        unsafe { self.unmarked().of_whole() }
    }

    /// The tier, without a look at the marks.
    ///
    /// # Safety
    /// There are none: the state word says that the slot is whole.
    #[inline(always)]
    pub(crate) unsafe fn of_whole(self) -> &'static Tier {
        // SAFETY: without a mark, it is the address of a tier, which lives for ever.
        unsafe { self.0.as_ref() }
    }

    /// The same tier without the marks.
    #[inline(always)]
    pub(crate) fn unmarked(self) -> Self {
        self.with(|address| address & !(BEFORE | BEHIND))
    }

    /// For a half: another half begins where its data end.
    pub(crate) fn cut_behind(self) -> Self {
        self.with(|address| address | BEHIND)
    }

    /// For a half: another half ends where its data begin.
    pub(crate) fn cut_before(self) -> Self {
        self.with(|address| address | BEFORE)
    }

    /// For two halves that become one: the front of this one, the end of the other.
    pub(crate) fn joined(self, back: Owner) -> Self {
        let behind = back.0.addr().get() & BEHIND;
        self.with(|address| address & !BEHIND | behind)
    }

    /// True if the room in front of the data belongs to another half.
    pub(crate) fn is_cut_before(self) -> bool {
        self.part() & BEFORE != 0
    }

    /// True if the room behind the data belongs to another half.
    pub(crate) fn is_cut_behind(self) -> bool {
        self.part() & BEHIND != 0
    }

    /// The marks. For loom, they are the number of the half. Handles with different numbers, none of
    /// which is 0, have no byte in common.
    #[inline(always)]
    pub(crate) fn part(self) -> usize {
        self.0.addr().get() & (BEFORE | BEHIND)
    }

    /// The same tier with other marks.
    #[inline(always)]
    fn with(self, marks: impl FnOnce(usize) -> usize) -> Self {
        // SAFETY: a tier does not lie at an address that has only marks.
        Owner(unsafe { NonNull::new_unchecked(self.0.as_ptr().map_addr(marks)) })
    }
}
