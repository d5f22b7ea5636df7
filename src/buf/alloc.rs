//! How a pool hands out buffers: a request finds memory, and the memory becomes a [`BytesMut`].
//!
//! ```text
//!   alloc, zeroed ─────────► alloc_in_state ─┬─► a slot of the first tier that fits ────────┬─► handle
//!   alloc_pooled ── pool-only ──►             └─► elsewhere: a larger tier, or the fallback ─┘
//!   alloc_with_headroom ───► alloc_in_front   the same; then the data start behind the headroom
//!   copy_from_slice ───────► copy_in_front    the same; then the bytes are copied
//! ```
//!
//! The raw layer is in `raw`.

use crate::buf::bytes_mut::BytesMut;
use crate::buf::handle::Handle;
use crate::error::AllocError;
use crate::pool::Pool;
use crate::protocol::slot_state::POOL_ONLY;

impl Pool {
    /// Allocates a buffer of length 0 with room for at least `capacity` bytes.
    ///
    /// It comes from the smallest tier that fits. If that is exhausted, the next tiers serve it
    /// (with `spill`), and then the fallback. A request for 0 bytes takes a slot of the smallest
    /// tier.
    ///
    /// Interrupt handler: yes without a fallback, else use [`alloc_pooled`](Self::alloc_pooled).
    /// Cost: one compare-and-swap.
    ///
    /// # Errors
    /// [`AllocError::Exhausted`], [`AllocError::Oversized`].
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// let buffer = POOL.alloc(500)?;
    /// assert_eq!((buffer.len(), buffer.capacity()), (0, 512));
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[inline]
    #[cfg_attr(feature = "track", track_caller)]
    pub fn alloc(&'static self, capacity: usize) -> Result<BytesMut, AllocError> {
        self.alloc_in_state(capacity, capacity, self.initial_state)
    }

    /// As [`alloc`](Self::alloc), but never from the fallback, for interrupt handlers.
    ///
    /// The buffer is *pool-only*: the buffer and its clones never grow or copy into a fallback
    /// either. (If all its bytes are split off, the empty rest holds no buffer and belongs to no
    /// pool.)
    ///
    /// Interrupt handler: yes. Cost: one compare-and-swap. Its last drop takes the slower path,
    /// which is out of line.
    ///
    /// # Errors
    /// [`AllocError::Exhausted`], [`AllocError::Oversized`].
    ///
    /// ```
    /// use tierpool::AllocError;
    ///
    /// tierpool::pool! { static POOL = [64 x 1], fallback = &tierpool::GlobalHeap; }
    /// let mut buffer = POOL.alloc_pooled(64)?;
    /// assert_eq!(buffer.reserve(65), Err(AllocError::Oversized));
    /// assert_eq!(POOL.alloc_pooled(1).unwrap_err(), AllocError::Exhausted);
    /// assert!(POOL.alloc(1).is_ok());
    /// # Ok::<(), AllocError>(())
    /// ```
    #[inline]
    #[cfg_attr(feature = "track", track_caller)]
    pub fn alloc_pooled(&'static self, capacity: usize) -> Result<BytesMut, AllocError> {
        self.alloc_in_state(capacity, capacity, self.initial_state | POOL_ONLY)
    }

    /// Allocates a buffer with room for `capacity` bytes, and with `headroom` bytes of room in
    /// front of them. [`prepend`](BytesMut::prepend) puts headers there. In a pool with `align`,
    /// the headroom is rounded up to the alignment.
    ///
    /// Interrupt handler and cost: as [`alloc`](Self::alloc).
    ///
    /// # Errors
    /// [`AllocError::Exhausted`], [`AllocError::Oversized`].
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// let mut packet = POOL.alloc_with_headroom(8, 100)?;
    /// packet.extend_from_slice(b"payload")?;
    /// packet.prepend(b"header: ")?;
    /// assert_eq!((&packet[..], packet.headroom()), (&b"header: payload"[..], 0));
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[inline]
    #[cfg_attr(feature = "track", track_caller)]
    pub fn alloc_with_headroom(
        &'static self,
        headroom: usize,
        capacity: usize,
    ) -> Result<BytesMut, AllocError> {
        self.alloc_in_front(headroom, capacity, capacity, false)
    }

    /// Allocates a buffer of `len` zero bytes.
    ///
    /// Interrupt handler: as [`alloc`](Self::alloc). Cost: one compare-and-swap, and writing `len`
    /// bytes.
    ///
    /// # Errors
    /// [`AllocError::Exhausted`], [`AllocError::Oversized`].
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// assert_eq!(POOL.zeroed(3)?, [0, 0, 0]);
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[cfg_attr(feature = "track", track_caller)]
    pub fn zeroed(&'static self, len: usize) -> Result<BytesMut, AllocError> {
        let mut buffer = self.alloc(len)?;
        buffer.fill_to(len, 0);
        Ok(buffer)
    }

    /// Allocates a buffer with a copy of `bytes`.
    ///
    /// Interrupt handler: as [`alloc`](Self::alloc). Cost: one compare-and-swap, and the copy.
    ///
    /// # Errors
    /// [`AllocError::Exhausted`], [`AllocError::Oversized`].
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// assert_eq!(POOL.copy_from_slice(b"hello")?, "hello");
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[cfg_attr(feature = "track", track_caller)]
    pub fn copy_from_slice(&'static self, bytes: &[u8]) -> Result<BytesMut, AllocError> {
        self.copy_in_front(0, bytes, false)
    }

    /// Allocates a buffer with a copy of `bytes`, and with `headroom` bytes of room in front of
    /// them. In a pool with `align`, the headroom is rounded up to the alignment.
    ///
    /// Interrupt handler: as [`alloc`](Self::alloc). Cost: one compare-and-swap, and the copy.
    ///
    /// # Errors
    /// [`AllocError::Exhausted`], [`AllocError::Oversized`].
    ///
    /// ```
    /// tierpool::pool! { static TX = default; }
    /// let mut packet = TX.copy_with_headroom(8, b"payload")?;
    /// packet.prepend(b"header: ")?;
    /// assert_eq!((&packet[..], packet.headroom()), (&b"header: payload"[..], 0));
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[cfg_attr(feature = "track", track_caller)]
    pub fn copy_with_headroom(
        &'static self,
        headroom: usize,
        bytes: &[u8],
    ) -> Result<BytesMut, AllocError> {
        self.copy_in_front(headroom, bytes, false)
    }

    /// Allocates a buffer with the bytes of an iterator. Use it instead of `collect`.
    ///
    /// Interrupt handler: as [`alloc`](Self::alloc). Cost: one compare-and-swap if the iterator
    /// knows its length. Otherwise the bytes also move to each larger tier as they grow.
    ///
    /// # Errors
    /// [`AllocError::Exhausted`], [`AllocError::Oversized`]. The bytes that the iterator has given
    /// are lost.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// assert_eq!(POOL.copy_from_iter((b'a'..=b'e').rev())?, "edcba");
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[cfg_attr(feature = "track", track_caller)]
    pub fn copy_from_iter(
        &'static self,
        bytes: impl IntoIterator<Item = u8>,
    ) -> Result<BytesMut, AllocError> {
        let bytes = bytes.into_iter();
        let mut buffer = self.alloc(bytes.size_hint().0)?;
        buffer.append_all(bytes)?;
        Ok(buffer)
    }

    // ---- for the handles, when they grow or copy

    /// Allocates a buffer whose state is `initial_state`. If it comes from the fallback, it has
    /// `preferred` bytes, or `capacity` bytes if there is no memory for that.
    #[inline(always)]
    #[cfg_attr(feature = "track", track_caller)]
    pub(crate) fn alloc_in_state(
        &'static self,
        capacity: usize,
        preferred: usize,
        initial_state: u32,
    ) -> Result<BytesMut, AllocError> {
        self.count_size(capacity);
        let fitting = self.tiers_fitting(capacity, 1);
        if let Some((tier, index, state)) = self.take(fitting, initial_state) {
            return Ok(BytesMut(Handle::from_slot(tier, index, state)));
        }
        match self.alloc_slow(preferred, fitting, capacity, initial_state) {
            // SAFETY: this is the first handle on a buffer that has just been made.
            Some((state, owner)) => Ok(BytesMut(unsafe { Handle::from_state(state, owner) })),
            None => Err(Self::exhausted_or_oversized(fitting)),
        }
    }

    /// Allocates a buffer for at least `capacity` bytes behind `headroom`. From the fallback it has
    /// room for `preferred` bytes if possible. A pool-only buffer never comes from the fallback. If
    /// a sum overflows, the request is oversized.
    #[cfg_attr(feature = "track", track_caller)]
    pub(crate) fn alloc_in_front(
        &'static self,
        headroom: usize,
        capacity: usize,
        preferred: usize,
        pool_only: bool,
    ) -> Result<BytesMut, AllocError> {
        let headroom = self.rounded(headroom).unwrap_or(usize::MAX);
        let (capacity, preferred) =
            (headroom.saturating_add(capacity), headroom.saturating_add(preferred));
        let mut buffer =
            self.alloc_in_state(capacity, preferred, self.initial_state_of(pool_only))?;
        buffer.0.skip(headroom);
        Ok(buffer)
    }

    /// Allocates as [`alloc`](Self::alloc) does, and takes a reserved slot where the slots of plain
    /// requests are used up: for what must get through so that others can go on, as
    /// acknowledgements and answers to address requests do. It takes a plain slot first, then a
    /// reserved one of the same tier or a larger one, and the fallback last.
    ///
    /// The reserve is declared by `[1514 x 12 + 4]` in [`pool!`](crate::pool!), or by
    /// [`Config::reserve`](crate::Config). A reserved slot goes back to the reserve, and ends no
    /// wait of [`arm_free_notify`](Self::arm_free_notify).
    ///
    /// Interrupt handler: as for `alloc`. Cost: that of `alloc` if there is a plain slot. One
    /// compare-and-swap for a reserved slot.
    ///
    /// # Errors
    /// [`AllocError::Exhausted`], [`AllocError::Oversized`].
    ///
    /// ```
    /// tierpool::pool! { static TX = [64 x 2 + 1]; }
    /// let parked = (TX.alloc(64)?, TX.alloc(64)?);
    /// assert!(TX.alloc(64).is_err());
    /// let answer = TX.alloc_reserved(64)?;
    /// assert!(TX.alloc_reserved(64).is_err());
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[cfg(feature = "reserve")]
    #[cfg_attr(feature = "track", track_caller)]
    pub fn alloc_reserved(&'static self, capacity: usize) -> Result<BytesMut, AllocError> {
        // Nothing is left: the plain request finds that out, and counts it.
        match self.plain_or_reserved(capacity, 1) {
            Some(buffer) => Ok(buffer),
            None => self.alloc(capacity),
        }
    }

    /// A plain slot, or else a reserved one. If there is none, no request is counted.
    #[cfg(feature = "reserve")]
    #[inline(always)]
    #[cfg_attr(feature = "track", track_caller)]
    pub(crate) fn plain_or_reserved(&'static self, size: usize, align: usize) -> Option<BytesMut> {
        let fitting = self.tiers_fitting(size, align);
        let plain = self.take(fitting, self.initial_state);
        let missed = plain.is_none();
        let (tier, index, state) = plain.or_else(|| self.take_reserved(fitting, size, align))?;
        self.count_size(size);
        // The count may call a hook, so the handle is made first.
        let buffer = BytesMut(Handle::from_slot(tier, index, state));
        if let (Some(first), true) = (fitting.first(), missed) {
            Self::count_miss(first);
        }
        Some(buffer)
    }

    /// Takes a slot for `capacity` bytes behind `headroom`, if one is free. If none is free, no
    /// request is made and none is counted: the caller then asks for less.
    #[cfg_attr(feature = "track", track_caller)]
    pub(crate) fn slot_in_front(
        &'static self,
        headroom: usize,
        capacity: usize,
        pool_only: bool,
    ) -> Option<BytesMut> {
        let headroom = self.rounded(headroom)?;
        let size = headroom.checked_add(capacity)?;
        let fitting = self.tiers_fitting(size, 1);
        let lanes = self.lane_count();
        let mut tiers = self.candidates(fitting, size, 1).enumerate();
        let (empty, (tier, index, state)) = tiers.find_map(|(empty, tier)| {
            Some((empty, tier.take(self.initial_state_of(pool_only))?))
        })?;
        self.count_size(size);
        let mut buffer = BytesMut(Handle::from_slot(tier, index, state));
        buffer.0.skip(headroom);
        // The count may call a hook, so the handle is made first.
        fitting.iter().step_by(lanes.get()).take(empty / lanes).for_each(Pool::count_miss);
        Some(buffer)
    }

    /// The initial state of a fresh slot that handles own.
    #[inline(always)]
    fn initial_state_of(&self, pool_only: bool) -> u32 {
        if pool_only { self.initial_state | POOL_ONLY } else { self.initial_state }
    }

    /// Allocates a buffer with a copy of `bytes` behind `headroom`.
    #[cfg_attr(feature = "track", track_caller)]
    pub(crate) fn copy_in_front(
        &'static self,
        headroom: usize,
        bytes: &[u8],
        pool_only: bool,
    ) -> Result<BytesMut, AllocError> {
        let mut buffer = self.alloc_in_front(headroom, bytes.len(), bytes.len(), pool_only)?;
        buffer.append(bytes);
        Ok(buffer)
    }
}
