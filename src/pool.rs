//! A pool: its tiers by rising size, and the way a request takes through them.
//!
//! ```text
//!   request ──► smallest tier that fits ──► next tiers (spill) ──► fallback ──► error
//!                 │ one compare-and-swap       └───── off the hot path, counted ─────┘
//!                 ▼
//!              the slot ──► `buffer` makes it a handle, `raw` a pointer
//! ```
//!
//! [`Pool`] is immutable and holds no atomic: a static pool is a constant in `.rodata`, its heads and state words
//! are zeros in `.bss`. So `POOL.alloc(500)` with a constant length compiles to its tier's code: in the crate that
//! declares the pool, and elsewhere with link-time optimisation.

use core::fmt;
use core::panic::{RefUnwindSafe, UnwindSafe};
use core::ptr::NonNull;

use crate::counter::Counter;
use crate::error::AllocError;
use crate::fallback::{self, Deferred, DynFallback};
use crate::free_list::FreeList;
use crate::geometry::Config;
#[cfg(feature = "histogram")]
use crate::histogram::SizeCounts;
use crate::state::{HANDLE, STICKY, StateWord, WIPE};
use crate::stats::{Stats, TierStats};
use crate::sync::{HeadWord, const_unless_loom};
use crate::tier::Tier;
#[cfg(feature = "wait")]
use crate::waker_cell::WakerCell;

/// A lock-free pool of byte buffers in up to 16 tiers of fixed sizes.
///
/// Made by [`pool!`](crate::pool!) (a static, no init call), [`Pool::leak`] or [`Pool::from_static_parts`]; it lives
/// for ever, so that handles are `'static` and may go anywhere.
///
/// ```
/// tierpool::pool! { pub static RX = [256 x 16, 512 x 16], spill = 1; }
///
/// let mut buffer = RX.alloc(500)?;
/// buffer.extend_from_slice(b"a frame")?;
/// let packet = buffer.freeze();
/// let mut hop = packet.clone();
/// hop.make_mut()?[0] = b'A';
/// assert_eq!((&packet[..], &hop[..]), (&b"a frame"[..], &b"A frame"[..]));
/// # Ok::<(), tierpool::AllocError>(())
/// ```
///
/// # What "exhausted" means
/// At one moment of the request no tier that may serve it had a free slot: with `spill`, all of them at the same moment. That is
/// linearizable. It may be while another context is suspended between its last use of a slot and the push; and it may mean
/// "in caches": what a [`PoolCache`](crate::PoolCache) keeps is free for its owner alone.
///
/// # How far the tag protects
/// A free list tells an old head from a new one by a tag that counts requests, and that wraps. A context that is suspended
/// within `alloc` while the others take *exactly* a multiple of 2^T slots of the tier, and comes back to the same slot on
/// top, would corrupt the list. T is 22 (1022 slots) to 27 (16 slots) on a 32-bit target, at least 54 on a 64-bit one: at 4.8
/// million requests a second, 0.9 s, 28 s and a century.
pub struct Pool {
    pub(crate) tiers: &'static [Tier],
    state: &'static PoolState,
    /// The state of a fresh slot that handles own.
    pub(crate) mark: u32,
    pub(crate) spill: usize,
    align: usize,
    headroom_align: usize,
    fallback: Option<&'static dyn DynFallback>,
    pub(crate) on_free: Option<fn(&'static Pool)>,
    /// Where tasks wait for slots.
    #[cfg(feature = "wait")]
    pub(crate) waiters: &'static [WakerCell],
}

/// The words of a pool that belong to no tier. All zero at start; touched off the hot path only.
#[derive(Debug)]
pub(crate) struct PoolState {
    exhausted: Counter,
    oversized: Counter,
    fallbacks: Counter,
    cached: Counter,
    /// Tries of waiting tasks beyond the first of each wait.
    #[cfg(feature = "wait")]
    retries: Counter,
    /// Blocks of allocators that have shrunk into a smaller slot.
    #[cfg(any(feature = "alloc", feature = "allocator-api2-02", feature = "allocator-api2-03", feature = "allocator-api2-04"))]
    moved: Counter,
    deferred: Deferred,
    #[cfg(feature = "histogram")]
    size_counts: SizeCounts,
}

#[cfg(all(target_pointer_width = "32", not(any(loom, shuttle, feature = "histogram"))))]
const _: () = {
    let with_wait = if cfg!(feature = "wait") { 8 } else { 0 };
    let with_allocators =
        if cfg!(any(feature = "alloc", feature = "allocator-api2-02", feature = "allocator-api2-03", feature = "allocator-api2-04")) {
            8
        } else {
            0
        };
    assert!(size_of::<PoolState>() == 40 + with_wait + with_allocators, "bytes of metadata a pool, as documented");
};

impl PoolState {
    const_unless_loom! {
        pub(crate) fn new() -> Self {
            PoolState {
                exhausted: Counter::new(),
                oversized: Counter::new(),
                fallbacks: Counter::new(),
                cached: Counter::new(),
                #[cfg(feature = "wait")]
                retries: Counter::new(),
                #[cfg(any(feature = "alloc", feature = "allocator-api2-02", feature = "allocator-api2-03", feature = "allocator-api2-04"))]
                moved: Counter::new(),
                deferred: Deferred::new(),
                #[cfg(feature = "histogram")]
                size_counts: SizeCounts::new(),
            }
        }
    }
}

impl Pool {
    pub(crate) const fn new(config: &Config<'_>, tiers: &'static [Tier], state: &'static PoolState) -> Self {
        // A fallback buffer is as aligned as any primitive type, as a heap's would be.
        let align = if config.align > align_of::<u64>() { config.align } else { align_of::<u64>() };
        Pool {
            tiers,
            state,
            mark: if config.zero_on_free { HANDLE | WIPE } else { HANDLE },
            spill: config.spill,
            align,
            headroom_align: config.align,
            fallback: config.fallback,
            on_free: config.on_free,
            #[cfg(feature = "wait")]
            waiters: config.waiters,
        }
    }

    // ---- what the handles and caches ask

    /// Counts requests that a cache has served.
    pub(crate) fn count_cached(&self, requests: u32) {
        self.state.cached.add(requests);
    }

    /// Counts the end of a wait that nothing has served.
    #[cfg(feature = "wait")]
    pub(crate) fn count_exhausted(&self) {
        self.state.exhausted.bump();
    }

    /// Counts a try of one who waits that has found nothing, beyond the first.
    #[cfg(feature = "wait")]
    pub(crate) fn count_retry(&self) {
        self.state.retries.bump();
    }

    /// Counts a block that has shrunk into a slot of a smaller tier, for `_size` bytes.
    #[cfg(any(feature = "alloc", feature = "allocator-api2-02", feature = "allocator-api2-03", feature = "allocator-api2-04"))]
    pub(crate) fn count_moved(&self, _size: usize) {
        self.state.moved.bump();
        self.count_size(_size);
    }

    /// Bytes of the smallest slot that a request for `capacity` bytes would be served from, if any.
    pub(crate) fn slot_size_for(&self, capacity: usize) -> Option<usize> {
        self.fitting(capacity, 1).first().map(Tier::stride)
    }

    /// Bytes of a slot of the largest tier.
    #[cfg(feature = "serde")]
    pub(crate) fn largest_slot(&self) -> usize {
        self.tiers.last().map_or(0, Tier::stride)
    }

    /// What headroom is rounded up to, in bytes: a power of two.
    pub(crate) fn headroom_align(&self) -> usize {
        self.headroom_align
    }

    /// Headroom, rounded up.
    pub(crate) fn rounded(&self, headroom: usize) -> Option<usize> {
        Some(headroom.checked_add(self.headroom_align - 1)? & !(self.headroom_align - 1))
    }

    /// What fallback buffers are aligned to, in bytes.
    pub(crate) fn align(&self) -> usize {
        self.align
    }

    pub(crate) fn fallback(&self) -> Option<&'static dyn DynFallback> {
        self.fallback
    }

    pub(crate) fn deferred(&self) -> &'static Deferred {
        &self.state.deferred
    }

    #[cfg(feature = "histogram")]
    pub(crate) fn size_counts(&self) -> &SizeCounts {
        &self.state.size_counts
    }

    /// Counts a request by its size, where the feature `histogram` asks for it.
    #[inline(always)]
    pub(crate) fn count_size(&self, _size: usize) {
        #[cfg(feature = "histogram")]
        self.state.size_counts.count(_size);
    }

    pub(crate) fn zero_on_free(&self) -> bool {
        self.mark & WIPE != 0
    }

    // ---- upkeep

    /// A snapshot of all counts.
    ///
    /// Interrupt handler: better not (it scans all state words). Cost: up to four compare-and-swaps a tier, one if it rests;
    /// about 0.7 KB of stack on a 32-bit target.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// let held = POOL.alloc(500)?;
    /// assert_eq!(POOL.stats().to_string(), "requests=1 hits=1 misses=0 fallbacks=0 hit_rate=100% 256=0/16 512=1/16 1024=0/16");
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    pub fn stats(&self) -> Stats {
        let state = self.state;
        let mut stats = Stats::EMPTY;
        stats.exhausted = state.exhausted.get();
        stats.oversized = state.oversized.get();
        stats.fallbacks = state.fallbacks.get();
        stats.from_caches = state.cached.get();
        #[cfg(feature = "wait")]
        {
            stats.retries = state.retries.get();
        }
        #[cfg(any(feature = "alloc", feature = "allocator-api2-02", feature = "allocator-api2-03", feature = "allocator-api2-04"))]
        {
            stats.moved = state.moved.get();
        }
        stats.fallback_live = state.deferred.live();
        for tier in self.tiers {
            stats.push(TierStats::read(tier.stride(), tier.list()));
        }
        stats
    }

    /// True if, at one moment of this call, every slot was on its free list and no handle held a fallback buffer; then all that was
    /// done with the buffers until that moment has happened before. Who knows that nobody allocates any more may reuse the memory.
    ///
    /// Interrupt handler: better not (it walks the lists). Cost: one compare-and-swap a tier.
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
        // A buffer may move on while this looks elsewhere: from tier to tier, or to the fallback and back. So each tier is looked
        // at twice, with the fallback between: no slot was away at the moment after the walks. A buffer of the fallback that was
        // held then is still counted; or it has gone to a slot before the count fell, which the second look sees: a head rises.
        let sum = |look: fn(&FreeList<'static>) -> Option<HeadWord>| {
            self.tiers.iter().try_fold(0, |sum: HeadWord, tier| Some(sum.wrapping_add(look(tier.list())?)))
        };
        let complete = sum(FreeList::complete);
        complete.is_some() && self.state.deferred.live() == 0 && complete == sum(|list| Some(list.head_now()))
    }

    /// Gives deferred buffers back to a fallback that may not free in an interrupt handler; returns how many. Every
    /// fallback allocation does it, too.
    ///
    /// Interrupt handler: no, unless the fallback allows it. Cost: one swap if there is anything to do.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default, fallback = &tierpool::Global; }
    /// drop(POOL.alloc(2000)?);
    /// assert_eq!(POOL.reclaim(), 1);
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    pub fn reclaim(&self) -> usize {
        self.fallback.map_or(0, |fallback| self.state.deferred.drain(fallback, self.align))
    }

    // ---- the way of a request

    /// The tiers from the smallest that fits upwards; empty if none does.
    #[inline(always)]
    pub(crate) fn fitting(&self, size: usize, align: usize) -> &'static [Tier] {
        let mut tiers = self.tiers;
        while let [tier, larger @ ..] = tiers {
            if tier.fits(size, align) {
                break;
            }
            tiers = larger;
        }
        tiers
    }

    /// Those of the tiers that fit which may serve a request: the first, and the next ones as far as it may be spilled.
    pub(crate) fn candidates(&self, fitting: &'static [Tier], size: usize, align: usize) -> impl Iterator<Item = &'static Tier> {
        fitting.iter().take(self.spill.saturating_add(1)).filter(move |tier| tier.fits(size, align))
    }

    /// A slot of the first tier. The ways below are apart, so that this one stays as short as its constants make it.
    #[inline(always)]
    pub(crate) fn take(&self, fitting: &'static [Tier], mark: u32) -> Option<(&'static Tier, u32)> {
        let tier = fitting.first()?;
        Some((tier, tier.take(mark)?))
    }

    /// Why none of the tiers that fit has served a request.
    #[inline(always)]
    pub(crate) fn failure(fitting: &[Tier]) -> AllocError {
        if fitting.is_empty() { AllocError::Oversized } else { AllocError::Exhausted }
    }

    /// A slot of a larger tier; counts the miss. What it returns fits into two registers, so that the way of those who
    /// need not come here does not lead through memory.
    ///
    /// A walk finds each tier empty at a moment of its own, and what is free may have moved meanwhile: back to a tier behind the
    /// walk, and away from one that the walk had yet to reach. So the tiers are walked again, until no head has risen from one
    /// walk to the next ([`FreeList::head_now`]). Then all were empty at the moment between the two.
    #[cold]
    #[inline(never)]
    pub(crate) fn take_spilled(&self, fitting: &'static [Tier], align: usize, mark: u32) -> Option<(&'static StateWord, &'static Tier)> {
        let Some(first) = fitting.first() else {
            self.state.oversized.bump();
            return None;
        };
        if self.spill == 0 {
            // The pop has answered for the only list.
            first.list().count_miss();
        } else {
            let may_serve = fitting.get(..=self.spill).unwrap_or(fitting);
            let (mut before, mut again) = (0, false);
            loop {
                let mut sum: HeadWord = 0;
                // Not `for`: so it is four bytes shorter on RV32, where each counts.
                let mut rest = may_serve;
                while let [tier, larger @ ..] = rest {
                    rest = larger;
                    // A larger tier may be less aligned.
                    if tier.fits(0, align) {
                        let head = loop {
                            if let Some(state) = tier.take_out_of_line(mark) {
                                return Some((state, tier));
                            }
                            // If not, a slot has just come back.
                            if let Some(head) = tier.list().empty_now() {
                                break head;
                            }
                        };
                        sum = sum.wrapping_add(head);
                        if !again {
                            tier.list().count_miss();
                        }
                    }
                }
                if again && sum == before {
                    break;
                }
                (before, again) = (sum, true);
            }
        }
        self.state.exhausted.bump();
        None
    }

    /// A slot of a larger tier, or a buffer of the fallback unless `mark` is sticky: the state word that counts the first
    /// handle, and the owner.
    #[cold]
    #[inline(never)]
    pub(crate) fn alloc_elsewhere(
        &'static self,
        roomy: usize,
        fitting: &'static [Tier],
        capacity: usize,
        mark: u32,
    ) -> Option<(NonNull<StateWord>, &'static Tier)> {
        if let Some((state, tier)) = self.take_spilled(fitting, 1, mark) {
            return Some((state.into(), tier));
        }
        if mark & STICKY != 0 { None } else { self.alloc_from_fallback(capacity, roomy) }
    }

    /// A buffer of the fallback, if there is one and it has memory.
    #[inline]
    pub(crate) fn alloc_from_fallback(&'static self, capacity: usize, roomy: usize) -> Option<(NonNull<StateWord>, &'static Tier)> {
        let control = fallback::allocate(&self.state.deferred, self.fallback?, capacity, roomy, self.align)?;
        self.state.fallbacks.bump();
        // The state word is the block's first field. Its owner is any tier: that leads back to the pool.
        // SAFETY: a pool has at least one tier, which `Config::check` sees to.
        Some((control.cast(), unsafe { self.tiers.first().unwrap_unchecked() }))
    }
}

/// What models ask for beside what everybody may.
#[cfg(loom)]
#[doc(hidden)]
impl Pool {
    /// As if the top bits of all counts and tags had flipped `flips` times, and did so again after `left` events.
    pub fn begin_before_flip(&self, flips: u32, left: u32) {
        let state = self.state;
        let counters = [&state.exhausted, &state.oversized, &state.fallbacks, &state.cached];
        counters.into_iter().for_each(|counter| counter.begin_before_flip(flips, left));
        self.tiers.iter().for_each(|tier| tier.list().begin_before_flip(flips, left));
    }

    /// Requests that the first tier has served.
    pub fn served(&self) -> u64 {
        self.tiers[0].list().served()
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pool ")?;
        f.debug_list().entries(self.tiers.iter().map(|tier| (tier.stride(), tier.list().slots()))).finish()
    }
}

// By hand, since nothing is known of a fallback's type: a panic in one costs its own memory at most (`Fallback`), and the
// words of a pool change by single atomic operations, so no panic leaves one half done.
impl UnwindSafe for Pool {}
impl RefUnwindSafe for Pool {}
