//! Room at either end of a [`BytesMut`]: the room that is there, the room from a slide, and the
//! room of a larger buffer.
//!
//! ```text
//!   reserve          ├─ headroom ─┼── data ──┼ spare ┤    too little spare
//!    1. slide        ├── data ──┼────── spare ───────┤    within the slot, all the way
//!    2. move         ├─ headroom ─┼── data ──┼──────── spare ────────┤    to a larger buffer
//!    3. move         ├── data ──┼── spare ──┤                             where no slot is free for all three
//! ```
//!
//! If nothing asks for the headroom now, it moves along if a slot is free for it, or if the
//! fallback has memory for it.

use core::ops::RangeBounds;

use crate::buf::bytes_mut::BytesMut;
use crate::buf::handle::view::resolve;
use crate::error::{AllocError, Error, RangeError};
use crate::pool::Pool;

impl BytesMut {
    /// Makes room for `additional` more bytes behind the data.
    ///
    /// If they fit into the slot, nothing is allocated. Otherwise the data move to a larger buffer
    /// of the same pool. Their headroom moves too if a slot is free (or the fallback has memory)
    /// for both. If not, the data move without it. A [half](Self::split_to) has the slot when its
    /// other halves are gone.
    ///
    /// Interrupt handler: yes while the bytes fit; as [`Pool::alloc`] if the buffer has to grow.
    /// Cost: nothing, or a move of the data, or an allocation, a copy and a drop.
    ///
    /// # Errors
    /// The errors of [`Pool::alloc`], and [`AllocError::NoPool`]. The buffer is unchanged.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// let mut buffer = POOL.copy_from_slice(b"small")?;
    /// buffer.reserve(500)?;
    /// assert_eq!((&buffer[..], buffer.capacity()), (&b"small"[..], 512));
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[inline]
    #[cfg_attr(feature = "track", track_caller)]
    pub fn reserve(&mut self, additional: usize) -> Result<(), AllocError> {
        self.make_room_behind(additional, None)
    }

    /// As [`reserve`](Self::reserve), but a larger buffer comes from `pool`.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// tierpool::pool! { static LARGE = [4096 x 1]; }
    /// let mut buffer = POOL.copy_from_slice(b"a frame")?;
    /// buffer.reserve_in(&LARGE, 2000)?;
    /// assert!(LARGE.owns(buffer.as_ptr()));
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[inline]
    #[cfg_attr(feature = "track", track_caller)]
    pub fn reserve_in(&mut self, pool: &'static Pool, additional: usize) -> Result<(), AllocError> {
        self.make_room_behind(additional, Some(pool))
    }

    /// Appends bytes, after it has [reserved](Self::reserve) the room.
    ///
    /// # Errors
    /// The errors of `reserve`. The buffer is unchanged.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// let mut buffer = POOL.alloc(100)?;
    /// buffer.extend_from_slice(b"ab")?;
    /// buffer.extend_from_slice(b"cd")?;
    /// assert_eq!(buffer, "abcd");
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[inline]
    #[cfg_attr(feature = "track", track_caller)]
    pub fn extend_from_slice(&mut self, bytes: &[u8]) -> Result<(), AllocError> {
        self.reserve(bytes.len())?;
        self.append(bytes);
        Ok(())
    }

    /// Appends a copy of a part of the data, after it has [reserved](Self::reserve) the room.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] if the range falls, or ends after the last byte. The errors of
    /// `reserve`. The buffer is unchanged.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// let mut buffer = POOL.copy_from_slice(b"aaabbb_")?;
    /// buffer.extend_from_within(3..6)?;
    /// assert_eq!(buffer, "aaabbb_bbb");
    /// assert_eq!(buffer.extend_from_within(3..11), Err(tierpool::Error::OutOfRange));
    /// # Ok::<(), tierpool::Error>(())
    /// ```
    #[cfg_attr(feature = "track", track_caller)]
    pub fn extend_from_within(&mut self, range: impl RangeBounds<usize>) -> Result<(), Error> {
        let part = resolve(range, self.len())?;
        self.reserve(part.len())?;
        let len = self.len();
        // SAFETY: the part lies within the data. `reserve` has kept them, and made this much room
        // behind them. So the two do not overlap.
        unsafe {
            let data = self.as_mut_ptr();
            data.add(len).copy_from_nonoverlapping(data.add(part.start), part.len());
            self.set_len(len + part.len());
        }
        Ok(())
    }

    /// Appends one byte, after it has [reserved](Self::reserve) the room.
    ///
    /// # Errors
    /// The errors of `reserve`. The buffer is unchanged.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// let mut buffer = POOL.copy_from_slice(b"ab")?;
    /// buffer.push(b'c')?;
    /// assert_eq!(buffer, "abc");
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[inline]
    #[cfg_attr(feature = "track", track_caller)]
    pub fn push(&mut self, byte: u8) -> Result<(), AllocError> {
        self.extend_from_slice(&[byte])
    }

    /// Shortens the data to `len` bytes, or extends them to `len` bytes with copies of `byte`.
    ///
    /// # Errors
    /// The errors of [`reserve`](Self::reserve). The buffer is unchanged.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// let mut buffer = POOL.copy_from_slice(b"ab")?;
    /// buffer.resize(4, 0)?;
    /// assert_eq!(buffer, [b'a', b'b', 0, 0]);
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[cfg_attr(feature = "track", track_caller)]
    pub fn resize(&mut self, len: usize, byte: u8) -> Result<(), AllocError> {
        self.reserve(len.saturating_sub(self.len()))?;
        self.fill_to(len, byte);
        Ok(())
    }

    /// Makes room for `additional` more bytes behind the data, without leaving the buffer. Returns
    /// false if the buffer has too little room. It replaces `try_reclaim` of the crate `bytes`, and
    /// never allocates.
    ///
    /// The data stay where they are if there is enough room behind them. If not, they move to the
    /// start of the buffer, so that the headroom becomes room, too. A [half](Self::split_to) has the
    /// room of the whole buffer when its other halves are gone.
    ///
    /// Interrupt handler: yes. Cost: nothing, or a move of the data. No atomic read-modify-write.
    ///
    /// ```
    /// tierpool::pool! { static POOL = [64 x 1]; }
    /// let mut buffer = POOL.copy_from_slice(b"a stripped header and its payload")?;
    /// buffer.advance(26).unwrap();
    /// assert!(!buffer.try_reclaim(58) && buffer.headroom() == 26); // there are 57
    /// assert!(buffer.try_reclaim(57) && buffer.headroom() == 0);
    /// assert_eq!(buffer, "payload");
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    pub fn try_reclaim(&mut self, additional: usize) -> bool {
        self.make_room_in_place(0, additional)
    }

    /// Appends the bytes of an iterator, and [reserves](Self::reserve) room as needed.
    ///
    /// # Errors
    /// The errors of `reserve`. The buffer has its old bytes. The bytes that the iterator has given
    /// are lost.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// let mut buffer = POOL.copy_from_slice(b"ab")?;
    /// buffer.extend_from_iter(b"cd".iter().map(u8::to_ascii_uppercase))?;
    /// assert_eq!(buffer, "abCD");
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[cfg_attr(feature = "track", track_caller)]
    pub fn extend_from_iter(
        &mut self,
        bytes: impl IntoIterator<Item = u8>,
    ) -> Result<(), AllocError> {
        self.append_all(bytes.into_iter())
    }

    /// Appends bytes if they fit into the capacity. It never allocates and moves no data.
    /// `BufMut::put_slice` does the same, but it panics where this returns an error.
    ///
    /// Interrupt handler: yes. Cost: the copy.
    ///
    /// # Errors
    /// [`RangeError`] if there is less room. The buffer is unchanged.
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

    // ---- the way to more room

    #[inline]
    /// Makes `spare` bytes of room behind the data. A larger buffer comes from `pool`, or else from
    /// the buffer's own pool.
    #[cfg_attr(feature = "track", track_caller)]
    pub(crate) fn make_room_behind(
        &mut self,
        spare: usize,
        pool: Option<&'static Pool>,
    ) -> Result<(), AllocError> {
        if spare <= self.capacity() - self.len() {
            return Ok(());
        }
        self.make_room(0, spare, pool)
    }

    /// Appends the bytes of an iterator: all or none.
    #[cfg_attr(feature = "track", track_caller)]
    pub(crate) fn append_all(&mut self, bytes: impl Iterator<Item = u8>) -> Result<(), AllocError> {
        let old = self.len();
        self.make_room_behind(bytes.size_hint().0, None)?;
        for byte in bytes {
            if let Err(error) = self.make_room_behind(1, None) {
                self.truncate(old);
                return Err(error);
            }
            self.append(&[byte]);
        }
        Ok(())
    }

    /// Makes `headroom` bytes of room in front of the data. A larger buffer comes as above.
    #[inline]
    #[cfg_attr(feature = "track", track_caller)]
    pub(crate) fn make_room_in_front(
        &mut self,
        headroom: usize,
        pool: Option<&'static Pool>,
    ) -> Result<(), AllocError> {
        if headroom <= self.headroom() {
            return Ok(());
        }
        self.make_room(headroom, 0, pool)
    }

    #[cold]
    #[inline(never)]
    #[cfg_attr(feature = "track", track_caller)]
    fn make_room(
        &mut self,
        headroom: usize,
        spare: usize,
        pool: Option<&'static Pool>,
    ) -> Result<(), AllocError> {
        if self.make_room_in_place(headroom, spare) {
            return Ok(());
        }
        let pool = pool.or(self.0.pool()).ok_or(AllocError::NoPool)?;
        let mut larger = self.larger(headroom, spare, pool)?;
        larger.append(self);
        *self = larger;
        Ok(())
    }

    /// Allocates a buffer for the data with `spare` bytes behind them. In front it has the present
    /// headroom if possible, or else the headroom that was asked for.
    #[cfg_attr(feature = "track", track_caller)]
    fn larger(
        &self,
        headroom: usize,
        spare: usize,
        pool: &'static Pool,
    ) -> Result<BytesMut, AllocError> {
        // Tiers are the steps of the growth. Buffers of the fallback double.
        let needed = self.len().saturating_add(spare);
        let doubled = needed.max(self.len().saturating_mul(2));
        let pool_only = self.0.is_pool_only();
        let rounded = (pool.rounded(self.headroom()), pool.rounded(headroom));
        let unasked =
            if let (Some(kept), Some(asked)) = rounded { kept.saturating_sub(asked) } else { 0 };
        if unasked > 0
            && let Some(slot) = pool.slot_in_front(self.headroom(), needed, pool_only)
        {
            return Ok(slot);
        }
        let mut larger =
            pool.alloc_in_front(headroom, needed, doubled.saturating_add(unasked), pool_only)?;
        if larger.capacity() - needed >= unasked {
            larger.0.skip(unasked);
        }
        Ok(larger)
    }

    /// Slides the data to one end of the buffer, if that gives `headroom` bytes in front and
    /// `spare` bytes behind. The data slide all the way, so that a buffer that is filled byte by
    /// byte slides only once.
    pub(crate) fn make_room_in_place(&mut self, headroom: usize, spare: usize) -> bool {
        if !self.0.take_whole() {
            // The data of a half do not slide: it could not tell the room that it gains.
            return headroom <= self.headroom() && spare <= self.capacity() - self.len();
        }
        let (current, whole) = (self.headroom(), self.footprint());
        if headroom <= current && spare <= self.capacity() - self.len() {
            return true;
        }
        let Some(headroom) = self.rounded(headroom) else { return false };
        let Some(free) = whole.checked_sub(self.len()) else { return false };
        if headroom.checked_add(spare).is_none_or(|wanted| wanted > free) {
            return false;
        }
        // The data slide all the way to the end, or as far as the alignment allows. A multiple of
        // the alignment lies between the two.
        let align = self.0.pool().map_or(1, Pool::headroom_align);
        let to = if headroom > current { (free - spare) & !(align - 1) } else { headroom };
        // SAFETY: the buffer belongs to us alone, and `to + len` bytes lie within it.
        unsafe { self.0.slide(to) };
        true
    }

    /// The headroom as the pool rounds it. None if the sum overflows.
    pub(crate) fn rounded(&self, headroom: usize) -> Option<usize> {
        self.0.pool().map_or(Some(headroom), |pool| pool.rounded(headroom))
    }
}
