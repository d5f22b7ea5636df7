//! [`PoolCache`]: free slots that one task, thread or core keeps to itself.
//!
//! ```text
//!   task A ─ alloc, recycle ─► PoolCache<N> ─┐ chains: one compare-and-swap for up to N / 2 slots
//!                              no atomic     ├──────► Pool
//!   task B ─ alloc, recycle ─► PoolCache<N> ─┘
//! ```
//!
//! A head that two cores use travels between them with every request. A cache touches it once in N / 2 requests, and what
//! it does in between are plain loads and stores. In exchange its free slots are nobody else's: size the tiers for
//! what is in use *and* what the caches hold.

use core::{fmt, mem};

use crate::bytes::Bytes;
use crate::bytes_mut::BytesMut;
use crate::chain::Chain;
use crate::error::AllocError;
use crate::free_list::MAX_SLOTS;
use crate::geometry::MAX_TIERS;
use crate::handle::Handle;
use crate::pool::Pool;
use crate::state::STICKY;
use crate::tier::Tier;

/// A cache of at most `N` free slots a tier, for one owner.
///
/// Buffers that come from it are like any others: drop them, clone them, send them to other cores. Those that come home
/// to *a* cache, by [`recycle`](Self::recycle), make it faster than the pool. Dropping the cache gives everything back;
/// forgetting it (`mem::forget`) loses the slots.
///
/// About 80 bytes, without a destructor to register and without thread-local storage: keep it in the task's own state, or
/// in a `thread_local!` with a `RefCell`.
///
/// ```
/// use tierpool::PoolCache;
///
/// tierpool::pool! { static RX = default; }
/// let mut cache = PoolCache::<8>::new(&RX);
/// for frame in 0..1000 {
///     let mut buffer = cache.alloc(500)?;
///     buffer.extend_from_slice(b"a frame")?;
///     cache.recycle(buffer.freeze());
/// }
/// assert_eq!(RX.stats().tiers()[1].served, 1, "the free list was asked once");
/// # Ok::<(), tierpool::AllocError>(())
/// ```
///
/// # What it does not do
/// - It wakes nobody: slots that it keeps end no wait of [`Pool::arm_free_notify`]. [`flush`](Self::flush) it before
///   its owner rests for long.
/// - It does not serve another tier's requests: with `spill`, requests that its tier and the pool cannot serve take slots
///   from the pool's larger tiers, not from the cache's.
pub struct PoolCache<const N: usize> {
    pool: &'static Pool,
    chains: [Chain; MAX_TIERS],
    /// Requests served by the chains and not yet reported to the pool.
    served: u16,
}

impl<const N: usize> PoolCache<N> {
    /// Slots that move between cache and pool at once.
    const BATCH: usize = N.div_ceil(2);

    /// An empty cache. `N` is 1 to 1022 slots, which is checked at compile time.
    ///
    /// Interrupt handler: yes. Cost: no atomic operation.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// let cache = tierpool::PoolCache::<4>::new(&POOL);
    /// assert_eq!(cache.cached(), 0);
    /// ```
    pub const fn new(pool: &'static Pool) -> Self {
        const { assert!(N >= 1 && N <= MAX_SLOTS, "a cache holds 1 to 1022 slots a tier") };
        PoolCache { pool, chains: [Chain::EMPTY; MAX_TIERS], served: 0 }
    }

    /// As [`Pool::alloc`], from the cache if it has a slot of the tier; else it takes up to `N / 2` slots, rounded up, from
    /// the pool first.
    ///
    /// Interrupt handler: yes, of a cache that is the handler's own and a pool without a fallback. Cost: no atomic
    /// read-modify-write; one compare-and-swap to refill.
    ///
    /// # Errors
    /// [`AllocError::Exhausted`], [`AllocError::Oversized`].
    ///
    /// ```
    /// tierpool::pool! { static POOL = [64 x 16]; }
    /// let mut cache = tierpool::PoolCache::<8>::new(&POOL);
    /// let buffer = cache.alloc(60)?;
    /// assert_eq!((buffer.capacity(), cache.cached()), (64, 3));
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[inline]
    pub fn alloc(&mut self, capacity: usize) -> Result<BytesMut, AllocError> {
        self.alloc_marked(capacity, self.pool.mark)
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
    /// tierpool::pool! { static POOL = [64 x 1], fallback = &tierpool::Global; }
    /// let mut cache = tierpool::PoolCache::<8>::new(&POOL);
    /// let held = cache.alloc_pooled(64)?;
    /// assert_eq!(cache.alloc_pooled(64).unwrap_err(), AllocError::Exhausted);
    /// # Ok::<(), AllocError>(())
    /// ```
    #[inline]
    pub fn alloc_pooled(&mut self, capacity: usize) -> Result<BytesMut, AllocError> {
        self.alloc_marked(capacity, self.pool.mark | STICKY)
    }

    /// Keeps the slot of a buffer for the next [`alloc`](Self::alloc), whichever cache it came from. Anything but the only
    /// handle on a slot of this cache's pool is dropped as usual. A full cache first gives `N / 2` slots, rounded up, back.
    ///
    /// Interrupt handler: yes, of a cache that is the handler's own. Cost: one atomic load, no read-modify-write; one
    /// compare-and-swap of a full cache.
    ///
    /// ```
    /// tierpool::pool! { static POOL = [64 x 16]; }
    /// let mut cache = tierpool::PoolCache::<2>::new(&POOL);
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
        let Some((tier, index, kind)) = buffer.0.unique_slot() else { return };
        let Some(chain) = self.pool.number_of(tier).and_then(|number| self.chains.get_mut(number)) else { return };
        mem::forget(buffer);
        if kind.wipes() {
            // SAFETY: the slot was the buffer's alone, and now is ours.
            unsafe { tier.wipe(index) };
        }
        if chain.len() >= N {
            // SAFETY: the chain of the tier's number is the tier's.
            unsafe { chain.give_back(tier, Self::BATCH) };
        }
        // SAFETY: the same; the slot is ours.
        unsafe { chain.put(tier.list(), index) };
    }

    /// Free slots in the cache.
    ///
    /// Interrupt handler: yes. Cost: no atomic operation.
    ///
    /// ```
    /// tierpool::pool! { static POOL = [64 x 16, 512 x 16]; }
    /// let mut cache = tierpool::PoolCache::<8>::new(&POOL);
    /// drop((cache.alloc(64)?, cache.alloc(512)?)); // back to the pool, not to the cache
    /// assert_eq!(cache.cached(), 3 + 3);
    /// assert_eq!(POOL.stats().tiers()[0].cached, 3);
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    pub fn cached(&self) -> usize {
        self.chains.iter().map(Chain::len).sum()
    }

    /// Gives every slot back to the pool, and wakes who waits for one. Also brings the pool's statistics up to date. Done by
    /// dropping the cache, too.
    ///
    /// Interrupt handler: yes, of a cache that is the handler's own. Cost: one compare-and-swap a tier.
    ///
    /// ```
    /// tierpool::pool! { static POOL = [64 x 16]; }
    /// let mut cache = tierpool::PoolCache::<8>::new(&POOL);
    /// drop(cache.alloc(64)?);
    /// assert!(!POOL.is_idle());
    /// cache.flush();
    /// assert!(POOL.is_idle() && cache.cached() == 0);
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    pub fn flush(&mut self) {
        self.report();
        for (chain, tier) in self.chains.iter_mut().zip(self.pool.tiers) {
            let count = chain.len();
            // SAFETY: the chain of the tier's number is the tier's.
            unsafe { chain.give_back(tier, count) };
        }
    }

    #[inline(always)]
    fn alloc_marked(&mut self, capacity: usize, mark: u32) -> Result<BytesMut, AllocError> {
        let fitting = self.pool.fitting(capacity, 1);
        if let [tier, ..] = fitting
            && let Some(chain) = self.chains.get_mut(self.pool.tiers.len() - fitting.len())
        {
            // SAFETY: the chain of the tier's number is the tier's.
            if let Some(index) = unsafe { chain.take(tier.list(), mark) } {
                if self.served == u16::MAX {
                    self.report();
                }
                self.served += 1;
                return Ok(BytesMut(Handle::from_slot(tier, index)));
            }
        }
        self.alloc_slow(fitting, capacity, mark)
    }

    /// Takes a batch of slots from the pool, and one of them; if there is none, whatever else the pool does then.
    #[cold]
    #[inline(never)]
    fn alloc_slow(&mut self, fitting: &'static [Tier], capacity: usize, mark: u32) -> Result<BytesMut, AllocError> {
        self.report();
        if let [tier, ..] = fitting
            && let Some(chain) = self.chains.get_mut(self.pool.tiers.len() - fitting.len())
            // SAFETY: the chain of the tier's number is the tier's.
            && unsafe { chain.refill(tier.list(), Self::BATCH as u32) }
            // SAFETY: the same.
            && let Some(index) = unsafe { chain.take(tier.list(), mark) }
        {
            // This request is the one that the free list counts.
            return Ok(BytesMut(Handle::from_slot(tier, index)));
        }
        self.pool.alloc_marked(capacity, capacity, mark)
    }

    /// Tells the pool what the chains have served.
    #[cold]
    #[inline(never)]
    fn report(&mut self) {
        self.pool.count_cached(mem::take(&mut self.served));
    }
}

impl<const N: usize> Drop for PoolCache<N> {
    fn drop(&mut self) {
        self.flush();
    }
}

impl<const N: usize> fmt::Debug for PoolCache<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolCache").field("pool", self.pool).field("cached", &self.cached()).finish_non_exhaustive()
    }
}
