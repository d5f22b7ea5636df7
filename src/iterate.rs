//! Bytes out of iterators. What `Extend` and `FromIterator` would do, if they could name a pool and report that it is
//! exhausted.

use crate::bytes_mut::BytesMut;
use crate::error::AllocError;
use crate::pool::Pool;

impl Pool {
    /// A buffer with the bytes of an iterator: in place of `collect`.
    ///
    /// Interrupt handler: as [`alloc`](Self::alloc). Cost: one compare-and-swap if the iterator knows its length, and a
    /// move to each larger tier if it does not.
    ///
    /// # Errors
    /// [`AllocError::Exhausted`], [`AllocError::Oversized`]. What the iterator has given is gone.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// assert_eq!(POOL.copy_from_iter((b'a'..=b'e').rev())?, "edcba");
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    pub fn copy_from_iter(&'static self, bytes: impl IntoIterator<Item = u8>) -> Result<BytesMut, AllocError> {
        let bytes = bytes.into_iter();
        let mut buffer = self.alloc(bytes.size_hint().0)?;
        buffer.append_all(bytes, None)?;
        Ok(buffer)
    }
}

impl BytesMut {
    /// Appends the bytes of an iterator; [reserves](Self::reserve) room as it goes.
    ///
    /// # Errors
    /// Those of `reserve`; the buffer has its old bytes. What the iterator has given is gone.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// let mut buffer = POOL.copy_from_slice(b"ab")?;
    /// buffer.extend_from_iter(b"cd".iter().map(u8::to_ascii_uppercase))?;
    /// assert_eq!(buffer, "abCD");
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    pub fn extend_from_iter(&mut self, bytes: impl IntoIterator<Item = u8>) -> Result<(), AllocError> {
        self.append_all(bytes.into_iter(), None)
    }

    /// As [`extend_from_iter`](Self::extend_from_iter), with `pool` paying for a larger buffer.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// let mut empty = tierpool::Bytes::new().into_mut()?; // belongs to no pool
    /// empty.extend_from_iter_in(&POOL, [1, 2, 3])?;
    /// assert_eq!(empty, [1, 2, 3]);
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    pub fn extend_from_iter_in(&mut self, pool: &'static Pool, bytes: impl IntoIterator<Item = u8>) -> Result<(), AllocError> {
        self.append_all(bytes.into_iter(), Some(pool))
    }

    fn append_all(&mut self, mut bytes: impl Iterator<Item = u8>, pool: Option<&'static Pool>) -> Result<(), AllocError> {
        let old = self.len();
        self.make_room_behind(bytes.size_hint().0, pool)?;
        bytes.try_for_each(|byte| {
            self.make_room_behind(1, pool).inspect_err(|_| self.truncate(old))?;
            self.append(&[byte]);
            Ok(())
        })
    }
}
