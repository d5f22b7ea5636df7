//! Statistics of a pool, and its upkeep.

#[cfg(feature = "track")]
use crate::pool::held::{self, HeldBuffer, Holders};
#[cfg(feature = "histogram")]
use crate::pool::histogram::Histogram;
use crate::pool::stats::{Stats, TierStats};
#[cfg(feature = "track")]
use crate::pool::tier::Tier;
use crate::pool::{Pool, fallback};
use crate::protocol::free_list::all_complete;

impl Pool {
    /// A snapshot of all counts.
    ///
    /// Interrupt handler: better not, because it scans all state words. Cost: up to four
    /// compare-and-swaps per tier, or one if the tier does not change meanwhile; about 0.7 KB of
    /// stack on a 32-bit target.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// let held = POOL.alloc(500)?;
    /// let line = POOL.stats().to_string(); // with the feature `names`, `POOL ` stands in front
    /// assert!(line.ends_with("requests=1 hits=1 misses=0 fallbacks=0 hit_rate=100% 256=0/16 512=1/16 1024=0/16"));
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    pub fn stats(&self) -> Stats {
        let state = self.state;
        let mut stats = Stats::EMPTY;
        #[cfg(feature = "names")]
        {
            stats.name = self.name;
        }
        stats.exhausted = state.exhausted.get();
        stats.oversized = state.oversized.get();
        stats.fallbacks = state.fallbacks.get();
        stats.from_caches = state.from_caches.get();
        #[cfg(feature = "wait")]
        {
            stats.retries = state.retries.get();
        }
        #[cfg(any(
            feature = "alloc",
            feature = "allocator-api2-02",
            feature = "allocator-api2-03"
        ))]
        {
            stats.moved = state.moved.get();
        }
        stats.fallback_live = state.deferred.live();
        self.read_tiers(&mut stats);
        #[cfg(feature = "reserve")]
        self.add_reserves(&mut stats);
        #[cfg(feature = "track")]
        {
            stats.holders = Holders::of(self.held());
        }
        stats
    }

    /// Adds the counts of all tiers.
    fn read_tiers(&self, stats: &mut Stats) {
        #[cfg(feature = "lanes")]
        if self.lane_count().get() > 1 {
            let tiers = self.lanes_of_tiers(self.tiers);
            return tiers.filter_map(Pool::read_lanes).for_each(|tier| stats.push(tier));
        }
        for tier in self.tiers {
            stats.push(TierStats::read(tier.stride(), tier.list()));
        }
    }

    /// Shows which sizes were asked for since the start.
    ///
    /// It counts requests for handles, raw slots, growth and copies, whether they were served or
    /// not. A wait counts once. Headroom is part of the size. If a block of an allocator shrinks
    /// and moves down, it counts once more with its new size, because it needs such a slot from
    /// then on. So the sum of all counts is [`requests`](Stats::requests) plus
    /// [moved](Stats::moved) blocks.
    ///
    /// The feature `histogram` costs one atomic addition per request, also for requests that a
    /// cache serves, and 388 bytes per pool. Counts wrap after 2^32.
    ///
    /// Interrupt handler: better not, because it scans all state words. Cost: that of
    /// [`stats`](Self::stats), and 97 loads; about 1.4 KB of stack.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// drop(POOL.alloc(500));
    /// drop(POOL.alloc(100_000));
    /// assert_eq!(POOL.histogram().buckets().next(), Some((512, 1)));
    /// assert_eq!(POOL.histogram().larger(), 1);
    /// ```
    #[cfg(feature = "histogram")]
    pub fn histogram(&self) -> Histogram {
        // The statistics are read first. A request that comes meanwhile was then asked for but not
        // served, which is possible.
        let stats = self.stats();
        Histogram::new(self.state.size_counts.read(), stats)
    }

    /// Forgets the peaks of all tiers. From now on, [`TierStats::peak`](crate::TierStats::peak)
    /// tells the largest number of slots off the free list since this call. It is at least the
    /// number of slots in use now.
    ///
    /// Interrupt handler: yes. Cost: one load per slot, and one compare-and-swap per free slot that
    /// was used since the last reset.
    ///
    /// ```
    /// tierpool::pool! { static POOL = [256 x 16]; }
    /// let held = POOL.alloc(200)?;
    /// drop((POOL.alloc(200)?, POOL.alloc(200)?));
    /// assert_eq!(POOL.stats().tiers()[0].peak, 3);
    /// POOL.reset_peak();
    /// assert_eq!(POOL.stats().tiers()[0].peak, 1);
    /// drop(POOL.alloc(200)?);
    /// assert_eq!(POOL.stats().tiers()[0].peak, 2);
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    pub fn reset_peak(&self) {
        self.tiers.iter().chain(self.reserves()).for_each(|tier| tier.list().reset_peak());
    }

    /// The number of free slots of the tier that serves requests for `size` bytes, in all of its
    /// lanes. 0 if no tier fits. Slots in caches are not free. Others may take slots at any time,
    /// so a request may fail although this has said 1.
    ///
    /// Interrupt handler: yes. Cost: one load per slot of the tier.
    ///
    /// ```
    /// tierpool::pool! { static POOL = [256 x 16, 512 x 4]; }
    /// let held = POOL.alloc(500)?;
    /// assert_eq!((POOL.free_slots(500), POOL.free_slots(1), POOL.free_slots(1000)), (3, 16, 0));
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    pub fn free_slots(&self, size: usize) -> usize {
        let lanes = self.tiers_fitting(size, 1).iter().take(self.lane_count().get());
        lanes.map(|tier| tier.list().free_slots() as usize).sum()
    }

    /// The buffers that are out: slots in use, and the first 32 buffers of the fallback. Each is
    /// looked at by itself. While others allocate and free, a buffer may be missing or may still be
    /// there, and one that is taken at this moment may still show its last holder. Slots in a
    /// [`PoolCache`](crate::PoolCache) are not out.
    ///
    /// Interrupt handler: better not, because it scans all state words. Cost: four loads per slot
    /// that is held, one per other slot.
    ///
    /// ```
    /// tierpool::pool! { static RX = [256 x 4]; }
    /// let kept = [RX.alloc(100)?, RX.alloc(100)?];
    /// for buffer in RX.held() {
    ///     println!("slot {}, for {} requests: {}", buffer.slot, buffer.age, buffer.holder);
    /// }
    /// assert_eq!(RX.held().count(), 2);
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[cfg(feature = "track")]
    pub fn held(&self) -> impl Iterator<Item = HeldBuffer> {
        let lanes = self.lane_count().get();
        let slots = |tier: &Tier| tier.list().slots() as usize;
        let tiers = self.tiers.iter().enumerate().flat_map(move |(at, tier)| {
            // The lanes in front of it have the lower numbers.
            let lanes_in_front = self.tiers.iter().skip(at - at % lanes).take(at % lanes);
            held::of_list(
                *tier.list(),
                tier.stride(),
                Some(at / lanes),
                lanes_in_front.map(slots).sum(),
            )
        });
        let reserves = self.reserves().iter().flat_map(move |reserve| {
            let plain = self.tiers.iter().filter(|tier| tier.stride() == reserve.stride());
            let at = self.tiers.iter().position(|tier| tier.stride() == reserve.stride());
            let at = at.map(|at| at / lanes);
            held::of_list(*reserve.list(), reserve.stride(), at, plain.map(slots).sum())
        });
        let served = self.state.fallbacks.get() as u32;
        let fallback = self.state.listed.iter().map(move |(slot, bytes, cell)| HeldBuffer {
            tier: None,
            slot,
            bytes,
            handles: None,
            holder: cell.holder(),
            age: served.wrapping_sub(cell.since()),
        });
        tiers.chain(reserves).chain(fallback)
    }

    /// True if, at one moment of this call, every slot was on its free list and no handle held a
    /// fallback buffer. Then everything that was done with the buffers until that moment has
    /// happened before. If nothing else can allocate, you may reuse the memory.
    ///
    /// Interrupt handler: better not, because it walks the lists. Cost: one compare-and-swap per
    /// tier.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// let held = POOL.alloc(1)?;
    /// assert!(!POOL.is_idle());
    /// drop(held);
    /// assert!(POOL.is_idle());
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    pub fn is_idle(&self) -> bool {
        let lists = self.tiers.iter().chain(self.reserves()).map(|tier| *tier.list());
        // A fallback buffer that was held at the moment of the lists is still counted. Or its bytes
        // have moved to a slot before the count fell. The second look sees that, because a head
        // rises.
        all_complete(lists, || self.state.deferred.live() == 0)
    }

    /// Panics unless the pool [is idle](Self::is_idle), and prints its statistics. For the end of a
    /// test: with the feature `track`, the message says who still holds the buffers.
    ///
    /// Interrupt handler: no, because it may print. Cost: that of `is_idle`.
    ///
    /// ```should_panic
    /// tierpool::pool! { static POOL = default; }
    /// let forgotten = POOL.alloc(100)?;
    /// POOL.assert_idle();
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[track_caller]
    pub fn assert_idle(&self) {
        assert!(self.is_idle(), "buffers are still out\n{:#}", self.stats());
    }

    /// Gives deferred buffers back to a fallback that may not [free at
    /// once](crate::Fallback::free_at_once). Returns how many. Every allocation from the fallback does
    /// it, too.
    ///
    /// Interrupt handler: no, unless the fallback allows it. Cost: one swap if there is anything to
    /// do.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default, fallback = &tierpool::GlobalHeap; }
    /// drop(POOL.alloc(2000)?);
    /// // With `std`, the drop has freed it.
    /// assert_eq!(POOL.reclaim(), usize::from(cfg!(not(feature = "std"))));
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    pub fn reclaim(&self) -> usize {
        self.fallback
            .map_or(0, |fallback| fallback::drain(&self.state.deferred, fallback, self.align))
    }
}
