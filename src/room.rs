//! Room at either end of a [`BytesMut`]: what is there, what a slide gives, what a larger buffer gives.
//!
//! ```text
//!   reserve          ├─ headroom ─┼── data ──┼ spare ┤    too little spare
//!    1. slide        ├── data ──┼────── spare ───────┤    within the slot, all the way
//!    2. move         ├─ headroom ─┼── data ──┼──────── spare ────────┤    to a larger buffer
//!    3. move         ├── data ──┼── spare ──┤                             where no slot is free for all three
//! ```
//!
//! Headroom that nobody asks for now moves along, if a slot is free for it, or the fallback has memory for it.

use crate::bytes_mut::BytesMut;
use crate::error::{AllocError, RangeError};
use crate::pool::Pool;

impl BytesMut {
    /// Appends bytes to the capacity that there is: never allocates, and moves no data. What `BufMut::put_slice` does, which
    /// panics where this is an error.
    ///
    /// Interrupt handler: yes. Cost: the copy.
    ///
    /// # Errors
    /// [`RangeError`] if there is less room; nothing changes.
    ///
    /// ```
    /// tierpool::pool! { static POOL = [8 x 1]; }
    /// let mut buffer = POOL.copy_from_slice(b"frame")?;
    /// assert!(buffer.extend_in_place(b"1234").is_err());
    /// assert!(buffer.extend_in_place(b"123").is_ok());
    /// assert_eq!(buffer, "frame123");
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[inline]
    pub fn extend_in_place(&mut self, bytes: &[u8]) -> Result<(), RangeError> {
        if bytes.len() > self.capacity() - self.len() {
            return Err(RangeError);
        }
        self.append(bytes);
        Ok(())
    }

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
        let mut larger = self.larger(headroom, spare, pool)?;
        larger.append(self);
        *self = larger;
        Ok(())
    }

    /// A buffer for the data with `spare` behind them: behind the headroom that there is, or else the one asked for.
    fn larger(&self, headroom: usize, spare: usize, pool: &'static Pool) -> Result<BytesMut, AllocError> {
        // Tiers are the steps of the growth; the fallback's buffers double.
        let needed = self.len().saturating_add(spare);
        let doubled = needed.max(self.len().saturating_mul(2));
        let sticky = self.0.is_sticky();
        let rounded = (pool.rounded(self.headroom()), pool.rounded(headroom));
        let unasked = if let (Some(kept), Some(asked)) = rounded { kept.saturating_sub(asked) } else { 0 };
        if unasked > 0
            && let Some(slot) = pool.slot_in_front(self.headroom(), needed, sticky)
        {
            return Ok(slot);
        }
        let mut larger = pool.alloc_in_front(headroom, needed, doubled.saturating_add(unasked), sticky)?;
        if larger.capacity() - needed >= unasked {
            larger.0.skip(unasked);
        }
        Ok(larger)
    }

    /// Slides the data to one end of the buffer if that gives `headroom` bytes in front and `spare` bytes behind:
    /// all the way, so that a buffer that is filled byte by byte slides once.
    pub(crate) fn make_room_in_place(&mut self, headroom: usize, spare: usize) -> bool {
        let (current, whole) = (self.headroom(), self.footprint());
        if headroom <= current && spare <= self.capacity() - self.len() {
            return true;
        }
        let Some(headroom) = self.rounded(headroom) else { return false };
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
