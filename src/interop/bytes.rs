//! `Buf` and `BufMut` of the crate `bytes` for the handles, and the conversions between the two
//! crates.
//!
//! | from | to | payload |
//! |---|---|---|
//! | [`Bytes`], [`BytesMut`] | `bytes::Bytes` | stays in its slot; the slot comes back with the last clone |
//! | any `Buf`, also `bytes::Bytes` | [`BytesMut`] | copied, by [`Pool::copy_from_buf`] or [`BytesMut::extend_from_buf`] |

use ::bytes::buf::UninitSlice;
use ::bytes::{Buf, BufMut};

use crate::buf::bytes::Bytes;
use crate::buf::bytes_mut::BytesMut;
use crate::buf::chain::Chain;
use crate::error::AllocError;
use crate::pool::Pool;

/// Reading takes bytes from the front. [`Bytes::advance`] of this crate returns an error where
/// `Buf::advance` panics.
///
/// ```
/// use bytes::Buf;
///
/// tierpool::pool! { static POOL = default; }
/// let mut frame = POOL.copy_from_slice(b"\x00\x05hello!")?.freeze();
/// let length = frame.get_u16();
/// let body: bytes::Bytes = frame.copy_to_bytes(length.into()); // no byte is copied
/// assert_eq!((&body[..], &frame[..]), (&b"hello"[..], &b"!"[..]));
/// # Ok::<(), tierpool::AllocError>(())
/// ```
///
/// `advance`, `copy_to_bytes` and `get_u8` to `get_f64` panic if there are fewer bytes. If a length
/// comes from a packet, use [`Bytes::advance`], [`Bytes::split_to`], and `try_get_u8` to
/// `try_get_f64` of `Buf`.
impl Buf for Bytes {
    #[inline]
    fn remaining(&self) -> usize {
        self.len()
    }

    #[inline]
    fn chunk(&self) -> &[u8] {
        self
    }

    /// # Panics
    /// If there are fewer bytes.
    #[inline]
    fn advance(&mut self, bytes: usize) {
        self.0.advance(bytes).expect("advance within `remaining`");
    }

    /// Splits the bytes off. The payload stays where it is. Cost: one allocation of the global
    /// allocator, as for [`From`].
    ///
    /// # Panics
    /// If there are fewer bytes.
    fn copy_to_bytes(&mut self, len: usize) -> ::bytes::Bytes {
        self.split_to(len).expect("copy_to_bytes within `remaining`").into()
    }
}

/// Reading takes bytes from the front. They become headroom.
///
/// ```
/// use bytes::Buf;
///
/// tierpool::pool! { static POOL = default; }
/// let mut frame = POOL.copy_from_slice(b"\x01\x02body")?;
/// assert_eq!((frame.get_u16(), frame.headroom()), (0x0102, 2));
/// # Ok::<(), tierpool::AllocError>(())
/// ```
///
/// It panics where [`Bytes`] does.
impl Buf for BytesMut {
    #[inline]
    fn remaining(&self) -> usize {
        self.len()
    }

    #[inline]
    fn chunk(&self) -> &[u8] {
        self
    }

    /// # Panics
    /// If there are fewer bytes.
    #[inline]
    fn advance(&mut self, bytes: usize) {
        self.0.advance(bytes).expect("advance within `remaining`");
    }

    /// Splits the bytes off, as [`split_to`](BytesMut::split_to) does. The payload stays where it is.
    /// Cost: one allocation of the global allocator, as for [`From`].
    ///
    /// # Panics
    /// If there are fewer bytes.
    fn copy_to_bytes(&mut self, len: usize) -> ::bytes::Bytes {
        self.split_to(len).expect("copy_to_bytes within `remaining`").into()
    }
}

/// Reading takes bytes from the front, and goes on in the next part. With the feature `std`,
/// `chunks_vectored` gives a slice for each part, for a vectored write.
///
/// ```
/// use bytes::Buf;
///
/// let mut chain = tierpool::Chain::<2>::from(tierpool::Bytes::from_static(b"\x01"));
/// chain.push_back("\x02body".into())?;
/// assert_eq!((chain.get_u16(), chain.remaining()), (0x0102, 4));
/// # Ok::<(), tierpool::ChainFull>(())
/// ```
///
/// It panics where [`Bytes`] does. [`Chain::advance`] and [`Chain::copy_to_slice`] return an error
/// instead.
impl<const N: usize> Buf for Chain<N> {
    #[inline]
    fn remaining(&self) -> usize {
        self.len()
    }

    #[inline]
    fn chunk(&self) -> &[u8] {
        self.first_chunk()
    }

    #[cfg(feature = "std")]
    fn chunks_vectored<'a>(&'a self, target: &mut [std::io::IoSlice<'a>]) -> usize {
        let filled = target.iter_mut().zip(self.chunks());
        filled.map(|(slice, chunk)| *slice = std::io::IoSlice::new(chunk)).count()
    }

    /// # Panics
    /// If there are fewer bytes.
    fn advance(&mut self, bytes: usize) {
        Chain::advance(self, bytes).expect("advance within `remaining`");
    }

    /// If the bytes lie in the first part, they are split off, and no byte is copied. Otherwise
    /// they are copied into memory of the global allocator.
    ///
    /// # Panics
    /// If there are fewer bytes.
    fn copy_to_bytes(&mut self, len: usize) -> ::bytes::Bytes {
        let mut front = self.split_to(len).expect("copy_to_bytes within `remaining`");
        if front.parts().len() > 1 {
            let mut copy = ::bytes::BytesMut::with_capacity(len);
            copy.put(front);
            return copy.freeze();
        }
        front.pop_front().unwrap_or_default().into()
    }
}

/// Writing fills the present capacity. It never grows the buffer, because `BufMut` has no way to
/// report that a pool is exhausted. A full buffer has no `remaining_mut`, and readers that fill it
/// then read nothing.
///
/// **`put`, `put_slice`, `put_bytes` and `put_u8` to `put_f64` panic** if there is less room, as
/// they do on a full slice, because the trait has no error. If a length comes from a packet, use a
/// method that returns an error: [`extend_in_place`](BytesMut::extend_in_place) fills the capacity;
/// [`extend_from_slice`](BytesMut::extend_from_slice) and
/// [`extend_from_buf`](BytesMut::extend_from_buf) grow.
///
/// ```
/// use bytes::BufMut;
///
/// tierpool::pool! { static POOL = default; }
/// let mut frame = POOL.alloc(256)?;
/// frame.put_u16(0x0102);
/// assert_eq!((&frame[..], frame.remaining_mut()), (&[1, 2][..], 254));
/// # Ok::<(), tierpool::AllocError>(())
/// ```
// SAFETY: `remaining_mut`, `chunk_mut` and `advance_mut` all refer to the same room behind the
// data.
unsafe impl BufMut for BytesMut {
    #[inline]
    fn remaining_mut(&self) -> usize {
        self.capacity() - self.len()
    }

    /// # Panics
    /// If there is less room.
    #[inline]
    unsafe fn advance_mut(&mut self, bytes: usize) {
        assert!(bytes <= self.remaining_mut(), "advance_mut within `remaining_mut`");
        let len = self.len() + bytes;
        // SAFETY: the length is within the capacity. The bytes are initialised, as the caller
        // promises.
        unsafe { self.set_len(len) }
    }

    #[inline]
    fn chunk_mut(&mut self) -> &mut UninitSlice {
        UninitSlice::uninit(self.spare_capacity_mut())
    }
}

/// The payload stays in its slot. The last drop of a clone of the result frees the slot. It takes
/// one small allocation of the global allocator, and that last drop frees it. So neither is for
/// interrupt handlers.
///
/// ```
/// tierpool::pool! { static POOL = default; }
/// let packet = POOL.copy_from_slice(b"a packet")?.freeze();
/// let (start, length) = (packet.as_ptr(), packet.len());
/// let foreign = bytes::Bytes::from(packet);
/// assert_eq!((foreign.as_ptr(), foreign.len()), (start, length));
/// drop(foreign);
/// assert!(POOL.is_idle());
/// # Ok::<(), tierpool::AllocError>(())
/// ```
impl From<Bytes> for ::bytes::Bytes {
    fn from(bytes: Bytes) -> Self {
        ::bytes::Bytes::from_owner(bytes)
    }
}

/// As for [`Bytes`].
impl From<BytesMut> for ::bytes::Bytes {
    fn from(buffer: BytesMut) -> Self {
        buffer.freeze().into()
    }
}

impl Pool {
    /// Allocates a buffer with a copy of all remaining bytes of `buf`, in one piece.
    ///
    /// Interrupt handler: as [`alloc`](Self::alloc). Cost: one compare-and-swap, and the copy.
    ///
    /// # Errors
    /// [`AllocError::Exhausted`], [`AllocError::Oversized`]. Nothing has been read. So a caller
    /// that passes `&mut buf` still has all of it.
    ///
    /// ```
    /// use bytes::Buf;
    ///
    /// tierpool::pool! { static POOL = default; }
    /// let pieces = bytes::Bytes::from_static(b"head").chain(&b"body"[..]);
    /// assert_eq!(POOL.copy_from_buf(pieces)?, "headbody");
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[cfg_attr(feature = "track", track_caller)]
    pub fn copy_from_buf(&'static self, buf: impl Buf) -> Result<BytesMut, AllocError> {
        let mut buffer = self.alloc(buf.remaining())?;
        buffer.put(buf);
        Ok(buffer)
    }
}

impl BytesMut {
    /// Appends a copy of all remaining bytes of `buf`, after it has [reserved](Self::reserve) the
    /// room.
    ///
    /// # Errors
    /// The errors of `reserve`. The buffer is unchanged, and nothing has been read.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// let mut buffer = POOL.copy_from_slice(b"head")?;
    /// buffer.extend_from_buf(bytes::Bytes::from_static(b"body"))?;
    /// assert_eq!(buffer, "headbody");
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[cfg_attr(feature = "track", track_caller)]
    pub fn extend_from_buf(&mut self, buf: impl Buf) -> Result<(), AllocError> {
        self.reserve(buf.remaining())?;
        self.put(buf);
        Ok(())
    }
}
