//! The front of a [`BytesMut`]. To strip a header, the start of the data moves. To add a header, it
//! is written in front, and the rest does not move.
//!
//! ```text
//!   ├─ headroom ─┼─ header ─┼─ payload ─┤
//!                 advance ─►               the header's bytes become headroom
//!   ├────── headroom ───────┼─ payload ─┤
//!                ◄─ prepend                for the next header
//! ```

use crate::buf::bytes_mut::BytesMut;
use crate::error::{AllocError, RangeError};
use crate::pool::Pool;

impl BytesMut {
    /// The bytes of room in front of the data, for [`prepend`](Self::prepend). 0 for a
    /// [half](Self::split_to) that has another half in front.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// assert_eq!(POOL.alloc_with_headroom(20, 300)?.headroom(), 20);
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[inline]
    pub fn headroom(&self) -> usize {
        self.0.headroom()
    }

    /// Drops the first `bytes` bytes. They become headroom.
    ///
    /// Interrupt handler: yes. Cost: no atomic operation.
    ///
    /// # Errors
    /// [`RangeError`] if there are fewer bytes. The buffer is unchanged.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// let mut buffer = POOL.copy_from_slice(b"headbody")?;
    /// buffer.advance(4).unwrap();
    /// assert_eq!((&buffer[..], buffer.headroom()), (&b"body"[..], 4));
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[inline]
    pub fn advance(&mut self, bytes: usize) -> Result<(), RangeError> {
        self.0.advance(bytes)
    }

    /// Makes room for `additional` bytes in front of the data, as [`reserve`](Self::reserve) does
    /// behind them. In a pool with `align`, the room is rounded up to the alignment.
    ///
    /// # Errors
    /// The errors of `reserve`. The buffer is unchanged.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// let mut packet = POOL.copy_from_slice(b"payload")?;
    /// packet.reserve_front(2)?;
    /// assert!(packet.headroom() >= 2);
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[inline]
    #[cfg_attr(feature = "track", track_caller)]
    pub fn reserve_front(&mut self, additional: usize) -> Result<(), AllocError> {
        self.make_room_in_front(additional, None)
    }

    /// As [`reserve_front`](Self::reserve_front), but a larger buffer comes from `pool`.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// let mut buffer = tierpool::Bytes::new().into_mut()?;
    /// buffer.reserve_front_in(&POOL, 8)?;
    /// assert!(buffer.headroom() >= 8);
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[inline]
    #[cfg_attr(feature = "track", track_caller)]
    pub fn reserve_front_in(
        &mut self,
        pool: &'static Pool,
        additional: usize,
    ) -> Result<(), AllocError> {
        self.make_room_in_front(additional, Some(pool))
    }

    /// Puts bytes in front of the data, after it has [reserved](Self::reserve_front) the room.
    ///
    /// # Errors
    /// The errors of `reserve_front`. The buffer is unchanged.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// let mut packet = POOL.alloc_with_headroom(5, 100)?;
    /// packet.extend_from_slice(b"body")?;
    /// packet.prepend(b"head|")?;
    /// assert_eq!(packet, "head|body");
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[inline]
    #[cfg_attr(feature = "track", track_caller)]
    pub fn prepend(&mut self, bytes: &[u8]) -> Result<(), AllocError> {
        self.reserve_front(bytes.len())?;
        self.put_in_front(bytes);
        Ok(())
    }

    /// Empties the buffer and gives it its whole slot again, behind `headroom` bytes. In a pool
    /// with `align`, the headroom is rounded up to the alignment.
    ///
    /// Use it to receive packets. First allocate the replacement. If there is none, reset the
    /// buffer that was just received, hand it to the driver again, and count a dropped packet.
    ///
    /// Interrupt handler: yes. Cost: one atomic load.
    ///
    /// # Errors
    /// [`RangeError`] if the slot is smaller than `headroom`, or if another
    /// [half](Self::split_to) of it lives. The buffer is unchanged.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// let mut buffer = POOL.zeroed(200)?;
    /// buffer.advance(100).unwrap();
    /// buffer.reset(16).unwrap();
    /// assert_eq!((buffer.len(), buffer.headroom(), buffer.capacity()), (0, 16, 240));
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    pub fn reset(&mut self, headroom: usize) -> Result<(), RangeError> {
        let headroom = self.rounded(headroom).ok_or(RangeError)?;
        if headroom > self.footprint() || !self.0.take_whole() {
            return Err(RangeError);
        }
        self.clear();
        // SAFETY: the whole buffer belongs to us alone, and `headroom` bytes lie within it.
        unsafe { self.0.slide(headroom) };
        Ok(())
    }

    /// Writes bytes into the headroom, right in front of the data. The callers have checked that
    /// there is enough headroom.
    #[inline]
    fn put_in_front(&mut self, bytes: &[u8]) {
        debug_assert!(bytes.len() <= self.headroom());
        // SAFETY: there is enough headroom, as the callers have checked. It belongs to us alone, so
        // it does not overlap `bytes`.
        unsafe {
            self.as_mut_ptr()
                .sub(bytes.len())
                .copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
            self.0.retreat(bytes.len());
        }
    }
}
