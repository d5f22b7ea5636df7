//! [`PoolCache`]: free slots that one task, thread or core keeps to itself.
//!
//! ```text
//!   task A ─ alloc, recycle ─► PoolCache<N, T>: a magazine a tier ─┐ one compare-and-swap for N / 2 slots
//!                              no atomic read-modify-write      ├──────► Pool
//!   task B ─ alloc, recycle ─► PoolCache<N, T>: a magazine a tier ─┘
//! ```
//!
//! A head that two cores use travels between them with every request. A cache touches it once in N / 2 requests, and what
//! it does in between are plain loads and stores. In exchange its free slots are nobody else's: size the tiers for
//! what is in use *and* what the caches hold.

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

/// Requests between two reports to the pool, unless something else makes one.
const REPORT: u32 = 1 << 16;

/// A cache of at most `N` free slots of each of the `TIERS` smallest tiers, for one owner. Requests for larger tiers go to the
/// pool itself.
///
/// Buffers that come from it are like any others: drop them, clone them, send them to other cores. Those that come home
/// to *a* cache, by [`recycle`](Self::recycle), make it faster than the pool. Dropping the cache gives everything back;
/// forgetting it (`mem::forget`) loses the slots.
///
/// On a 32-bit target `12 + 4 * N` bytes a tier and 8 more. No thread-local storage: keep it in the task's own state, or in
/// a `thread_local!` with a `RefCell`.
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
/// For everybody else the slots that a cache keeps are in use: the pool may be [exhausted](AllocError::Exhausted) though no
/// buffer is held. So size the tiers for what is in use and for `N` slots a cache; [`check`](Self::check) says whether one cache
/// alone can take a whole tier with one refill. The pool's statistics show what caches hold.
///
/// # What it does not do
/// - It wakes nobody: slots that it keeps end no wait of [`Pool::arm_free_notify`]. [`flush`](Self::flush) it before
///   its owner rests for long.
/// - It does not serve another tier's requests: with `spill`, requests that its tier and the pool cannot serve take slots
///   from the pool's larger tiers, not from the cache's.
pub struct PoolCache<const N: usize, const TIERS: usize> {
    pool: &'static Pool,
    magazines: [Magazine<N>; TIERS],
    /// Requests that the magazines may still serve before the pool is told.
    unreported: u32,
}

impl<const N: usize, const TIERS: usize> PoolCache<N, TIERS> {
    /// An empty cache for the `TIERS` smallest tiers. `N` is 1 to 1022 slots, which is checked at compile time.
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

    /// Whether a refill, of `N / 2` slots, rounded up, leaves the others at least one slot of each tier that the cache serves.
    /// If it does not, the cache works all the same, and others may find the tier exhausted while nothing of it is in use. The tiers
    /// of a static pool are known at compile time, and so is the answer.
    ///
    /// Interrupt handler: yes. Cost: no atomic operation.
    ///
    /// # Errors
    /// [`ConfigError::Cache`], with the first tier that has too few slots.
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

    /// As [`Pool::alloc`], from the cache if it has a slot of the tier; else it takes up to `N / 2` slots, rounded up, from
    /// the pool first: half as many after each time that another context was quicker, so that it need not try often.
    ///
    /// Interrupt handler: yes, of a cache that is the handler's own and a pool without a fallback. Cost: no atomic
    /// read-modify-write; to refill, one compare-and-swap and an addition.
    ///
    /// # Errors
    /// [`AllocError::Exhausted`], which may mean that other caches have the free slots; [`AllocError::Oversized`].
    ///
    /// ```
    /// tierpool::pool! { static POOL = [64 x 16]; }
    /// let mut cache = tierpool::PoolCache::<8, 4>::new(&POOL);
    /// let buffer = cache.alloc(60)?;
    /// assert_eq!((buffer.capacity(), cache.cached()), (64, 3));
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[inline]
    pub fn alloc(&mut self, capacity: usize) -> Result<BytesMut, AllocError> {
        self.alloc_in_state(capacity, self.pool.initial_state)
    }

    /// As [`Pool::alloc_pooled`], by way of the cache: never from the fallback.
    ///
    /// Interrupt handler: yes, of a cache that is the handler's own. Cost: as [`alloc`](Self::alloc).
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
    pub fn alloc_pooled(&mut self, capacity: usize) -> Result<BytesMut, AllocError> {
        self.alloc_in_state(capacity, self.pool.initial_state | POOL_ONLY)
    }

    /// As [`Pool::alloc_with_headroom`], by way of the cache.
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
    pub fn alloc_with_headroom(&mut self, headroom: usize, capacity: usize) -> Result<BytesMut, AllocError> {
        let headroom = self.pool.rounded(headroom).unwrap_or(usize::MAX);
        let mut buffer = self.alloc(headroom.saturating_add(capacity))?;
        buffer.0.skip(headroom);
        Ok(buffer)
    }

    /// As [`Pool::zeroed`], by way of the cache.
    ///
    /// Interrupt handler: as [`alloc`](Self::alloc). Cost: that of `alloc`, `len` bytes written.
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
    pub fn zeroed(&mut self, len: usize) -> Result<BytesMut, AllocError> {
        let mut buffer = self.alloc(len)?;
        buffer.fill_to(len, 0);
        Ok(buffer)
    }

    /// As [`Pool::copy_from_slice`], by way of the cache.
    ///
    /// Interrupt handler: as [`alloc`](Self::alloc). Cost: that of `alloc`, the copy.
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
    pub fn copy_from_slice(&mut self, bytes: &[u8]) -> Result<BytesMut, AllocError> {
        let mut buffer = self.alloc(bytes.len())?;
        buffer.append(bytes);
        Ok(buffer)
    }

    /// Keeps the slot of a buffer for the next [`alloc`](Self::alloc), whichever cache it came from. Anything but the only
    /// handle on a slot of this cache's pool is dropped as usual. A full cache first gives `N / 2` slots, rounded up, back.
    ///
    /// Interrupt handler: yes, of a cache that is the handler's own. Cost: one atomic load, no read-modify-write; one
    /// compare-and-swap of a full cache.
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
            // SAFETY: it is a slot of the magazine's tier. It was the buffer's alone, which is used no more if this succeeds.
            && unsafe { magazine.put(state) }
        {
            return mem::forget(buffer);
        }
        self.recycle_slow(buffer);
    }

    /// Free slots in the cache.
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

    /// Gives every slot back to the pool, and wakes who waits for one. Also brings the pool's statistics up to date. Done by
    /// dropping the cache, too.
    ///
    /// Interrupt handler: yes, of a cache that is the handler's own. Cost: one compare-and-swap a tier, and an addition.
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
    fn alloc_in_state(&mut self, capacity: usize, initial_state: u32) -> Result<BytesMut, AllocError> {
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

    /// Takes a batch of slots from the pool, and one of them; if there is none, whatever else the pool does then.
    #[cold]
    #[inline(never)]
    fn alloc_slow(&mut self, capacity: usize, initial_state: u32) -> Result<BytesMut, AllocError> {
        self.report();
        if let Some(magazine) = self.magazines.iter_mut().find(|magazine| magazine.fits(capacity)) {
            magazine.refill();
            if let Some((tier, state)) = magazine.take(initial_state) {
                // The free list counts this request, as the one that it has served.
                self.pool.count_size(capacity);
                // SAFETY: a slot of the tier, which was just taken and marked.
                return Ok(BytesMut(unsafe { Handle::from_slot_state(tier, state) }));
            }
        }
        self.pool.alloc_in_state(capacity, capacity, initial_state)
    }

    /// A buffer that is shared or foreign, one with a flag, or one too many.
    #[cold]
    #[inline(never)]
    fn recycle_slow(&mut self, buffer: Bytes) {
        let Some((tier, state, kind)) = buffer.0.unique_slot() else { return };
        let Some(magazine) = self.magazines.iter_mut().find(|magazine| magazine.is_of(tier)) else { return };
        magazine.make_room();
        // SAFETY: it is a slot of the magazine's tier. It was the buffer's alone, which is used no more: there is room.
        unsafe {
            if kind.wipes() {
                tier.wipe(tier.index_of_state(state.into()));
            }
            magazine.put(state);
        }
        mem::forget(buffer);
    }

    /// Tells the pool's [statistics](Pool::stats) what the cache has served. Done by each refill, by [`flush`](Self::flush), by
    /// dropping the cache and after 2^16 requests; between, its hits do not show.
    ///
    /// Interrupt handler: yes, of a cache that is the handler's own. Cost: an addition.
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

/// The magazines give their slots back.
impl<const N: usize, const TIERS: usize> Drop for PoolCache<N, TIERS> {
    fn drop(&mut self) {
        self.report();
    }
}

impl<const N: usize, const TIERS: usize> fmt::Debug for PoolCache<N, TIERS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolCache").field("pool", self.pool).field("cached", &self.cached()).finish_non_exhaustive()
    }
}
