//! `Buf` and `BufMut` of the crate `bytes` for the handles, and the ways from one crate's bytes to the other's.
//!
//! | from | to | payload |
//! |---|---|---|
//! | [`Bytes`], [`BytesMut`] | `bytes::Bytes` | stays in its slot; the slot comes back with the last clone |
//! | any `Buf`, `bytes::Bytes` included | [`BytesMut`] | copied, by [`Pool::copy_from_buf`], [`BytesMut::extend_from_buf`] |

use ::bytes::buf::UninitSlice;
use ::bytes::{Buf, BufMut};

use crate::buf::bytes::Bytes;
use crate::buf::bytes_mut::BytesMut;
use crate::error::AllocError;
use crate::pool::Pool;

/// Reading takes bytes from the front. [`Bytes::advance`] itself returns an error where `Buf::advance` panics.
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
/// `advance`, `copy_to_bytes` and `get_u8` to `get_f64` panic if there are fewer bytes. For lengths out of a packet:
/// [`Bytes::advance`], [`Bytes::split_to`], and `Buf`'s own `try_get_u8` to `try_get_f64`.
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

    /// Splits them off: the payload stays where it is. One allocation of the global allocator, as [`From`] does.
    ///
    /// # Panics
    /// If there are fewer bytes.
    fn copy_to_bytes(&mut self, len: usize) -> ::bytes::Bytes {
        self.split_to(len).expect("copy_to_bytes within `remaining`").into()
    }
}

/// Reading takes bytes from the front; they become headroom.
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
/// Panics where [`Bytes`] does.
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

    /// All bytes, if there are any, leave with the buffer itself, and no byte is copied; this handle is then empty, and can grow
    /// in its pool (one from [`alloc_pooled`](Pool::alloc_pooled) belongs to no pool then: it grows by the `_in` forms).
    /// A part of them is copied into the global allocator's memory, since a buffer has one owner that writes: to split
    /// without a copy, [`freeze`](BytesMut::freeze) first.
    ///
    /// # Panics
    /// If there are fewer bytes.
    fn copy_to_bytes(&mut self, len: usize) -> ::bytes::Bytes {
        if len == self.len() && len > 0 {
            let rest = BytesMut(self.0.empty_at(len));
            return core::mem::replace(self, rest).into();
        }
        let part = ::bytes::Bytes::copy_from_slice(self.get(..len).expect("copy_to_bytes within `remaining`"));
        Buf::advance(self, len);
        part
    }
}

/// Writing fills the capacity that there is. It never grows, since `BufMut` has no way to report that a pool is
/// exhausted: a full buffer has no `remaining_mut`, and readers that fill it then read nothing.
///
/// **`put`, `put_slice`, `put_bytes` and `put_u8` to `put_f64` panic** if there is less room, as they do on a full slice: the trait
/// has no error. For a length that comes out of a packet use what returns one: [`extend_in_place`](BytesMut::extend_in_place)
/// fills the capacity, [`extend_from_slice`](BytesMut::extend_from_slice) and [`extend_from_buf`](BytesMut::extend_from_buf) grow.
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
// SAFETY: `remaining_mut`, `chunk_mut` and `advance_mut` speak of the same room behind the data.
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
        // SAFETY: within the capacity; initialised, by the caller.
        unsafe { self.set_len(len) }
    }

    #[inline]
    fn chunk_mut(&mut self) -> &mut UninitSlice {
        UninitSlice::uninit(self.spare_capacity_mut())
    }
}

/// The payload stays in its slot, which comes back when the last clone of the result is dropped. Takes one small
/// allocation of the global allocator, which that drop frees: neither is for interrupt handlers.
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

/// As from [`Bytes`].
impl From<BytesMut> for ::bytes::Bytes {
    fn from(buffer: BytesMut) -> Self {
        buffer.freeze().into()
    }
}

impl Pool {
    /// A buffer with a copy of all that `buf` has left, in one piece.
    ///
    /// Interrupt handler: as [`alloc`](Self::alloc). Cost: one compare-and-swap, the copy.
    ///
    /// # Errors
    /// [`AllocError::Exhausted`], [`AllocError::Oversized`]; nothing has been read, so whoever passes `&mut buf` still has
    /// it all.
    ///
    /// ```
    /// use bytes::Buf;
    ///
    /// tierpool::pool! { static POOL = default; }
    /// let pieces = bytes::Bytes::from_static(b"head").chain(&b"body"[..]);
    /// assert_eq!(POOL.copy_from_buf(pieces)?, "headbody");
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    pub fn copy_from_buf(&'static self, buf: impl Buf) -> Result<BytesMut, AllocError> {
        let mut buffer = self.alloc(buf.remaining())?;
        buffer.put(buf);
        Ok(buffer)
    }
}

impl BytesMut {
    /// Appends a copy of all that `buf` has left; [reserves](Self::reserve) the room first.
    ///
    /// # Errors
    /// Those of `reserve`; the buffer is unchanged, and nothing has been read.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// let mut buffer = POOL.copy_from_slice(b"head")?;
    /// buffer.extend_from_buf(bytes::Bytes::from_static(b"body"))?;
    /// assert_eq!(buffer, "headbody");
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    pub fn extend_from_buf(&mut self, buf: impl Buf) -> Result<(), AllocError> {
        self.reserve(buf.remaining())?;
        self.put(buf);
        Ok(())
    }
}
