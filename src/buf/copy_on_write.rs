//! Copy-on-write: the ways from shared [`Bytes`] to bytes that may be written, and to a smaller
//! slot.
//!
//! ```text
//!   BytesMut ──freeze──► Bytes ──clone, slice, split──► Bytes …
//!      ▲                   │
//!      └──── into_mut ─────┤  the only handle: a bit copy
//!                          └  shared: the visible bytes are copied, and only they
//! ```

use core::fmt;

use crate::buf::bytes::Bytes;
use crate::buf::bytes_mut::BytesMut;
use crate::buf::handle::Handle;
use crate::error::{AllocError, Error};
use crate::pool::Pool;

impl Bytes {
    /// Gives write access to the bytes. If another handle shares them, or if they are static, it
    /// copies them first. The copy goes to their own pool, and takes only these bytes.
    ///
    /// Interrupt handler: yes without a copy; as [`Pool::alloc`] if it has to copy. Cost: one
    /// atomic load. A copy also costs an allocation and a drop.
    ///
    /// # Errors
    /// The errors of [`Pool::alloc`], and [`AllocError::NoPool`] for static bytes. The handle is
    /// unchanged.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// let mut a = POOL.copy_from_slice(b"hop 0")?.freeze();
    /// let b = a.clone();
    /// a.make_mut()?[4] = b'1';
    /// assert_eq!((a, b), ("hop 1".into(), "hop 0".into()));
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[inline]
    #[cfg_attr(feature = "track", track_caller)]
    pub fn make_mut(&mut self) -> Result<&mut [u8], AllocError> {
        self.make_mut_from(None)
    }

    /// As [`make_mut`](Self::make_mut), but a copy comes from `pool`.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// let mut hello = tierpool::Bytes::from_static(b"hello");
    /// hello.make_mut_in(&POOL)?.make_ascii_uppercase();
    /// assert_eq!(hello, "HELLO");
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[inline]
    #[cfg_attr(feature = "track", track_caller)]
    pub fn make_mut_in(&mut self, pool: &'static Pool) -> Result<&mut [u8], AllocError> {
        self.make_mut_from(Some(pool))
    }

    #[inline]
    #[cfg_attr(feature = "track", track_caller)]
    fn make_mut_from(&mut self, pool: Option<&'static Pool>) -> Result<&mut [u8], AllocError> {
        if !self.is_unique() {
            self.copy_while_shared(pool)?;
        }
        // SAFETY: the buffer is unique, or a fresh copy, or the handle is empty.
        Ok(unsafe { self.0.as_mut_slice() })
    }

    /// Replaces shared bytes by a copy. Empty bytes only give up the buffer.
    #[cold]
    #[inline(never)]
    #[cfg_attr(feature = "track", track_caller)]
    fn copy_while_shared(&mut self, pool: Option<&'static Pool>) -> Result<(), AllocError> {
        if self.is_empty() {
            self.0.replace_shared(self.0.empty_at(0));
            return Ok(());
        }
        let pool = pool.or(self.0.pool()).ok_or(AllocError::NoPool)?;
        match pool.copy_in_front(0, self, self.0.is_pool_only()) {
            Ok(copy) => self.0.replace_shared(Handle::into_handle(copy, |copy| &copy.0)),
            // The last other holder may have dropped its handle meanwhile. Then these bytes are
            // unique, and no copy is needed.
            Err(error) if !self.is_unique() => return Err(error),
            Err(_) => {}
        }
        Ok(())
    }

    /// Returns the buffer for writing, if no other handle shares it. Never copies.
    ///
    /// Interrupt handler: yes. Cost: one or two atomic loads.
    ///
    /// # Errors
    /// The bytes themselves, if they are shared or static.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// let a = POOL.zeroed(4)?.freeze();
    /// let b = a.clone();
    /// let a = a.try_into_mut().unwrap_err();
    /// drop(b);
    /// assert!(a.try_into_mut().is_ok());
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[inline]
    pub fn try_into_mut(mut self) -> Result<BytesMut, Bytes> {
        if self.0.plain_slot().is_some() || self.0.is_unique() && self.0.take_whole() {
            Ok(BytesMut(Handle::into_handle(self, |bytes| &bytes.0)))
        } else if self.is_empty() {
            // Empty bytes have nothing to share.
            Ok(BytesMut(self.0.empty_at(0)))
        } else {
            Err(self)
        }
    }

    /// Returns the buffer for writing. If it is shared, returns a copy of these bytes in their own
    /// pool.
    ///
    /// Interrupt handler and cost: as [`make_mut`](Self::make_mut).
    ///
    /// # Errors
    /// The errors of `make_mut`. The error gives the bytes back.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// let shared = POOL.copy_from_slice(b"hop 0")?.freeze();
    /// let mut hop = shared.clone().into_mut()?;
    /// hop[4] = b'1';
    /// assert_eq!((&hop[..], &shared[..]), (&b"hop 1"[..], &b"hop 0"[..]));
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[cfg_attr(feature = "track", track_caller)]
    pub fn into_mut(self) -> Result<BytesMut, IntoMutError> {
        match self.try_into_mut() {
            Ok(unique) => Ok(unique),
            Err(shared) => match shared.0.pool() {
                Some(pool) => shared.into_mut_in(pool, 0),
                None => Err(IntoMutError { bytes: shared, error: AllocError::NoPool }),
            },
        }
    }

    /// Returns the buffer for writing, **where it is** if it is not shared and has room for
    /// `headroom` bytes in front. Otherwise returns a copy in `pool`, with that headroom.
    ///
    /// So a unique buffer still holds its slot of the old pool. [`move_to`](Self::move_to) always
    /// leaves the old pool.
    ///
    /// ```
    /// tierpool::pool! { static RX = default; }
    /// tierpool::pool! { static TX = default; }
    /// let received = RX.copy_from_slice(b"payload")?.freeze();
    /// let mut out = received.clone().into_mut_in(&TX, 8)?;
    /// out.prepend(b"header: ")?;
    /// assert_eq!(out, "header: payload");
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[cfg_attr(feature = "track", track_caller)]
    pub fn into_mut_in(
        self,
        pool: &'static Pool,
        headroom: usize,
    ) -> Result<BytesMut, IntoMutError> {
        let bytes = match self.into_mut_in_place(headroom) {
            Ok(unique) => return Ok(unique),
            Err(bytes) => bytes,
        };
        match pool.copy_in_front(headroom, &bytes, bytes.0.is_pool_only()) {
            Ok(copy) => Ok(copy),
            // The last other holder may have dropped its handle meanwhile. Then the buffer can be
            // used where it is.
            Err(error) => {
                bytes.into_mut_in_place(headroom).map_err(|bytes| IntoMutError { bytes, error })
            }
        }
    }

    /// Moves the bytes into a buffer of `pool`, with `headroom` bytes in front. It always copies,
    /// whether the bytes are shared or not, and gives up the old buffer. So a packet that waits in
    /// a slow queue does not hold a slot of the pool that receives.
    ///
    /// Interrupt handler: as [`Pool::alloc`]. Cost: always an allocation, the copy and a drop.
    ///
    /// # Errors
    /// The errors of [`Pool::alloc`]. The error gives the bytes back.
    ///
    /// ```
    /// tierpool::pool! { static RX = default; }
    /// tierpool::pool! { static TX = default; }
    /// let received = RX.copy_from_slice(b"payload")?.freeze();
    /// let mut out = received.move_to(&TX, 8)?;
    /// assert!(RX.is_idle());
    /// out.prepend(b"header: ")?;
    /// assert_eq!(out, "header: payload");
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[cfg_attr(feature = "track", track_caller)]
    pub fn move_to(self, pool: &'static Pool, headroom: usize) -> Result<BytesMut, IntoMutError> {
        pool.copy_in_front(headroom, &self, self.0.is_pool_only())
            .map_err(|error| IntoMutError { bytes: self, error })
    }

    /// Returns the buffer for writing, if it is not shared and has, or can make, room for
    /// `headroom` bytes in front.
    fn into_mut_in_place(self, headroom: usize) -> Result<BytesMut, Bytes> {
        if !self.is_unique() {
            return Err(self);
        }
        let mut unique = self.try_into_mut()?;
        if unique.make_room_in_place(headroom, 0) { Ok(unique) } else { Err(unique.freeze()) }
    }

    /// Moves the bytes into the smallest slot of `pool` that fits, if that holds less memory than
    /// now. So a part of 32 bytes does not keep a slot of 1024 bytes in use for hours.
    ///
    /// Interrupt handler: as [`Pool::alloc`]. Cost: one allocation, the copy, one drop; or nothing
    /// if no smaller slot fits. With `spill`, if a smaller slot fits but none is free, it may copy
    /// the bytes into a larger slot first, and then find that the move does not help.
    ///
    /// # Errors
    /// The errors of [`Pool::alloc`]. The bytes stay where they are.
    ///
    /// ```
    /// tierpool::pool! { static RX = default; }
    /// tierpool::pool! { static TABLES = [32 x 64]; }
    /// let mut hash = RX.zeroed(600)?.freeze().slice(..32).unwrap();
    /// hash.compact_in(&TABLES)?;
    /// assert_eq!(hash.footprint(), 32);
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[cfg_attr(feature = "track", track_caller)]
    pub fn compact_in(&mut self, pool: &'static Pool) -> Result<(), AllocError> {
        if self.is_empty() {
            *self = Bytes(self.0.empty_at(0));
        } else if pool.slot_size_for(self.len()).is_some_and(|size| size < self.footprint()) {
            let copy = pool.copy_in_front(0, self, self.0.is_pool_only())?;
            if copy.footprint() < self.footprint() {
                *self = copy.freeze();
            }
        }
        Ok(())
    }
}

/// [`Bytes::into_mut`] found no memory for the copy. The error gives the bytes back.
///
/// ```
/// let fixed = tierpool::Bytes::from_static(b"flash");
/// let back = fixed.into_mut().unwrap_err();
/// assert_eq!((back.error, &back.bytes[..]), (tierpool::AllocError::NoPool, &b"flash"[..]));
/// ```
#[derive(Debug)]
pub struct IntoMutError {
    /// The bytes that the caller had.
    pub bytes: Bytes,
    /// Why there was no memory.
    pub error: AllocError,
}

impl fmt::Display for IntoMutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.error, f)
    }
}

impl core::error::Error for IntoMutError {}

impl From<IntoMutError> for Error {
    fn from(error: IntoMutError) -> Self {
        error.error.into()
    }
}

impl From<IntoMutError> for AllocError {
    fn from(error: IntoMutError) -> Self {
        error.error
    }
}
