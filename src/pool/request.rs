//! How a request goes through the tiers.
//!
//! ```text
//!   request ──► smallest tier that fits ──► next tiers (spill) ──► fallback ──► error
//!                 │ one compare-and-swap       └───── off the hot path, counted ─────┘
//!                 ▼
//!              the slot ──► `buf::alloc` makes it a handle, `raw` a pointer
//! ```

use core::ptr::NonNull;

use crate::error::AllocError;
use crate::pool::Pool;
use crate::pool::fallback::{self, Control};
use crate::pool::tier::{Slot, Tier};
use crate::protocol::atomics::HeadWord;
use crate::protocol::slot_state::{POOL_ONLY, StateWord};

impl Pool {
    /// The tiers from the smallest that fits upwards. Empty if none fits.
    #[inline(always)]
    pub(crate) fn tiers_fitting(&self, size: usize, align: usize) -> &'static [Tier] {
        let mut tiers = self.tiers;
        while let [tier, larger @ ..] = tiers {
            if tier.fits(size, align) {
                break;
            }
            tiers = larger;
        }
        tiers
    }

    /// The tiers that may serve a request: the first that fits, and as many of the next ones as
    /// `spill` allows, if they fit.
    pub(crate) fn candidates(
        &self,
        fitting: &'static [Tier],
        size: usize,
        align: usize,
    ) -> impl Iterator<Item = &'static Tier> {
        fitting
            .iter()
            .take(self.spill.saturating_add(1).saturating_mul(self.lane_count().get()))
            .filter(move |tier| tier.fits(size, align))
    }

    /// Takes a slot of the first tier. The other ways are in separate functions. So this one stays
    /// short when its arguments are constants.
    #[inline(always)]
    pub(crate) fn take(&self, fitting: &'static [Tier], initial_state: u32) -> Option<Slot> {
        fitting.get(self.home())?.take(initial_state)
    }

    /// Takes a slot for a part of a chain, which needs `size` bytes. If the first choice is empty,
    /// [`take_part_elsewhere`](Self::take_part_elsewhere) goes on.
    #[inline(always)]
    pub(crate) fn take_part(&self, size: usize) -> Option<Slot> {
        let size = size.min(self.largest_slot());
        self.count_size(size);
        self.take(self.tiers_fitting(size, 1), self.initial_state)
    }

    /// Takes a slot for such a part from another lane, from a larger tier as far as `spill` allows,
    /// or else the largest free one of the smaller tiers. Also returns the tier that was the first
    /// choice, if all of it was empty: the caller counts the miss once it holds the slot, because
    /// that may call a hook.
    #[cold]
    #[inline(never)]
    pub(crate) fn take_part_elsewhere(&self, size: usize) -> (Option<Slot>, Option<&'static Tier>) {
        let size = size.min(self.largest_slot());
        let fitting = self.tiers_fitting(size, 1);
        let smaller = self.tiers.iter().rev().skip(fitting.len());
        let mut others = self.candidates(fitting, size, 1).chain(smaller).enumerate();
        let other = others.find_map(|(at, tier)| Some((at, tier.take(self.initial_state)?)));
        if other.is_none() {
            self.state.exhausted.bump();
        }
        // The first so many lists are the lanes of the first choice.
        let missed = other.is_none_or(|(at, _)| at >= self.lane_count().get());
        (other.map(|(_, slot)| slot), fitting.first().filter(|_| missed))
    }

    /// Counts a request for a part of a chain that is not made, because the slots that were free
    /// have taken all places of the chain.
    pub(crate) fn count_part_without_place(&self, size: usize) {
        self.count_size(size.min(self.largest_slot()));
        self.state.exhausted.bump();
    }

    /// The error if none of the tiers that fit has served a request.
    #[inline(always)]
    pub(crate) fn exhausted_or_oversized(fitting: &[Tier]) -> AllocError {
        if fitting.is_empty() { AllocError::Oversized } else { AllocError::Exhausted }
    }

    /// Takes a slot where the list that the request began with is empty: from another lane, or from
    /// a larger tier.
    #[inline(always)]
    pub(crate) fn take_elsewhere(
        &self,
        fitting: &'static [Tier],
        align: usize,
        initial_state: u32,
    ) -> Option<(&'static StateWord, &'static Tier)> {
        #[cfg(feature = "lanes")]
        if self.lane_count().get() > 1 && !fitting.is_empty() {
            return self.take_from_lanes(fitting, align, initial_state);
        }
        self.take_spilled(fitting, align, initial_state)
    }

    /// Counts a request that has found this tier empty: by its first lane, if it has several.
    #[inline(always)]
    pub(crate) fn count_miss(tier: &'static Tier) {
        tier.list().count_miss();
        #[cfg(feature = "reserve")]
        tier.pool().tell_low(tier);
    }

    /// Takes a slot of a larger tier, and counts the miss. The result fits into two registers. So
    /// the fast path does not go through memory.
    ///
    /// A walk over the tiers finds each tier empty at a different moment. Meanwhile a free slot may
    /// move: back to a tier behind the walk, and away from a tier that the walk has not reached
    /// yet. So the tiers are walked again, until no head has risen from one walk to the next
    /// ([`head_now`](crate::protocol::free_list::FreeList::head_now)). Then all were empty at the
    /// moment between the two walks.
    #[cold]
    #[inline(never)]
    fn take_spilled(
        &self,
        fitting: &'static [Tier],
        align: usize,
        initial_state: u32,
    ) -> Option<(&'static StateWord, &'static Tier)> {
        let Some(first) = fitting.first() else {
            self.state.oversized.bump();
            return None;
        };
        if self.spill == 0 {
            // The pop has already looked at the only list.
            Self::count_miss(first);
        } else {
            let may_serve = fitting.get(..=self.spill).unwrap_or(fitting);
            let (mut before, mut again) = (0, false);
            loop {
                let mut sum: HeadWord = 0;
                // This is no `for` loop. So it is four bytes shorter on RV32, where each byte
                // counts.
                let mut rest = may_serve;
                while let [tier, larger @ ..] = rest {
                    rest = larger;
                    // A larger tier may have a weaker alignment.
                    if tier.fits(0, align) {
                        let head = loop {
                            if let Some(state) = tier.take_out_of_line(initial_state) {
                                return Some((state, tier));
                            }
                            // If the list is not empty now, a slot has just come back.
                            if let Some(head) = tier.list().empty_now() {
                                break head;
                            }
                        };
                        sum = sum.wrapping_add(head);
                        if !again {
                            Self::count_miss(tier);
                        }
                    }
                }
                if again && sum == before {
                    break;
                }
                (before, again) = (sum, true);
            }
        }
        self.state.exhausted.bump();
        None
    }

    /// Takes a slot of a larger tier, or else a buffer of the fallback. A pool-only `initial_state`
    /// never gets a buffer of the fallback. Returns the state word that counts the first handle,
    /// and the owner.
    #[cold]
    #[inline(never)]
    pub(crate) fn alloc_slow(
        &'static self,
        preferred: usize,
        fitting: &'static [Tier],
        capacity: usize,
        initial_state: u32,
    ) -> Option<(NonNull<StateWord>, &'static Tier)> {
        if let Some((state, tier)) = self.take_elsewhere(fitting, 1, initial_state) {
            return Some((state.into(), tier));
        }
        if initial_state & POOL_ONLY != 0 {
            None
        } else {
            self.alloc_from_fallback(capacity, preferred)
        }
    }

    /// Allocates a buffer of the fallback, if there is one and it has memory.
    #[inline]
    pub(crate) fn alloc_from_fallback(
        &'static self,
        capacity: usize,
        preferred: usize,
    ) -> Option<(NonNull<StateWord>, &'static Tier)> {
        let control = fallback::allocate(
            &self.state.deferred,
            self.fallback?,
            capacity,
            preferred,
            self.align,
        )?;
        self.state.fallbacks.bump();
        #[cfg(feature = "track")]
        {
            // SAFETY: the block has just been made, and nobody else knows it.
            let control = unsafe { &mut *control.as_ptr() };
            control.entry = self.state.listed.enter(control.capacity);
        }
        // The state word is the first field of the block. Its owner may be any tier, because each
        // tier leads back to the pool.
        // SAFETY: a pool has at least one tier: `Config::check` makes sure of that.
        Some((control.cast(), unsafe { self.tiers.first().unwrap_unchecked() }))
    }

    /// Frees a buffer of the fallback whose last handle is gone.
    ///
    /// # Safety
    /// `control` is a block that [`alloc_from_fallback`](Self::alloc_from_fallback) of this pool
    /// has made. The caller is its last holder.
    #[cold]
    #[inline(never)]
    pub(crate) unsafe fn free_to_fallback(&'static self, control: NonNull<Control>) {
        #[cfg(feature = "track")]
        // SAFETY: the caller is the last holder, so the block is valid.
        if let Some(entry) = unsafe { control.as_ref() }.entry {
            entry.strike_out();
        }
        // A pool without a fallback has no such block.
        if let Some(fallback) = self.fallback {
            // SAFETY: the caller promises it.
            let waited = unsafe {
                fallback::free(
                    &self.state.deferred,
                    fallback,
                    self.align,
                    self.zero_on_free(),
                    control,
                )
            };
            if waited {
                self.notify();
            }
        }
    }
}
