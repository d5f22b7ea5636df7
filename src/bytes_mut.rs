//! [`BytesMut`]: a buffer that one owner fills, with room at both ends.
//!
//! ```text
//!   ├─ headroom ─┼────── data ──────┼─ spare ─┤
//!                ◄─ prepend         └─► extend_from_slice
//!    advance ─►  (strips a header: its bytes become headroom for the next one)
//!                ├────────── capacity ────────┤
//! ```
//!
//! A buffer never changes its tier. When it needs more room at one end, the data slide to the other end of the
//! slot if that makes enough; else they move to a new buffer.

use core::fmt;
use core::mem::MaybeUninit;
use core::ptr::NonNull;

use crate::bytes::Bytes;
use crate::error::AllocError;
use crate::handle::Handle;
use crate::pool::Pool;

/// The only handle on a buffer: bytes that can be changed, and grow in front and behind.
///
/// Four words; `Option<BytesMut>` is no larger. It derefs to `[u8]`. Dropping it gives the buffer back, also when a panic
/// unwinds; forgetting it (`core::mem::forget`) loses the buffer, and nothing else.
///
/// Methods that do not say otherwise may be called in an interrupt handler, and cost no atomic read-modify-write. Those
/// that may have to grow allocate then, as [`Pool::alloc`] does, with its cost and its limits.
///
/// ```
/// tierpool::pool! { static POOL = default; }
///
/// let mut packet = POOL.alloc_with_headroom(4, 100)?;
/// packet.extend_from_slice(b"header|payload")?;
/// packet.advance(7).unwrap(); // strip, route ...
/// packet.prepend(b"next|")?; // ... and prepend the next: no byte of the payload has moved
/// assert_eq!(packet.freeze(), "next|payload");
/// # Ok::<(), tierpool::AllocError>(())
/// ```
#[repr(transparent)]
pub struct BytesMut(pub(crate) Handle);

const _: () = {
    const fn goes_anywhere<T: Send + Sync + 'static>() {}
    goes_anywhere::<BytesMut>();
    assert!(size_of::<BytesMut>() == 4 * size_of::<usize>());
    assert!(size_of::<Option<BytesMut>>() == size_of::<BytesMut>());
    assert!(size_of::<Result<BytesMut, AllocError>>() == size_of::<BytesMut>());
    assert!(size_of::<Result<BytesMut, Bytes>>() <= 5 * size_of::<usize>());
};

impl BytesMut {
    /// Number of bytes.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// assert_eq!(POOL.zeroed(3)?.len(), 3);
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[inline]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// No bytes?
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// assert!(POOL.alloc(100)?.is_empty());
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.0.len() == 0
    }

    /// Bytes of room from the start of the data: as long as the data can get without moving.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// assert_eq!(POOL.alloc(300)?.capacity(), 512);
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[inline]
    pub fn capacity(&self) -> usize {
        self.0.capacity()
    }

    /// True if the buffer is a slot of a pool, and not from the fallback.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// assert!(POOL.alloc(1)?.is_pooled());
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    pub fn is_pooled(&self) -> bool {
        self.0.is_pooled()
    }

    /// Bytes of memory that the whole buffer takes: capacity and headroom.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// assert_eq!(POOL.alloc_with_headroom(20, 300)?.footprint(), 512);
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    pub fn footprint(&self) -> usize {
        self.0.footprint()
    }

    /// Makes the bytes shareable: a bit copy.
    ///
    /// Interrupt handler: yes. Cost: no atomic operation.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// let shared: tierpool::Bytes = POOL.copy_from_slice(b"done")?.freeze();
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[inline]
    pub fn freeze(self) -> Bytes {
        Bytes(Handle::take_from(self, |buffer| &buffer.0))
    }

    /// The whole slot as a raw allocation, for a driver or for C; [`Pool::from_raw`] makes it a handle again. Length,
    /// headroom and stickiness are not kept: the pointer is to the start of the slot.
    ///
    /// Interrupt handler: yes. Cost: no read-modify-write.
    ///
    /// # Errors
    /// The buffer itself, if it is no slot of a pool.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// let slot = POOL.alloc(100)?.into_raw().unwrap();
    /// assert_eq!(slot.len(), 256);
    /// // SAFETY: the slot is not used any more.
    /// unsafe { POOL.deallocate(slot.cast()) }.unwrap();
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    pub fn into_raw(self) -> Result<NonNull<[u8]>, BytesMut> {
        Handle::take_from(self, |buffer| &buffer.0).into_raw_slot().map_err(BytesMut)
    }

    // ---- behind the data

    /// Makes room for `additional` more bytes behind the data. While they fit into the slot nothing is allocated;
    /// else the data move to a larger buffer of the same pool, with their headroom where a slot is free (or the fallback has
    /// memory) for both, and without it where one is free for the data alone.
    ///
    /// Interrupt handler: as [`Pool::alloc`] if it has to grow. Cost: nothing, a move of the data, or an allocation,
    /// a copy and a drop.
    ///
    /// # Errors
    /// Those of [`Pool::alloc`], and [`AllocError::NoPool`]; the buffer is unchanged.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// let mut buffer = POOL.copy_from_slice(b"small")?;
    /// buffer.reserve(500)?;
    /// assert_eq!((&buffer[..], buffer.capacity()), (&b"small"[..], 512));
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[inline]
    pub fn reserve(&mut self, additional: usize) -> Result<(), AllocError> {
        self.make_room_behind(additional, None)
    }

    /// As [`reserve`](Self::reserve), with `pool` paying for a larger buffer.
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
    pub fn reserve_in(&mut self, pool: &'static Pool, additional: usize) -> Result<(), AllocError> {
        self.make_room_behind(additional, Some(pool))
    }

    /// Appends bytes; [reserves](Self::reserve) the room first.
    ///
    /// # Errors
    /// Those of `reserve`; the buffer is unchanged.
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
    pub fn extend_from_slice(&mut self, bytes: &[u8]) -> Result<(), AllocError> {
        self.reserve(bytes.len())?;
        self.append(bytes);
        Ok(())
    }

    /// As [`extend_from_slice`](Self::extend_from_slice), with `pool` paying for a larger buffer.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// let mut empty = tierpool::Bytes::new().into_mut()?; // belongs to no pool
    /// empty.extend_from_slice_in(&POOL, b"now it does")?;
    /// assert_eq!(empty, "now it does");
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[inline]
    pub fn extend_from_slice_in(&mut self, pool: &'static Pool, bytes: &[u8]) -> Result<(), AllocError> {
        self.reserve_in(pool, bytes.len())?;
        self.append(bytes);
        Ok(())
    }

    /// Makes room for `additional` more bytes behind the data where the buffer is, or says no: in place of `try_reclaim` of the
    /// crate `bytes`. Never allocates. The data stay; if there is too little room behind them, they move to the start of the buffer,
    /// so that its headroom becomes room, too.
    ///
    /// Interrupt handler: yes. Cost: nothing, or a move of the data; no atomic read-modify-write.
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

    /// Appends one byte; [reserves](Self::reserve) the room first.
    ///
    /// # Errors
    /// Those of `reserve`; the buffer is unchanged. One of no pool grows by [`push_in`](Self::push_in).
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// let mut buffer = POOL.copy_from_slice(b"ab")?;
    /// buffer.push(b'c')?;
    /// assert_eq!(buffer, "abc");
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[inline]
    pub fn push(&mut self, byte: u8) -> Result<(), AllocError> {
        self.extend_from_slice(&[byte])
    }

    /// As [`push`](Self::push), with `pool` paying for a larger buffer.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// let mut empty = tierpool::Bytes::new().into_mut()?; // belongs to no pool
    /// empty.push_in(&POOL, b'a')?;
    /// assert_eq!(empty, "a");
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[inline]
    pub fn push_in(&mut self, pool: &'static Pool, byte: u8) -> Result<(), AllocError> {
        self.extend_from_slice_in(pool, &[byte])
    }

    /// Cuts or fills up the data to `len` bytes.
    ///
    /// # Errors
    /// Those of [`reserve`](Self::reserve); the buffer is unchanged.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// let mut buffer = POOL.copy_from_slice(b"ab")?;
    /// buffer.resize(4, 0)?;
    /// assert_eq!(buffer, [b'a', b'b', 0, 0]);
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    pub fn resize(&mut self, len: usize, byte: u8) -> Result<(), AllocError> {
        self.reserve(len.saturating_sub(self.len()))?;
        self.fill_to(len, byte);
        Ok(())
    }

    /// As [`resize`](Self::resize), with `pool` paying for a larger buffer.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// let mut buffer = tierpool::Bytes::new().into_mut()?;
    /// buffer.resize_in(&POOL, 2, 7)?;
    /// assert_eq!(buffer, [7, 7]);
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    pub fn resize_in(&mut self, pool: &'static Pool, len: usize, byte: u8) -> Result<(), AllocError> {
        self.reserve_in(pool, len.saturating_sub(self.len()))?;
        self.fill_to(len, byte);
        Ok(())
    }

    /// The room behind the data, for a reader or a driver that fills it; [`set_len`](Self::set_len) then counts it in.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// let mut buffer = POOL.alloc(100)?;
    /// buffer.spare_capacity_mut()[0].write(7);
    /// // SAFETY: the first byte has been written.
    /// unsafe { buffer.set_len(1) };
    /// assert_eq!(buffer, [7]);
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[inline]
    pub fn spare_capacity_mut(&mut self) -> &mut [MaybeUninit<u8>] {
        let (len, spare) = (self.len(), self.capacity() - self.len());
        // SAFETY: within the buffer, which is ours alone; they need not be initialised.
        unsafe { core::slice::from_raw_parts_mut(self.as_mut_ptr().add(len).cast(), spare) }
    }

    /// Sets the number of bytes.
    ///
    /// # Safety
    /// `len` is at most [`capacity`](Self::capacity), and that many bytes are initialised.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// let mut buffer = POOL.alloc(4)?;
    /// // SAFETY: there is room for four bytes, which are written here, as a driver would.
    /// unsafe {
    ///     buffer.as_mut_ptr().write_bytes(1, 4);
    ///     buffer.set_len(4);
    /// }
    /// assert_eq!(buffer, [1, 1, 1, 1]);
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[inline]
    pub unsafe fn set_len(&mut self, len: usize) {
        debug_assert!(len <= self.capacity());
        // SAFETY: the caller's promise.
        unsafe { self.0.set_len(len) }
    }

    /// Start of the data. The address stays the same until the buffer grows, is reset, or its front moves.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// let mut buffer = POOL.zeroed(4)?;
    /// // SAFETY: within the four bytes.
    /// unsafe { buffer.as_mut_ptr().add(3).write(9) };
    /// assert_eq!(buffer, [0, 0, 0, 9]);
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[inline]
    pub fn as_mut_ptr(&mut self) -> *mut u8 {
        self.0.as_mut_ptr()
    }

    /// Drops all bytes from `len`; nothing if there are no more than that. The capacity stays.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// let mut buffer = POOL.copy_from_slice(b"hello")?;
    /// buffer.truncate(4);
    /// assert_eq!(buffer, "hell");
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[inline]
    pub fn truncate(&mut self, len: usize) {
        self.0.truncate(len);
    }

    /// Drops all bytes. The capacity stays; see [`reset`](Self::reset) for the whole slot.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// let mut buffer = POOL.copy_from_slice(b"hello")?;
    /// buffer.clear();
    /// assert!(buffer.is_empty() && buffer.capacity() == 256);
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[inline]
    pub fn clear(&mut self) {
        self.0.truncate(0);
    }

    // ---- filling room that has been made

    /// Appends bytes for which there is room.
    #[inline]
    pub(crate) fn append(&mut self, bytes: &[u8]) {
        let len = self.len();
        debug_assert!(bytes.len() <= self.capacity() - len);
        // SAFETY: there is room, by the callers; the buffer is ours alone, so it does not overlap `bytes`.
        unsafe {
            self.as_mut_ptr().add(len).copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
            self.set_len(len + bytes.len());
        }
    }

    /// Cuts or fills up the data to `len` bytes, for which there is room.
    pub(crate) fn fill_to(&mut self, len: usize, byte: u8) {
        let old = self.len();
        if len > old {
            // SAFETY: there is room, by the callers.
            unsafe { self.as_mut_ptr().add(old).write_bytes(byte, len - old) };
        }
        // SAFETY: initialised up to there.
        unsafe { self.set_len(len) };
    }
}

/// Formats into the buffer, which grows as by [`extend_from_slice`](BytesMut::extend_from_slice). A buffer of no pool cannot
/// grow here, where no pool can be named: [`reserve_in`](BytesMut::reserve_in) first, and it belongs to that one.
///
/// ```
/// use core::fmt::Write;
///
/// tierpool::pool! { static POOL = default; }
/// let mut line = POOL.alloc(64)?;
/// write!(line, "rssi={}", -71).unwrap();
/// assert_eq!(line, "rssi=-71");
/// # Ok::<(), tierpool::AllocError>(())
/// ```
impl fmt::Write for BytesMut {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.extend_from_slice(text.as_bytes()).map_err(|_| fmt::Error)
    }
}

/// Interrupt handler: yes (a fallback that may not free there gets the buffer later). Cost: one compare-and-swap.
impl Drop for BytesMut {
    #[inline]
    fn drop(&mut self) {
        self.0.release_unique();
    }
}
