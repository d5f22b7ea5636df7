//! [`BytesMut`]: a buffer that one owner fills. It has room at both ends.
//!
//! ```text
//!   ├─ headroom ─┼────── data ──────┼─ spare ─┤
//!                ◄─ prepend         └─► extend_from_slice
//!    advance ─►  (strips a header: its bytes become headroom for the next one)
//!                ├────────── capacity ────────┤
//! ```
//!
//! | methods | file |
//! |---|---|
//! | `freeze`, `into_raw`, `clear`, `truncate`, `set_len`, `spare_capacity_mut`, what a buffer is | here |
//! | `reserve`, `extend_…`, `push`, `resize`, `try_reclaim` | `grow` |
//! | `headroom`, `advance`, `prepend`, `reserve_front`, `reset` | `headroom` |
//! | `split_to`, `split_off`, `split`, `unsplit` | `halves` |
//! | `Deref`, comparisons, `Debug`, conversions | `traits` |
//! | `Buf`, `Read`, `Serialize`, … of other crates | `interop` |
//!
//! A buffer never changes its tier. If it needs more room at one end, the data slide to the other
//! end of the slot, if that makes enough room. If not, they move to a new buffer.

use core::fmt;
use core::mem::MaybeUninit;
use core::ptr::NonNull;

use crate::buf::bytes::Bytes;
use crate::buf::handle::Handle;
use crate::error::AllocError;

/// The only handle on a buffer, or on its part of one. Its bytes can be changed, and can grow in
/// front and behind.
///
/// [`split_to`](Self::split_to) and its kin make two of one, which share the slot, and no byte.
///
/// A `BytesMut` takes four words, and `Option<BytesMut>` is no larger. It derefs to `[u8]`. Its
/// drop gives the buffer back, also when a panic unwinds. Forgetting it (`core::mem::forget`) loses
/// the buffer, and nothing else.
///
/// If a method does not say otherwise, it may be called in an interrupt handler, and costs no
/// atomic read-modify-write. Some methods may have to grow the buffer. Then they allocate as
/// [`Pool::alloc`](crate::Pool::alloc) does, with its cost and its limits.
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
    /// The number of bytes.
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

    /// True if there are no bytes.
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

    /// The bytes of room from the start of the data. The data can get this long without moving. For
    /// a [half](Self::split_to) that has another half behind, this is the length.
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

    /// True if the buffer is a slot of a pool. False if it comes from the fallback, or if there is
    /// no buffer.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// assert!(POOL.alloc(1)?.is_pooled());
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    pub fn is_pooled(&self) -> bool {
        self.0.is_pooled()
    }

    /// The bytes of memory that the whole buffer takes: capacity and headroom. All halves of a
    /// buffer say the same.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// assert_eq!(POOL.alloc_with_headroom(20, 300)?.footprint(), 512);
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    pub fn footprint(&self) -> usize {
        self.0.footprint()
    }

    /// With the feature `track`: says who holds the buffer from now on, in place of the code that
    /// has allocated it. Without the feature it does nothing.
    ///
    /// Interrupt handler: yes. Cost: one store, or nothing.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// let packet = POOL.alloc(100)?;
    /// packet.mark(&"waits for its acknowledgement");
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[inline(always)]
    pub fn mark(&self, text: &'static &'static str) {
        self.0.mark(text);
    }

    /// Makes the bytes shareable. This only copies the words of the handle.
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
        Bytes(Handle::into_handle(self, |buffer| &buffer.0))
    }

    /// Turns the whole slot into a raw allocation, for a driver or for C.
    /// [`Pool::from_raw`](crate::Pool::from_raw) turns it into a handle again. The pointer is to
    /// the start of the slot. Length, headroom and the mark *pool-only* are lost.
    ///
    /// Interrupt handler: yes. Cost: no read-modify-write.
    ///
    /// # Errors
    /// The buffer itself, if it is no slot of a pool, or if another [half](Self::split_to) of the slot
    /// lives.
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
        Handle::into_handle(self, |buffer| &buffer.0).into_raw_slot().map_err(BytesMut)
    }

    // ---- behind the data

    /// The room behind the data, which a reader or a driver can fill. Then
    /// [`set_len`](Self::set_len) adds it to the data.
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
        // SAFETY: the range lies within the room, which belongs to us alone. These bytes need not be
        // initialised.
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
        // SAFETY: the caller promises it.
        unsafe { self.0.set_len(len) }
    }

    /// The start of the data. The address stays the same until the buffer grows, is reset, or its
    /// front moves.
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

    /// Drops all bytes from `len` on. Does nothing if there are no more than `len`. The capacity
    /// stays, but not that of a [half](Self::split_to) that has another half behind.
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

    /// Drops all bytes. The capacity stays, as for [`truncate`](Self::truncate). To get the whole
    /// slot, use [`reset`](Self::reset).
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

    /// Appends bytes. The callers have checked that there is room.
    #[inline]
    pub(crate) fn append(&mut self, bytes: &[u8]) {
        let len = self.len();
        debug_assert!(bytes.len() <= self.capacity() - len);
        // SAFETY: there is room, as the callers have checked. It belongs to us alone, so it does not
        // overlap `bytes`.
        unsafe {
            self.as_mut_ptr().add(len).copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
            self.set_len(len + bytes.len());
        }
    }

    /// Shortens the data to `len` bytes, or extends them to `len` bytes. The callers have checked
    /// that there is room.
    pub(crate) fn fill_to(&mut self, len: usize, byte: u8) {
        let old = self.len();
        if len > old {
            // SAFETY: there is room, as the callers have checked.
            unsafe { self.as_mut_ptr().add(old).write_bytes(byte, len - old) };
        }
        // SAFETY: the bytes are initialised up to there.
        unsafe { self.set_len(len) };
    }
}

/// Formats into the buffer, which grows as [`extend_from_slice`](BytesMut::extend_from_slice) does.
/// A buffer of no pool cannot grow here, because this trait cannot name a pool. Call
/// [`reserve_in`](BytesMut::reserve_in) first: then the buffer belongs to that pool.
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

/// Interrupt handler: yes (a fallback that may not free there gets the buffer later). Cost: one
/// compare-and-swap. For a [half](BytesMut::split_to) whose other halves live: one load and one
/// subtraction.
impl Drop for BytesMut {
    #[inline]
    fn drop(&mut self) {
        self.0.release_unique();
    }
}
