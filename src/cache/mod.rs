//! [`PoolCache`]: free slots that one task, thread or core keeps to itself.
//!
//! ```text
//!   task A ─ alloc, recycle ─► PoolCache<N, T>: a magazine a tier ─┐ one compare-and-swap for N / 2 slots
//!                              no atomic read-modify-write      ├──────► Pool
//!   task B ─ alloc, recycle ─► PoolCache<N, T>: a magazine a tier ─┘
//! ```
//!
//! If two cores use a head, its cache line travels between them with every request. A cache touches
//! the head only once in N / 2 requests. In between it needs only plain loads and stores. The
//! price: only its owner can use the free slots in it. So size the tiers for the slots in use *and*
//! for the slots in caches.

use core::{fmt, mem};

use crate::buf::bytes::Bytes;
use crate::buf::bytes_mut::BytesMut;
use crate::buf::handle::Handle;
use crate::cache::magazine::Magazine;
use crate::error::AllocError;
use crate::pool::Pool;
use crate::pool::config_error::ConfigError;
use crate::protocol::free_list::MAX_SLOTS;
use crate::protocol::slot_state::POOL_ONLY;

mod magazine;

/// The number of requests between two reports to the pool, unless something else makes a report
/// earlier.
const REPORT: u32 = 1 << 16;

/// A cache of at most `N` free slots per tier, for each of the `TIERS` smallest tiers. It has one
/// owner. Requests for larger tiers go to the pool itself.
///
/// Its buffers are like any others: drop them, clone them, send them to other cores. To make the
/// cache faster than the pool, give buffers to *any* cache with [`recycle`](Self::recycle). The
/// drop of the cache gives all its slots back. Forgetting it (`mem::forget`) loses the slots.
///
/// On a 32-bit target a cache takes `12 + 4 * N` bytes per tier, and 8 more. It uses no
/// thread-local storage: keep it in the state of the task, or in a `thread_local!` with a
/// `RefCell`.
///
/// ```
/// use tierpool::PoolCache;
///
/// tierpool::pool! { static RX = default; }
/// let mut cache = PoolCache::<8, 4>::new(&RX);
/// for frame in 0..1000 {
///     let mut buffer = cache.alloc(500)?;
///     buffer.extend_from_slice(b"a frame")?;
///     cache.recycle(buffer.freeze());
/// }
/// assert_eq!(RX.stats().tiers()[1].served, 1, "the free list was asked once");
/// # Ok::<(), tierpool::AllocError>(())
/// ```
///
/// # What is in a cache is not in the pool
/// For all others, the slots in a cache are in use. The pool may be
/// [exhausted](AllocError::Exhausted) although no handle holds a buffer. So size the tiers for the
/// slots in use, and for `N` more slots per cache. [`check`](Self::check) tells whether one cache
/// alone can take a whole tier with one refill. The statistics of the pool show how many slots the
/// caches hold.
///
/// # What it does not do
/// - It wakes no task: a slot that it keeps ends no wait of [`Pool::arm_free_notify`]. If its owner
///   will be idle for long, [`flush`](Self::flush) it first.
/// - It does not use the slots of one tier for requests of another. With `spill`, if neither the
///   tier's slots in the cache nor those in the pool can serve a request, the pool takes a slot of
///   its larger tiers, and not one of the cache.
pub struct PoolCache<const N: usize, const TIERS: usize> {
    /// The pool that the slots belong to.
    pool: &'static Pool,
    /// One magazine per tier, from the smallest tier on. They serve nothing beyond the tiers of the
    /// pool.
    magazines: [Magazine<N>; TIERS],
    /// The number of requests that the magazines may still serve before the cache tells the pool. 1
    /// to 2^16.
    unreported: u32,
}

impl<const N: usize, const TIERS: usize> PoolCache<N, TIERS> {
    /// Creates an empty cache for the `TIERS` smallest tiers. `N` is 1 to 1022 slots, which is
    /// checked at compile time.
    ///
    /// Interrupt handler: yes. Cost: no atomic operation.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// let mut cache = tierpool::PoolCache::<4, 1>::new(&POOL);
    /// let buffers = (cache.alloc(256)?, cache.alloc(512)?);
    /// cache.recycle(buffers.0);
    /// cache.recycle(buffers.1);
    /// assert_eq!(POOL.stats().tiers().iter().map(|tier| tier.cached).collect::<Vec<_>>(), [2, 0, 0]);
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    pub const fn new(pool: &'static Pool) -> Self {
        const { assert!(N >= 1 && N <= MAX_SLOTS, "a cache holds 1 to 1022 slots a tier") };
        let mut magazines = [const { Magazine::NONE }; TIERS];
        let mut k = 0;
        let mut rest = pool.tiers;
        while k < TIERS
            && let Some((lanes, larger)) = rest.split_at_checked(pool.lane_count().get())
        {
            // An assignment would drop the old one, which a constant cannot.
            mem::forget(mem::replace(&mut magazines[k], Magazine::new(lanes)));
            rest = larger;
            k += 1;
        }
        PoolCache { pool, magazines, unreported: REPORT }
    }

    /// Checks that a refill of `N / 2` slots, rounded up, leaves at least one slot of each tier
    /// that the cache serves. If not, the cache still works, but others may find the tier exhausted
    /// although none of its slots is in use. If the pool is static, its tiers are known at compile
    /// time, and so is the answer.
    ///
    /// Interrupt handler: yes. Cost: no atomic operation.
    ///
    /// # Errors
    /// [`ConfigError::Cache`] with the first tier that has too few slots.
    ///
    /// ```
    /// use tierpool::{ConfigError, PoolCache};
    ///
    /// tierpool::pool! { static RX = [64 x 16, 512 x 4]; }
    /// const _: () = assert!(PoolCache::<6, 4>::check(&RX).is_ok());
    /// assert_eq!(PoolCache::<8, 4>::check(&RX), Err(ConfigError::Cache { tier: 1, slots: 4 }));
    /// ```
    pub const fn check(pool: &Pool) -> Result<(), ConfigError> {
        let (mut tier, lanes) = (0, pool.lane_count().get());
        while tier < TIERS && tier * lanes < pool.tiers.len() {
            let (mut slots, mut lane) = (0, 0);
            while lane < lanes {
                slots += pool.tiers[tier * lanes + lane].list().slots() as usize;
                lane += 1;
            }
            if slots <= Magazine::<N>::BATCH {
                return Err(ConfigError::Cache { tier, slots });
            }
            tier += 1;
        }
        Ok(())
    }

    /// Allocates as [`Pool::alloc`], from the cache if it has a slot of the tier. If it has none,
    /// it first takes up to `N / 2` slots, rounded up, from the pool. Each time that another
    /// context is faster, it halves that number, so that it need not try often.
    ///
    /// Interrupt handler: yes, if the handler owns the cache and the pool has no fallback. Cost: no
    /// atomic read-modify-write. A refill costs one compare-and-swap and one addition.
    ///
    /// # Errors
    /// [`AllocError::Exhausted`], which may mean that other caches hold the free slots.
    /// [`AllocError::Oversized`].
    ///
    /// ```
    /// tierpool::pool! { static POOL = [64 x 16]; }
    /// let mut cache = tierpool::PoolCache::<8, 4>::new(&POOL);
    /// let buffer = cache.alloc(60)?;
    /// assert_eq!((buffer.capacity(), cache.cached()), (64, 3));
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[inline]
    #[cfg_attr(feature = "track", track_caller)]
    pub fn alloc(&mut self, capacity: usize) -> Result<BytesMut, AllocError> {
        self.alloc_in_state(capacity, self.pool.initial_state)
    }

    /// Allocates as [`Pool::alloc_pooled`], but through the cache: never from the fallback.
    ///
    /// Interrupt handler: yes, if the handler owns the cache. Cost: as [`alloc`](Self::alloc).
    ///
    /// # Errors
    /// [`AllocError::Exhausted`], [`AllocError::Oversized`].
    ///
    /// ```
    /// use tierpool::AllocError;
    ///
    /// tierpool::pool! { static POOL = [64 x 1], fallback = &tierpool::GlobalHeap; }
    /// let mut cache = tierpool::PoolCache::<8, 4>::new(&POOL);
    /// let held = cache.alloc_pooled(64)?;
    /// assert_eq!(cache.alloc_pooled(64).unwrap_err(), AllocError::Exhausted);
    /// # Ok::<(), AllocError>(())
    /// ```
    #[inline]
    #[cfg_attr(feature = "track", track_caller)]
    pub fn alloc_pooled(&mut self, capacity: usize) -> Result<BytesMut, AllocError> {
        self.alloc_in_state(capacity, self.pool.initial_state | POOL_ONLY)
    }

    /// Allocates as [`Pool::alloc_with_headroom`], but through the cache.
    ///
    /// Interrupt handler and cost: as [`alloc`](Self::alloc).
    ///
    /// # Errors
    /// [`AllocError::Exhausted`], [`AllocError::Oversized`].
    ///
    /// ```
    /// tierpool::pool! { static POOL = [64 x 16]; }
    /// let mut cache = tierpool::PoolCache::<8, 1>::new(&POOL);
    /// let mut packet = cache.alloc_with_headroom(8, 40)?;
    /// packet.extend_from_slice(b"payload")?;
    /// packet.prepend(b"header: ")?;
    /// assert_eq!(packet, "header: payload");
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[cfg_attr(feature = "track", track_caller)]
    pub fn alloc_with_headroom(
        &mut self,
        headroom: usize,
        capacity: usize,
    ) -> Result<BytesMut, AllocError> {
        let headroom = self.pool.rounded(headroom).unwrap_or(usize::MAX);
        let mut buffer = self.alloc(headroom.saturating_add(capacity))?;
        buffer.0.skip(headroom);
        Ok(buffer)
    }

    /// Allocates as [`Pool::zeroed`], but through the cache.
    ///
    /// Interrupt handler: as [`alloc`](Self::alloc). Cost: that of `alloc`, and writing `len`
    /// bytes.
    ///
    /// # Errors
    /// [`AllocError::Exhausted`], [`AllocError::Oversized`].
    ///
    /// ```
    /// tierpool::pool! { static POOL = [64 x 16]; }
    /// let mut cache = tierpool::PoolCache::<8, 1>::new(&POOL);
    /// assert_eq!(cache.zeroed(3)?, [0, 0, 0]);
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[cfg_attr(feature = "track", track_caller)]
    pub fn zeroed(&mut self, len: usize) -> Result<BytesMut, AllocError> {
        let mut buffer = self.alloc(len)?;
        buffer.fill_to(len, 0);
        Ok(buffer)
    }

    /// Allocates as [`Pool::copy_from_slice`], but through the cache.
    ///
    /// Interrupt handler: as [`alloc`](Self::alloc). Cost: that of `alloc`, and the copy.
    ///
    /// # Errors
    /// [`AllocError::Exhausted`], [`AllocError::Oversized`].
    ///
    /// ```
    /// tierpool::pool! { static POOL = [64 x 16]; }
    /// let mut cache = tierpool::PoolCache::<8, 1>::new(&POOL);
    /// assert_eq!(cache.copy_from_slice(b"hello")?, "hello");
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[cfg_attr(feature = "track", track_caller)]
    pub fn copy_from_slice(&mut self, bytes: &[u8]) -> Result<BytesMut, AllocError> {
        let mut buffer = self.alloc(bytes.len())?;
        buffer.append(bytes);
        Ok(buffer)
    }

    /// Keeps the slot of a buffer for the next [`alloc`](Self::alloc), whichever cache it came
    /// from. It needs the only handle on a slot of a tier that this cache serves. It drops any
    /// other buffer as usual. If the cache is full, it first gives back `N / 2` slots, rounded up.
    ///
    /// Interrupt handler: yes, if the handler owns the cache. Cost: one atomic load, no
    /// read-modify-write. A full cache costs one compare-and-swap.
    ///
    /// ```
    /// tierpool::pool! { static POOL = [64 x 16]; }
    /// let mut cache = tierpool::PoolCache::<2, 4>::new(&POOL);
    /// let buffer = POOL.alloc(64)?.freeze();
    /// let other = buffer.clone();
    /// cache.recycle(buffer); // still shared: only dropped
    /// assert_eq!(cache.cached(), 0);
    /// cache.recycle(other);
    /// assert_eq!(cache.cached(), 1);
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[inline]
    pub fn recycle(&mut self, buffer: impl Into<Bytes>) {
        let buffer = buffer.into();
        if let Some((tier, state)) = buffer.0.plain_slot()
            && let Some(magazine) = self.magazines.iter_mut().find(|magazine| magazine.is_of(tier))
            // SAFETY: it is a slot of the magazine's tier. Only the buffer owned it, and the buffer
            // is not used any more if this succeeds.
            && unsafe { magazine.put(tier, state) }
        {
            return mem::forget(buffer);
        }
        self.recycle_slow(buffer);
    }

    /// The number of free slots in the cache.
    ///
    /// Interrupt handler: yes. Cost: no atomic operation.
    ///
    /// ```
    /// tierpool::pool! { static POOL = [64 x 16, 512 x 16]; }
    /// let mut cache = tierpool::PoolCache::<8, 4>::new(&POOL);
    /// drop((cache.alloc(64)?, cache.alloc(512)?)); // back to the pool, not to the cache
    /// assert_eq!(cache.cached(), 3 + 3);
    /// assert_eq!(POOL.stats().tiers()[0].cached, 3);
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    pub fn cached(&self) -> usize {
        self.magazines.iter().map(Magazine::len).sum()
    }

    /// Gives every slot back to the pool, and wakes the tasks that wait for one. Also brings the
    /// statistics of the pool up to date. The drop of the cache does the same.
    ///
    /// Interrupt handler: yes, if the handler owns the cache. Cost: one compare-and-swap per tier,
    /// and one addition.
    ///
    /// ```
    /// tierpool::pool! { static POOL = [64 x 16]; }
    /// let mut cache = tierpool::PoolCache::<8, 4>::new(&POOL);
    /// drop(cache.alloc(64)?);
    /// assert!(!POOL.is_idle());
    /// cache.flush();
    /// assert!(POOL.is_idle() && cache.cached() == 0);
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    pub fn flush(&mut self) {
        self.report();
        for magazine in &mut self.magazines {
            magazine.give_back(N);
        }
    }

    #[inline(always)]
    #[cfg_attr(feature = "track", track_caller)]
    fn alloc_in_state(
        &mut self,
        capacity: usize,
        initial_state: u32,
    ) -> Result<BytesMut, AllocError> {
        if let Some(magazine) = self.magazines.iter_mut().find(|magazine| magazine.fits(capacity))
            && let Some((tier, state)) = magazine.take(initial_state)
        {
            self.unreported -= 1;
            if self.unreported == 0 {
                self.report();
            }
            self.pool.count_size(capacity);
            // SAFETY: a slot of the tier, which was just taken and marked.
            return Ok(BytesMut(unsafe { Handle::from_slot_state(tier, state) }));
        }
        self.alloc_slow(capacity, initial_state)
    }

    /// Takes a batch of slots from the pool, and returns one of them. If the pool has none, does
    /// the same as a request to the pool.
    #[cold]
    #[inline(never)]
    #[cfg_attr(feature = "track", track_caller)]
    fn alloc_slow(&mut self, capacity: usize, initial_state: u32) -> Result<BytesMut, AllocError> {
        self.report();
        if let Some(magazine) = self.magazines.iter_mut().find(|magazine| magazine.fits(capacity)) {
            magazine.refill();
            if let Some((tier, state)) = magazine.take(initial_state) {
                // The free list counts this request as the one pop that it has served.
                self.pool.count_size(capacity);
                // SAFETY: a slot of the tier, which was just taken and marked.
                return Ok(BytesMut(unsafe { Handle::from_slot_state(tier, state) }));
            }
        }
        self.pool.alloc_in_state(capacity, capacity, initial_state)
    }

    /// Takes the buffers that `recycle` does not: shared or foreign ones, those with a flag, and
    /// those for a full magazine.
    #[cold]
    #[inline(never)]
    fn recycle_slow(&mut self, buffer: Bytes) {
        let Some((tier, state, kind)) = buffer.0.unique_slot() else { return };
        let Some(magazine) = self.magazines.iter_mut().find(|magazine| magazine.is_of(tier)) else {
            return;
        };
        magazine.make_room();
        // SAFETY: it is a slot of the magazine's tier. Only the buffer owned it, and the buffer is
        // not used any more: there is room.
        unsafe {
            if kind.wipes() {
                tier.wipe(tier.index_of_state(state.into()));
            }
            magazine.put(tier, state);
        }
        mem::forget(buffer);
    }

    /// Tells the [statistics](Pool::stats) of the pool how many requests the cache has served. Each
    /// refill does it, and so do [`flush`](Self::flush) and the drop of the cache. The cache also
    /// does it after 2^16 requests without a report. Before that, these hits do not show.
    ///
    /// Interrupt handler: yes, if the handler owns the cache. Cost: one addition.
    ///
    /// ```
    /// tierpool::pool! { static POOL = [64 x 16]; }
    /// let mut cache = tierpool::PoolCache::<8, 4>::new(&POOL);
    /// let held = (cache.alloc(64)?, cache.alloc(64)?);
    /// assert_eq!(POOL.stats().hits(), 1, "the refill");
    /// cache.report();
    /// assert_eq!(POOL.stats().hits(), 2);
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[cold]
    #[inline(never)]
    pub fn report(&mut self) {
        self.pool.count_from_caches(REPORT - mem::replace(&mut self.unreported, REPORT));
    }
}

/// The drops of the magazines give their slots back.
impl<const N: usize, const TIERS: usize> Drop for PoolCache<N, TIERS> {
    fn drop(&mut self) {
        self.report();
    }
}

impl<const N: usize, const TIERS: usize> fmt::Debug for PoolCache<N, TIERS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolCache")
            .field("pool", self.pool)
            .field("cached", &self.cached())
            .finish_non_exhaustive()
    }
}
