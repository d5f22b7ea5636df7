//! Room at either end of a [`BytesMut`]: what is there, what a slide gives, what a larger buffer gives.
//!
//! ```text
//!   reserve          ├─ headroom ─┼── data ──┼ spare ┤    too little spare
//!    1. slide        ├── data ──┼────── spare ───────┤    within the slot, all the way
//!    2. move         ├─ headroom ─┼── data ──┼──────── spare ────────┤    to a larger buffer
//! ```
//!
//! Headroom that nobody asks for now moves along, if there are slots large enough for that.

use crate::bytes_mut::BytesMut;
use crate::error::AllocError;
use crate::pool::Pool;

impl BytesMut {
    #[inline]
    pub(crate) fn make_room_behind(&mut self, spare: usize, pool: Option<&'static Pool>) -> Result<(), AllocError> {
        if spare <= self.capacity() - self.len() {
            return Ok(());
        }
        self.make_room(0, spare, pool)
    }

    #[inline]
    pub(crate) fn make_room_in_front(&mut self, headroom: usize, pool: Option<&'static Pool>) -> Result<(), AllocError> {
        if headroom <= self.headroom() {
            return Ok(());
        }
        self.make_room(headroom, 0, pool)
    }

    #[cold]
    #[inline(never)]
    fn make_room(&mut self, headroom: usize, spare: usize, pool: Option<&'static Pool>) -> Result<(), AllocError> {
        if self.make_room_in_place(headroom, spare) {
            return Ok(());
        }
        let pool = pool.or(self.0.pool()).ok_or(AllocError::NoPool)?;
        // Tiers are the steps of the growth; the fallback's buffers double.
        let needed = self.len().saturating_add(spare);
        let doubled = needed.max(self.len().saturating_mul(2));
        // The headroom moves along, unless only without it a slot is large enough.
        let kept = headroom.max(self.headroom());
        let fits = |headroom: usize| pool.rounded(headroom).is_some_and(|front| pool.slot_size_for(front.saturating_add(needed)).is_some());
        let front = if fits(headroom) && !fits(kept) { headroom } else { kept };
        let mut larger = pool.alloc_in_front(front, needed, doubled, self.0.is_sticky())?;
        larger.append(self);
        *self = larger;
        Ok(())
    }

    /// Slides the data to one end of the buffer if that gives `headroom` bytes in front and `spare` bytes behind:
    /// all the way, so that a buffer that is filled byte by byte slides once.
    pub(crate) fn make_room_in_place(&mut self, headroom: usize, spare: usize) -> bool {
        let Some(headroom) = self.rounded(headroom) else { return false };
        let (current, whole) = (self.headroom(), self.footprint());
        if headroom <= current && spare <= self.capacity() - self.len() {
            return true;
        }
        let Some(free) = whole.checked_sub(self.len()) else { return false };
        if headroom.checked_add(spare).is_none_or(|wanted| wanted > free) {
            return false;
        }
        // All the way to the end, or as far as the alignment allows: a multiple of it lies between the two.
        let align = self.0.pool().map_or(1, Pool::headroom_align);
        let to = if headroom > current { (free - spare) & !(align - 1) } else { headroom };
        // SAFETY: the buffer is ours alone, and `to + len` lie within it.
        unsafe { self.0.slide(to) };
        true
    }

    /// Headroom as the pool rounds it.
    pub(crate) fn rounded(&self, headroom: usize) -> Option<usize> {
        self.0.pool().map_or(Some(headroom), |pool| pool.rounded(headroom))
    }
}
