//! [`Bytes`]: shared, read-only bytes. The way back to writing is in `copy_on_write`.
//!
//! ```text
//!   slot     ├──────────── data ────────────┤      one buffer, one count
//!   a        ptr ─────────────────────── len
//!   b = a.slice(2..9)  ptr ──── len                  a clone, a slice and a split differ in ptr and len only
//! ```

use core::mem;
use core::ops::RangeBounds;

use crate::buf::handle::Handle;
use crate::error::{AllocError, RangeError};

/// Shared bytes. Clones and slices refer to one buffer. The last drop of them gives the buffer back
/// to its pool.
///
/// A `Bytes` takes four words, and `Option<Bytes>` is no larger. It derefs to `[u8]`. A panic that
/// unwinds drops it as usual. Forgetting it (`core::mem::forget`) loses the buffer, and nothing
/// else.
///
/// If a method does not say otherwise, it may be called in an interrupt handler, and costs no
/// atomic read-modify-write.
///
/// ```
/// tierpool::pool! { static POOL = default; }
///
/// let packet = POOL.copy_from_slice(b"to: all, hops: 0")?.freeze();
/// let body = packet.slice(9..).unwrap();
/// assert_eq!(body.as_ptr(), packet[9..].as_ptr());
///
/// let mut hop = packet.clone();
/// hop.make_mut()?[15] = b'1'; // shared, so it is copied first
/// assert_eq!((&packet[..], &hop[..]), (&b"to: all, hops: 0"[..], &b"to: all, hops: 1"[..]));
/// # Ok::<(), tierpool::AllocError>(())
/// ```
#[repr(transparent)]
pub struct Bytes(pub(crate) Handle);

const _: () = {
    const fn goes_anywhere<T: Send + Sync + 'static>() {}
    goes_anywhere::<Bytes>();
    assert!(size_of::<Bytes>() == 4 * size_of::<usize>());
    assert!(size_of::<Option<Bytes>>() == size_of::<Bytes>());
    assert!(size_of::<Result<Bytes, AllocError>>() == size_of::<Bytes>());
    assert!(size_of::<Result<Bytes, RangeError>>() == size_of::<Bytes>());
};

impl Bytes {
    /// No bytes. It allocates nothing and belongs to no pool.
    ///
    /// Interrupt handler: yes. Cost: no atomic operation.
    ///
    /// ```
    /// const NOTHING: tierpool::Bytes = tierpool::Bytes::new();
    /// assert!(NOTHING.is_empty());
    /// ```
    pub const fn new() -> Self {
        Bytes(Handle::EMPTY)
    }

    /// Bytes that live for ever, such as constants in flash. Their clones count nothing.
    ///
    /// Interrupt handler: yes. Cost: no atomic operation.
    ///
    /// ```
    /// const HELLO: tierpool::Bytes = tierpool::Bytes::from_static(b"hello");
    /// assert_eq!(HELLO, "hello");
    /// ```
    pub const fn from_static(bytes: &'static [u8]) -> Self {
        Bytes(Handle::from_static(bytes))
    }

    /// The number of bytes.
    ///
    /// ```
    /// assert_eq!(tierpool::Bytes::from_static(b"hello").len(), 5);
    /// ```
    #[inline]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// True if there are no bytes.
    ///
    /// ```
    /// assert!(tierpool::Bytes::new().is_empty());
    /// ```
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.0.len() == 0
    }

    // ---- parts: no byte is copied

    /// Returns a part of the bytes, in the same buffer. An empty part keeps its address, but holds
    /// no slot.
    ///
    /// Interrupt handler: yes. Cost: one atomic addition.
    ///
    /// # Errors
    /// [`RangeError`] if the range falls, or ends after the last byte.
    ///
    /// ```
    /// let hello = tierpool::Bytes::from_static(b"hello");
    /// assert_eq!(hello.slice(1..=2)?, "el");
    /// assert!(hello.slice(4..6).is_err());
    /// # Ok::<(), tierpool::RangeError>(())
    /// ```
    pub fn slice(&self, range: impl RangeBounds<usize>) -> Result<Self, RangeError> {
        self.0.slice(range).map(Bytes)
    }

    /// Returns `len` bytes from `start`, as [`slice`](Self::slice) does, but only as many as there
    /// are. Never fails.
    ///
    /// Interrupt handler: yes. Cost: one atomic addition, or none for an empty part.
    ///
    /// ```
    /// let hello = tierpool::Bytes::from_static(b"hello");
    /// assert_eq!(hello.slice_clamped(3, 10), "lo");
    /// assert_eq!(hello.slice_clamped(9, usize::MAX), "");
    /// ```
    pub fn slice_clamped(&self, start: usize, len: usize) -> Self {
        let start = start.min(self.len());
        let end = start.saturating_add(len).min(self.len());
        self.slice(start..end).unwrap_or_default()
    }

    /// Returns the part that `part` denotes, a slice borrowed from these bytes. Use it with parsers
    /// that return slices.
    ///
    /// Interrupt handler: yes. Cost: one atomic addition.
    ///
    /// # Errors
    /// [`RangeError`] if `part` does not lie within these bytes. An empty `part` is always found.
    /// If it does not lie within these bytes, the result lies at their start.
    ///
    /// ```
    /// let line = tierpool::Bytes::from_static(b"key=value");
    /// let value = line.rsplit(|&b| b == b'=').next().unwrap();
    /// assert_eq!(line.slice_ref(value)?, "value");
    /// # Ok::<(), tierpool::RangeError>(())
    /// ```
    pub fn slice_ref(&self, part: &[u8]) -> Result<Self, RangeError> {
        let start = part.as_ptr().addr().wrapping_sub(self.as_ptr().addr());
        if part.is_empty() && start > self.len() {
            return self.slice(..0);
        }
        self.slice(start..start.checked_add(part.len()).ok_or(RangeError)?)
    }

    /// Takes the first `at` bytes off and returns them. The rest stays.
    ///
    /// Interrupt handler: yes. Cost: one atomic addition, or none if one of the parts is empty.
    ///
    /// # Errors
    /// [`RangeError`] if there are fewer bytes. Nothing changes.
    ///
    /// ```
    /// let mut frame = tierpool::Bytes::from_static(b"headbody");
    /// assert_eq!((frame.split_to(4)?, frame), ("head".into(), "body".into()));
    /// # Ok::<(), tierpool::RangeError>(())
    /// ```
    pub fn split_to(&mut self, at: usize) -> Result<Self, RangeError> {
        self.0.split_to(at).map(Bytes)
    }

    /// Takes the bytes from `at` off and returns them. The first `at` bytes stay.
    ///
    /// Interrupt handler, cost and errors: as [`split_to`](Self::split_to).
    ///
    /// ```
    /// let mut frame = tierpool::Bytes::from_static(b"headbody");
    /// assert_eq!((frame.split_off(4)?, frame), ("body".into(), "head".into()));
    /// # Ok::<(), tierpool::RangeError>(())
    /// ```
    pub fn split_off(&mut self, at: usize) -> Result<Self, RangeError> {
        self.0.split_off(at).map(Bytes)
    }

    /// Drops all bytes from `len` on. Does nothing if there are no more than `len`. The buffer
    /// keeps its size. If `len` is 0, the handle gives up the buffer, as [`clear`](Self::clear)
    /// does.
    ///
    /// ```
    /// let mut hello = tierpool::Bytes::from_static(b"hello");
    /// hello.truncate(4);
    /// assert_eq!(hello, "hell");
    /// ```
    pub fn truncate(&mut self, len: usize) {
        if len == 0 {
            drop(mem::replace(self, Bytes(self.0.empty_at(0))));
        } else {
            self.0.truncate(len);
        }
    }

    /// Drops all bytes, and the handle's share of the buffer: the buffer is freed unless another
    /// handle refers to it. To use the buffer again, do not clear it here. First take it for
    /// writing with [`try_into_mut`](Self::try_into_mut), and then call
    /// [`BytesMut::clear`](crate::BytesMut::clear).
    ///
    /// Interrupt handler and cost: as a drop.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// let mut hello = POOL.copy_from_slice(b"hello")?.freeze();
    /// hello.clear();
    /// assert!(hello.is_empty() && POOL.is_idle());
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    pub fn clear(&mut self) {
        self.truncate(0);
    }

    /// Drops the first `bytes` bytes.
    ///
    /// # Errors
    /// [`RangeError`] if there are fewer bytes. Nothing changes.
    ///
    /// ```
    /// let mut frame = tierpool::Bytes::from_static(b"headbody");
    /// frame.advance(4)?;
    /// assert_eq!(frame, "body");
    /// # Ok::<(), tierpool::RangeError>(())
    /// ```
    pub fn advance(&mut self, bytes: usize) -> Result<(), RangeError> {
        self.0.advance(bytes)
    }

    // ---- where they are

    /// True if no other handle refers to the buffer, so that a write would not copy. If it is
    /// false, another holder may still drop its handle right afterwards.
    ///
    /// Bytes without a buffer are not unique: static bytes, [`new`](Self::new), an empty part, and
    /// bytes after [`clear`](Self::clear). Bytes that [`advance`](Self::advance) has emptied still
    /// hold their buffer.
    ///
    /// Interrupt handler: yes. Cost: one atomic load.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// let a = POOL.zeroed(1)?.freeze();
    /// assert!(a.is_unique());
    /// let b = a.clone();
    /// assert!(!a.is_unique());
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[inline]
    pub fn is_unique(&self) -> bool {
        self.0.is_unique()
    }

    /// True if the bytes hold a slot of a pool. False for a buffer of the fallback, and for bytes
    /// without a buffer: static bytes and empty parts.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// assert!(POOL.zeroed(1)?.freeze().is_pooled());
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    pub fn is_pooled(&self) -> bool {
        self.0.is_pooled()
    }

    /// The bytes of memory that this handle keeps in use: those of its whole slot or fallback
    /// buffer, even if the part is short. It is 0 for static bytes and empty parts.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// let hash = POOL.zeroed(600)?.freeze().slice(..32).unwrap();
    /// assert_eq!((hash.len(), hash.footprint()), (32, 1024));
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
    /// let packet = POOL.alloc(100)?.freeze();
    /// packet.mark(&"waits for its acknowledgement");
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[inline(always)]
    pub fn mark(&self, text: &'static &'static str) {
        self.0.mark(text);
    }
}

/// Makes another handle on the same buffer.
///
/// Interrupt handler: yes. Cost: one atomic addition.
///
/// If a buffer has more than 2^27 handles, a clone stops the program, because a count that wraps
/// would free a buffer in use. (On a chip most of these handles must be forgotten ones, because
/// memory has no room for so many.) It cannot unwind. With the feature `std` the process aborts.
/// Without it, the program executes an illegal instruction (RISC-V, Arm, x86). On Xtensa, which has
/// no stable `asm!`, it runs in an endless loop until the watchdog ends it. The same holds for
/// `slice`, `split_to` and all other calls that make one more handle.
impl Clone for Bytes {
    #[inline]
    fn clone(&self) -> Self {
        Bytes(self.0.share())
    }
}

/// Interrupt handler: yes (a fallback that may not free there gets the buffer later). Cost: one
/// atomic load and one compare-and-swap for the last handle; one load and one subtraction for the
/// others.
impl Drop for Bytes {
    #[inline]
    fn drop(&mut self) {
        self.0.release();
    }
}

/// For models: the state word of a plain buffer that has one handle.
#[cfg(loom)]
pub fn state_of(buffer: &Bytes) -> &'static crate::protocol::slot_state::StateWord {
    buffer.0.plain_slot().expect("a slot, one handle, no flag").1
}
