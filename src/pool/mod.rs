//! A pool: what it is made of. Its methods stand where their work is done.
//!
//! | methods | file |
//! |---|---|
//! | `alloc`, `alloc_pooled`, `alloc_with_headroom`, `zeroed`, `copy_…` | `buf/alloc` |
//! | `allocate`, `deallocate`, `deallocate_sized`, `from_raw`, `owns` | `raw` |
//! | `alloc_wait` | `wait` |
//! | `stats`, `histogram`, `is_idle`, `reclaim` | `pool/upkeep` |
//! | `arm_free_notify`, `arm_free_notify_for` | `pool/notify` |
//! | `from_static_parts`, `leak` | `pool/build` |
//! | none public: the way of a request through the tiers | `pool/request` |
//! | none public: blocks of allocators | `interop/block` |
//!
//! ```text
//!   build ──► Pool ──► tier ──► (protocol) free_list
//!     │        │ ▲       │
//!   config     │ └───────┘ a tier knows its pool, to notify it
//!              ├──► fallback ──► (protocol) deferred
//!              └──► pool_state, stats, histogram, waiters
//! ```
//!
//! [`Pool`] is immutable and holds no atomic: a static pool is a constant in `.rodata`, its heads and state words
//! are zeros in `.bss`. So `POOL.alloc(500)` with a constant length compiles to its tier's code: in the crate that
//! declares the pool, and elsewhere with link-time optimisation.

use core::fmt;
use core::num::NonZeroUsize;
use core::panic::{RefUnwindSafe, UnwindSafe};

use crate::pool::fallback::Fallback;
use crate::pool::pool_state::PoolState;
use crate::pool::tier::Tier;
use crate::protocol::slot_state::WIPE;
#[cfg(feature = "wait")]
use crate::protocol::waker_cell::WakerCell;

pub(crate) mod build;
pub(crate) mod config;
pub(crate) mod config_error;
pub(crate) mod fallback;
#[cfg(feature = "histogram")]
pub(crate) mod histogram;
#[cfg(feature = "lanes")]
pub(crate) mod lanes;
mod macros;
mod notify;
mod pool_state;
mod request;
pub(crate) mod stats;
pub(crate) mod tier;
mod upkeep;
#[cfg(feature = "wait")]
pub(crate) mod waiters;

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
    pub(crate) initial_state: u32,
    pub(crate) spill: usize,
    align: usize,
    headroom_align: usize,
    fallback: Option<&'static dyn Fallback>,
    pub(crate) on_free: Option<fn(&'static Pool)>,
    #[cfg(feature = "lanes")]
    lanes: lanes::Lanes,
    /// Where tasks wait for slots.
    #[cfg(feature = "wait")]
    pub(crate) waiters: &'static [WakerCell],
}

impl Pool {
    /// Counts requests that a cache has served.
    pub(crate) fn count_from_caches(&self, requests: u32) {
        self.state.from_caches.add(requests);
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
    #[cfg(any(feature = "alloc", feature = "allocator-api2-02", feature = "allocator-api2-03"))]
    pub(crate) fn count_moved(&self, _size: usize) {
        self.state.moved.bump();
        self.count_size(_size);
    }

    /// Lanes of each tier: so many descriptors of `tiers` follow each other for one size.
    #[inline(always)]
    pub(crate) const fn lane_count(&self) -> NonZeroUsize {
        #[cfg(feature = "lanes")]
        return self.lanes.count();
        #[cfg(not(feature = "lanes"))]
        NonZeroUsize::MIN
    }

    /// The lane in which a request begins.
    #[inline(always)]
    pub(crate) fn home(&self) -> usize {
        #[cfg(feature = "lanes")]
        return self.lanes.home();
        #[cfg(not(feature = "lanes"))]
        0
    }

    /// Bytes of the smallest slot that a request for `capacity` bytes would be served from, if any.
    pub(crate) fn slot_size_for(&self, capacity: usize) -> Option<usize> {
        self.tiers_fitting(capacity, 1).first().map(Tier::stride)
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

    /// Counts a request by its size, where the feature `histogram` asks for it.
    #[inline(always)]
    pub(crate) fn count_size(&self, _size: usize) {
        #[cfg(feature = "histogram")]
        self.state.size_counts.count(_size);
    }

    pub(crate) fn zero_on_free(&self) -> bool {
        self.initial_state & WIPE != 0
    }
}

/// What models ask for beside what everybody may.
#[cfg(loom)]
#[doc(hidden)]
impl Pool {
    /// As if the top bits of all counts and tags had flipped `flips` times, and did so again after `left` events.
    pub fn begin_before_flip(&self, flips: u32, left: u32) {
        let state = self.state;
        let counters = [&state.exhausted, &state.oversized, &state.fallbacks, &state.from_caches];
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
