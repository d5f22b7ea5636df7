//! The counts of a pool. `stats_text` prints them as one line or as one table.
//!
//! | figure | where it comes from | cost on the hot path |
//! |---|---|---|
//! | served | the tag of the head, which moves on every pop | none |
//! | peak | the state words of slots that were used since the start, or since a reset | none |
//! | in use, cached | a scan of the state words | none |
//! | from caches | a counter of its own, to which each refill reports | none |
//! | missed, exhausted, oversized, fallbacks | counters on the slow path | none |
//! | retries, moved | the same, in programs that wait, or that use pools as allocators | none |
//!
//! All figures are exact at quiescence, except for hits that caches have not reported yet. While
//! others allocate and free, each figure is possible, but the figures are not of the same moment.

use crate::limits::MAX_TIERS;
#[cfg(feature = "track")]
use crate::pool::held::{HolderStats, Holders};
#[cfg(feature = "lanes")]
use crate::protocol::atomics::HeadWord;
use crate::protocol::free_list::FreeList;

/// A snapshot of the counts of a pool, from [`Pool::stats`](crate::Pool::stats).
///
/// `{}` prints one line, `{:#}` prints a table, `{:?}` prints the fields and the tiers of the pool.
/// With the feature `names`, the line begins with the name of the pool, and the table has a line
/// with it in front. With the feature `track`, the table ends with who holds the buffers: a line for
/// each place in the code, the one with the oldest buffer first.
///
/// ```
/// tierpool::pool! { static POOL = [256 x 2, 512 x 1], spill = 1; }
/// let held = [POOL.alloc(200)?, POOL.alloc(200)?, POOL.alloc(200)?];
/// assert!(POOL.alloc(200).is_err() && POOL.alloc(5000).is_err());
///
/// let stats = POOL.stats();
/// assert_eq!((stats.requests(), stats.hits(), stats.misses()), (5, 3, 2));
/// let line = "requests=5 hits=3 misses=2 fallbacks=0 hit_rate=60% 256=2/2 512=1/1";
/// assert!(stats.to_string().ends_with(line));
/// let table = [
///     " bytes   slots  in use  cached    peak        served        missed",
///     "   256       2       2       0       2             2             2",
///     "   512       1       1       0       1             1             1",
///     "requests 5, hits 3 (60.0 %, from caches 0), exhausted 1, oversized 1, from the fallback 0 (now 0)",
/// ];
/// assert!(format!("{stats:#}").contains(&table.join("\n")));
/// # Ok::<(), tierpool::AllocError>(())
/// ```
#[derive(Clone, Copy)]
pub struct Stats {
    /// What the pool is called.
    #[cfg(feature = "names")]
    pub(crate) name: Option<&'static str>,
    /// Requests that a tier fits, but that no tier served.
    pub(crate) exhausted: u64,
    /// Requests that no tier fits.
    pub(crate) oversized: u64,
    /// Requests that the fallback served.
    pub(crate) fallbacks: u64,
    /// Requests that caches have served and reported.
    pub(crate) from_caches: u64,
    /// Tries of waiting tasks that found nothing, beyond the first try of each wait.
    pub(crate) retries: u64,
    /// Blocks of allocators that have shrunk into a smaller slot.
    pub(crate) moved: u64,
    /// Fallback buffers that handles hold now.
    pub(crate) fallback_live: u32,
    /// The tiers, by rising size. Only the first `len` are filled.
    tiers: [TierStats; MAX_TIERS],
    /// The number of tiers: 1 to 16, or 0 in `EMPTY`.
    len: usize,
    /// Who holds the buffers.
    #[cfg(feature = "track")]
    pub(crate) holders: Holders,
}

/// The counts of one tier.
///
/// ```
/// tierpool::pool! { static POOL = [256 x 16]; }
/// let held = POOL.alloc(200)?;
/// let tier = POOL.stats().tiers()[0];
/// assert_eq!(tier.to_string(), "256 bytes: 1 of 16 in use, 0 cached, peak 1, served 1, missed 0");
/// # Ok::<(), tierpool::AllocError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TierStats {
    /// The bytes of a slot.
    pub size: usize,
    /// The number of slots: 1 to 1022.
    pub slots: usize,
    /// The slots that handles and raw allocations hold.
    pub in_use: usize,
    /// The free slots in caches. They serve only the owners of these caches.
    pub cached: usize,
    /// The largest number of slots that were off the free list at once: held, cached or in transit.
    /// It counts from the start, or from the last [`reset_peak`](crate::Pool::reset_peak).
    pub peak: usize,
    /// The requests that the free list has served. This includes spilled requests, one request for
    /// each batch that a cache took, and one for each block that has [moved](Stats::moved) here.
    pub served: u64,
    /// The requests that found this tier empty, whether or not a larger tier then served them. A
    /// wait counts once.
    pub missed: u64,
    /// True if `in_use` and `cached` are of one moment: the free list did not change while they
    /// were counted, and no slot was found in a cache. It is false if slots are in caches, because
    /// caches take and get slots without moving the list, and so nothing shows whether these slots
    /// rest.
    pub exact: bool,
    /// Free lists that the slots are divided into. With more than one, `peak` is the sum of their
    /// peaks, which need not have been at the same moment: an upper bound, printed as `<=5`.
    pub lanes: usize,
    /// The reserved slots of the tier. They are not among `slots`, and all other figures leave them
    /// out.
    #[cfg(feature = "reserve")]
    pub reserve: ReserveStats,
}

/// The counts of the reserve of one tier. All are 0 if it has none.
///
/// ```
/// tierpool::pool! { static TX = [64 x 1 + 2]; }
/// let held = (TX.alloc_reserved(1)?, TX.alloc_reserved(1)?);
/// let stats = TX.stats();
/// let reserve = stats.tiers()[0].reserve;
/// assert_eq!((reserve.slots, reserve.in_use, reserve.peak, reserve.served), (2, 1, 1, 1));
/// assert!(stats.to_string().ends_with("hit_rate=100% 64=1/1+1/2"));
/// # Ok::<(), tierpool::AllocError>(())
/// ```
#[cfg(feature = "reserve")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReserveStats {
    /// The number of reserved slots: 0 to 1022.
    pub slots: usize,
    /// The reserved slots that handles and raw allocations hold.
    pub in_use: usize,
    /// The largest number of reserved slots that were in use at once.
    pub peak: usize,
    /// The requests that the reserve has served.
    pub served: u64,
}

impl TierStats {
    /// Reads the counts of a list whose slots have `size` bytes.
    pub(crate) fn read(size: usize, list: &FreeList<'_>) -> Self {
        let (in_use, cached, exact) = list.hands();
        TierStats {
            size,
            slots: list.slots() as usize,
            in_use: in_use as usize,
            cached: cached as usize,
            peak: list.peak() as usize,
            served: list.served(),
            missed: list.missed(),
            exact,
            lanes: 1,
            #[cfg(feature = "reserve")]
            reserve: ReserveStats::default(),
        }
    }

    /// The requests that the tier and its reserve have served.
    fn served_in_all(&self) -> u64 {
        #[cfg(feature = "reserve")]
        return self.served + self.reserve.served;
        #[cfg(not(feature = "reserve"))]
        self.served
    }

    /// The counts of two lanes together.
    #[cfg(feature = "lanes")]
    fn and_lane(self, other: &Self) -> Self {
        TierStats {
            size: self.size,
            slots: self.slots + other.slots,
            in_use: self.in_use + other.in_use,
            cached: self.cached + other.cached,
            peak: self.peak + other.peak,
            served: self.served + other.served,
            missed: self.missed + other.missed,
            exact: self.exact && other.exact,
            lanes: self.lanes + other.lanes,
            #[cfg(feature = "reserve")]
            reserve: self.reserve,
        }
    }
    /// The counts of all lanes of a tier. None if there is no lane.
    #[cfg(feature = "lanes")]
    pub(crate) fn read_lanes<'a>(
        size: usize,
        lanes: impl Iterator<Item = FreeList<'a>> + Clone,
    ) -> Option<Self> {
        let tags = || lanes.clone().fold(0, |sum: HeadWord, list| sum.wrapping_add(list.tag()));
        let counts = || {
            let each = lanes.clone().map(|list| TierStats::read(size, &list));
            each.reduce(|sum, lane| sum.and_lane(&lane))
        };
        let (before, first, mut second, after) = (tags(), counts()?, counts()?, tags());
        // Without a pop from the first tag to the last one, slots in use can only have become
        // fewer. So if they have not, nothing has moved between the two counts.
        second.exact &= first.exact && (first.in_use, before) == (second.in_use, after);
        Some(second)
    }
}

impl Stats {
    /// No counts, and no tier.
    pub(crate) const EMPTY: Stats = {
        let none = TierStats {
            size: 0,
            slots: 0,
            in_use: 0,
            cached: 0,
            peak: 0,
            served: 0,
            missed: 0,
            exact: false,
            lanes: 1,
            #[cfg(feature = "reserve")]
            reserve: ReserveStats { slots: 0, in_use: 0, peak: 0, served: 0 },
        };
        let (exhausted, oversized, fallbacks, from_caches, retries, moved) = (0, 0, 0, 0, 0, 0);
        Stats {
            #[cfg(feature = "names")]
            name: None,
            exhausted,
            oversized,
            fallbacks,
            from_caches,
            retries,
            moved,
            fallback_live: 0,
            tiers: [none; MAX_TIERS],
            len: 0,
            #[cfg(feature = "track")]
            holders: Holders::NONE,
        }
    };

    /// Adds the next tier.
    pub(crate) fn push(&mut self, tier: TierStats) {
        if let Some(place) = self.tiers.get_mut(self.len) {
            *place = tier;
            self.len += 1;
        }
    }

    /// Sets the counts of the reserve whose slots have `size` bytes: that of the first tier of this
    /// size whose reserve is not set yet.
    #[cfg(feature = "reserve")]
    pub(crate) fn set_reserve(&mut self, size: usize, reserve: ReserveStats) {
        let of_size = |tier: &&mut TierStats| tier.size == size && tier.reserve.slots == 0;
        if let Some(tier) = self.tiers.iter_mut().find(of_size) {
            tier.reserve = reserve;
        }
    }

    /// The name of the pool: in `pool!` that of the static, else the one of
    /// [`Config::name`](crate::Config::name).
    ///
    /// Interrupt handler: yes. Cost: no atomic operation.
    ///
    /// ```
    /// tierpool::pool! { static RX = [256 x 2]; }
    /// assert_eq!(RX.stats().name(), Some("RX"));
    /// assert!(RX.stats().to_string().starts_with("RX requests=0 "));
    /// ```
    #[cfg(feature = "names")]
    pub fn name(&self) -> Option<&'static str> {
        self.name
    }

    /// The tiers, by rising size.
    ///
    /// Interrupt handler: yes. Cost: no atomic operation.
    pub fn tiers(&self) -> &[TierStats] {
        self.tiers.get(..self.len).unwrap_or_default()
    }

    /// Who held the buffers of the pool, the holder of the oldest one first. There are at most 16:
    /// `{:#}` shows how many buffers all others hold together.
    ///
    /// Interrupt handler: yes. Cost: no atomic operation.
    #[cfg(feature = "track")]
    pub fn holders(&self) -> &[HolderStats] {
        self.holders.rows()
    }

    /// All requests: for handles, raw slots, growth and copies. A wait counts when it ends. A block
    /// that shrinks is no request.
    ///
    /// Interrupt handler: yes. Cost: no atomic operation, a sum over the tiers.
    pub fn requests(&self) -> u64 {
        self.hits() + self.misses()
    }

    /// The requests that a tier or a cache served.
    ///
    /// Interrupt handler: yes. Cost: no atomic operation, a sum over the tiers.
    pub fn hits(&self) -> u64 {
        let served = self.tiers().iter().map(TierStats::served_in_all).sum::<u64>();
        (self.from_caches + served).saturating_sub(self.moved)
    }

    /// The requests that no tier served: exhausted and oversized ones.
    ///
    /// Interrupt handler: yes. Cost: no atomic operation.
    pub fn misses(&self) -> u64 {
        self.exhausted + self.oversized
    }

    /// The requests that a tier fits, but for which no tier that may serve them had a free slot.
    ///
    /// Interrupt handler: yes. Cost: no atomic operation.
    pub fn exhausted(&self) -> u64 {
        self.exhausted
    }

    /// The requests that are larger than the largest tier.
    ///
    /// Interrupt handler: yes. Cost: no atomic operation.
    pub fn oversized(&self) -> u64 {
        self.oversized
    }

    /// The misses that the fallback served.
    ///
    /// Interrupt handler: yes. Cost: no atomic operation.
    pub fn fallbacks(&self) -> u64 {
        self.fallbacks
    }

    /// The requests that a [`PoolCache`](crate::PoolCache) served from its own slots. This figure
    /// lags by fewer than 2^16 requests per cache, until the cache is refilled, flushed or dropped,
    /// or [reports](crate::PoolCache::report).
    ///
    /// Interrupt handler: yes. Cost: no atomic operation.
    pub fn from_caches(&self) -> u64 {
        self.from_caches
    }

    /// The tries of waiting tasks ([`alloc_wait`](crate::Pool#method.alloc_wait), `net_driver`)
    /// that found no slot, beyond the first try of each wait: the tasks were woken, and others were
    /// faster. They are no requests: a wait is one request, and a hit when it gets its slot. 0
    /// without the feature `wait`.
    ///
    /// Interrupt handler: yes. Cost: no atomic operation.
    pub fn retries(&self) -> u64 {
        self.retries
    }

    /// The blocks of an allocator on the pool that have shrunk, and moved down to a slot of a
    /// smaller tier. They are no requests, although that tier has served each of them. 0 without a
    /// feature that makes pools allocators.
    ///
    /// Interrupt handler: yes. Cost: no atomic operation.
    pub fn moved(&self) -> u64 {
        self.moved
    }

    /// The buffers of the fallback that handles hold now.
    ///
    /// Interrupt handler: yes. Cost: no atomic operation.
    pub fn fallback_live(&self) -> u32 {
        self.fallback_live
    }

    /// What has happened between two snapshots of one pool: the requests from `earlier` to `self`.
    /// What is true of a moment is that of `self`: slots in use and in caches, buffers of the
    /// fallback that handles hold, and the peak. For the peak between the two, call
    /// [`reset_peak`](crate::Pool::reset_peak) after the first one.
    ///
    /// If `earlier` is the later one, or if it is of another pool, a difference may be 0 that
    /// should not be.
    ///
    /// Interrupt handler: yes. Cost: no atomic operation, a subtraction per tier and count.
    ///
    /// ```
    /// tierpool::pool! { static POOL = [256 x 2]; }
    /// let held = POOL.alloc(200)?;
    /// let noon = POOL.stats();
    /// drop(POOL.alloc(200)?);
    /// let since = POOL.stats().since(&noon);
    /// assert_eq!((since.requests(), since.hits(), since.tiers()[0].in_use), (1, 1, 1));
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    pub fn since(&self, earlier: &Stats) -> Stats {
        let mut since = *self;
        for (count, before) in [
            (&mut since.exhausted, earlier.exhausted),
            (&mut since.oversized, earlier.oversized),
            (&mut since.fallbacks, earlier.fallbacks),
            (&mut since.from_caches, earlier.from_caches),
            (&mut since.retries, earlier.retries),
            (&mut since.moved, earlier.moved),
        ] {
            *count = count.saturating_sub(before);
        }
        for (tier, before) in since.tiers.iter_mut().zip(earlier.tiers()) {
            tier.served = tier.served.saturating_sub(before.served);
            tier.missed = tier.missed.saturating_sub(before.missed);
            #[cfg(feature = "reserve")]
            {
                tier.reserve.served = tier.reserve.served.saturating_sub(before.reserve.served);
            }
        }
        since
    }

    /// The hits per thousand requests, rounded down. 1000 before the first request.
    ///
    /// Interrupt handler: yes. Cost: no atomic operation, a sum over the tiers and a division of 64
    /// bits.
    pub fn hit_permille(&self) -> u32 {
        (self.hits() * 1000).checked_div(self.requests()).unwrap_or(1000) as u32
    }
}
