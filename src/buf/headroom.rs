//! The front of a [`BytesMut`]: headers are stripped by moving its start, and put in front without moving the rest.
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
    /// Bytes of room in front of the data, for [`prepend`](Self::prepend).
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

    /// Drops the first `bytes` bytes; they become headroom.
    ///
    /// Interrupt handler: yes. Cost: no atomic operation.
    ///
    /// # Errors
    /// [`RangeError`] if there are fewer; nothing changes.
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

    /// Makes room for `additional` bytes in front of the data, as [`reserve`](Self::reserve) does behind them. In a
    /// pool with `align`, rounded up to the alignment.
    ///
    /// # Errors
    /// Those of `reserve`; the buffer is unchanged.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// let mut packet = POOL.copy_from_slice(b"payload")?;
    /// packet.reserve_front(2)?;
    /// assert!(packet.headroom() >= 2);
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[inline]
    pub fn reserve_front(&mut self, additional: usize) -> Result<(), AllocError> {
        self.make_room_in_front(additional, None)
    }

    /// As [`reserve_front`](Self::reserve_front), with `pool` paying for a larger buffer.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// let mut buffer = tierpool::Bytes::new().into_mut()?;
    /// buffer.reserve_front_in(&POOL, 8)?;
    /// assert!(buffer.headroom() >= 8);
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[inline]
    pub fn reserve_front_in(&mut self, pool: &'static Pool, additional: usize) -> Result<(), AllocError> {
        self.make_room_in_front(additional, Some(pool))
    }

    /// Puts bytes in front of the data; [reserves](Self::reserve_front) the room first.
    ///
    /// # Errors
    /// Those of `reserve_front`; the buffer is unchanged.
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
    pub fn prepend(&mut self, bytes: &[u8]) -> Result<(), AllocError> {
        self.reserve_front(bytes.len())?;
        self.put_in_front(bytes);
        Ok(())
    }

    /// Empties the buffer and gives it its whole slot again, behind `headroom` bytes (in a pool with `align`,
    /// rounded up to the alignment).
    ///
    /// The receive pattern: allocate the replacement first; if there is none, reset the buffer just received, hand
    /// it to the driver again, and count a dropped packet.
    ///
    /// Interrupt handler: yes. Cost: no atomic operation but a load.
    ///
    /// # Errors
    /// [`RangeError`] if the slot is smaller than that; nothing changes.
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
        if headroom > self.footprint() {
            return Err(RangeError);
        }
        self.clear();
        // SAFETY: the buffer is ours alone, and `headroom` bytes lie within it.
        unsafe { self.0.slide(headroom) };
        Ok(())
    }

    #[inline]
    fn put_in_front(&mut self, bytes: &[u8]) {
        debug_assert!(bytes.len() <= self.headroom());
        // SAFETY: there is headroom, by the callers; the buffer is ours alone, so it does not overlap `bytes`.
        unsafe {
            self.as_mut_ptr().sub(bytes.len()).copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
            self.0.retreat(bytes.len());
        }
    }
}
