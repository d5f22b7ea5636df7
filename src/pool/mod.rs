//! A pool: the parts that it is made of. Each of its methods stands in the file that does the work.
//!
//! | methods | file |
//! |---|---|
//! | `alloc`, `alloc_pooled`, `alloc_with_headroom`, `zeroed`, `copy_…` | `buf/alloc` |
//! | `alloc_chain` | `buf/chain_mut` |
//! | `allocate`, `allocate_reserved`, `deallocate`, `deallocate_sized`, `from_raw`, `owns` | `raw` |
//! | `alloc_wait` | `wait` |
//! | `stats`, `histogram`, `held`, `is_idle`, `assert_idle`, `reclaim` | `pool/upkeep` |
//! | `arm_free_notify`, `arm_free_notify_for` | `pool/notify` |
//! | `from_static_parts`, `leak` | `pool/build` |
//! | none public: how a request goes through the tiers | `pool/request` |
//! | none public: the blocks of allocators | `interop/block` |
//!
//! ```text
//!   build ──► Pool ──► tier ──► (protocol) free_list
//!     │        │ ▲       │
//!   config     │ └───────┘ a tier knows its pool, to notify it
//!              ├──► fallback ──► (protocol) deferred
//!              └──► pool_state, stats, histogram, waiters
//! ```
//!
//! [`Pool`] does not change, and holds no atomic. A static pool is a constant in `.rodata`. Its
//! heads and state words are zeros in `.bss`. So `POOL.alloc(500)` with a constant length compiles
//! to the code of one tier: in the crate that declares the pool, and elsewhere with link-time
//! optimisation.

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
#[cfg(all(feature = "c-hooks", not(any(loom, shuttle))))]
pub(crate) mod build_in_zeros;
pub(crate) mod config;
pub(crate) mod config_error;
pub(crate) mod fallback;
#[cfg(feature = "c-hooks")]
mod fallback_memory;
#[cfg(feature = "track")]
pub(crate) mod held;
#[cfg(feature = "histogram")]
pub(crate) mod histogram;
#[cfg(feature = "lanes")]
pub(crate) mod lanes;
mod layout;
mod macros;
mod notify;
mod poison;
mod pool_state;
mod request;
#[cfg(feature = "reserve")]
pub(crate) mod reserve;
pub(crate) mod stats;
pub(crate) mod stats_text;
pub(crate) mod tier;
mod upkeep;
#[cfg(feature = "wait")]
pub(crate) mod waiters;

/// A lock-free pool of byte buffers in up to 16 tiers of fixed sizes.
///
/// [`pool!`](crate::pool!) makes it (a static, without an init call), or [`Pool::leak`], or
/// [`Pool::from_static_parts`]. It lives for ever, so that handles are `'static` and may go
/// anywhere.
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
/// # Methods by purpose
/// | for | methods |
/// |---|---|
/// | a buffer | [`alloc`](Self::alloc), [`alloc_pooled`](Self::alloc_pooled), [`alloc_with_headroom`](Self::alloc_with_headroom), [`zeroed`](Self::zeroed), [`copy_from_slice`](Self::copy_from_slice), [`copy_with_headroom`](Self::copy_with_headroom), [`copy_from_iter`](Self::copy_from_iter), [`alloc_chain`](Self::alloc_chain) |
/// | what must get through | `alloc_reserved` (feature `reserve`) |
/// | a wait | `alloc_wait`, `alloc_wait_with_headroom` (feature `wait`), `alloc_timeout` (and `std`), [`arm_free_notify`](Self::arm_free_notify) |
/// | plain memory | [`allocate`](Self::allocate), [`deallocate`](Self::deallocate), [`deallocate_sized`](Self::deallocate_sized), [`from_raw`](Self::from_raw), [`owns`](Self::owns), [`slot_bytes`](Self::slot_bytes) |
/// | a look | [`stats`](Self::stats), [`free_slots`](Self::free_slots), [`reset_peak`](Self::reset_peak), [`is_idle`](Self::is_idle), [`assert_idle`](Self::assert_idle), `histogram` and `held` (features) |
/// | upkeep | [`reclaim`](Self::reclaim) |
/// | making one | [`from_static_parts`](Self::from_static_parts), `leak` (feature `alloc`) |
///
/// # What "exhausted" means
/// At one moment of the request, no tier that may serve it had a free slot. With `spill`, all these
/// tiers were empty at the same moment. This is linearizable. It is also true while another context
/// is suspended between its last use of a slot and the push. It may also mean "in caches": a slot
/// in a [`PoolCache`](crate::PoolCache) is free only for the owner of the cache.
///
/// # How far the tag protects
/// A free list tells an old head from a new one by a tag. The tag counts requests, and it wraps.
/// The list would be corrupted if three things happen together: a context is suspended within
/// `alloc`; meanwhile the others take *exactly* a multiple of 2^T slots of the tier; and then the
/// same slot is on top. On a 32-bit target, T is 22 (1022 slots) to 27 (16 slots). On a 64-bit
/// target, it is at least 54. At 4.8 million requests per second, 2^22 requests take 0.9 s, 2^27
/// take 28 s, and 2^54 take more than a century.
pub struct Pool {
    /// The tiers, by rising size: 1 to 16, each as its lanes.
    pub(crate) tiers: &'static [Tier],
    /// The reserves, by rising size. Their payloads lie behind those of the tiers, in the same
    /// order.
    #[cfg(feature = "reserve")]
    reserves: &'static [Tier],
    /// The hook: called when a plain request has found its tier empty.
    #[cfg(feature = "reserve")]
    on_low: Option<reserve::LowHook>,
    /// The words of the pool that change and belong to no tier.
    state: &'static PoolState,
    /// The initial state of a fresh slot that handles own.
    pub(crate) initial_state: u32,
    /// How many of the next larger tiers serve a request whose own tier is exhausted.
    pub(crate) spill: usize,
    /// The alignment of fallback buffers, in bytes: a power of two, at least that of a `u64`, at
    /// most 4096.
    align: usize,
    /// The alignment to which headroom is rounded up, in bytes: a power of two from 1 to 4096.
    headroom_align: usize,
    /// The heap for the requests that no tier can serve.
    fallback: Option<&'static dyn Fallback>,
    /// The hook: called when a slot has come back to a tier that is armed.
    pub(crate) on_free: Option<notify::FreeHook>,
    #[cfg(feature = "lanes")]
    lanes: lanes::Lanes,
    /// What the statistics call the pool.
    #[cfg(feature = "names")]
    name: Option<&'static str>,
    /// The places in which tasks wait for slots.
    #[cfg(feature = "wait")]
    pub(crate) waiters: &'static [WakerCell],
}

impl Pool {
    /// Counts requests that a cache has served.
    pub(crate) fn count_from_caches(&self, requests: u32) {
        self.state.from_caches.add(requests);
    }

    /// Counts the end of a wait that no tier has served.
    #[cfg(feature = "wait")]
    pub(crate) fn count_exhausted(&self) {
        self.state.exhausted.bump();
    }

    /// Counts a further try of a waiting task that has found nothing. The first try of a wait is
    /// not counted here.
    #[cfg(feature = "wait")]
    pub(crate) fn count_retry(&self) {
        self.state.retries.bump();
    }

    /// Counts a block that has shrunk into a slot of a smaller tier. `_size` is its new size in
    /// bytes.
    #[cfg(any(feature = "alloc", feature = "allocator-api2-02", feature = "allocator-api2-03"))]
    pub(crate) fn count_moved(&self, _size: usize) {
        self.state.moved.bump();
        self.count_size(_size);
    }

    /// The requests that the fallback has served.
    #[cfg(feature = "track")]
    pub(crate) fn fallbacks(&self) -> u64 {
        self.state.fallbacks.get()
    }

    /// The reserves, by rising size.
    #[inline(always)]
    pub(crate) fn reserves(&self) -> &'static [Tier] {
        #[cfg(feature = "reserve")]
        return self.reserves;
        #[cfg(not(feature = "reserve"))]
        &[]
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

    /// The bytes of the smallest slot that could serve a request for `capacity` bytes. None if no
    /// tier fits.
    pub(crate) fn slot_size_for(&self, capacity: usize) -> Option<usize> {
        self.tiers_fitting(capacity, 1).first().map(Tier::stride)
    }

    /// The bytes of a slot of the largest tier.
    pub(crate) fn largest_slot(&self) -> usize {
        self.tiers.last().map_or(0, Tier::stride)
    }

    /// The alignment to which headroom is rounded up, in bytes: a power of two.
    pub(crate) fn headroom_align(&self) -> usize {
        self.headroom_align
    }

    /// The headroom, rounded up. None if the sum overflows.
    pub(crate) fn rounded(&self, headroom: usize) -> Option<usize> {
        Some(headroom.checked_add(self.headroom_align - 1)? & !(self.headroom_align - 1))
    }

    /// Counts a request by its size, if the feature `histogram` is on.
    #[inline(always)]
    pub(crate) fn count_size(&self, _size: usize) {
        #[cfg(feature = "histogram")]
        self.state.size_counts.count(_size);
    }

    /// True if every buffer is wiped when it is freed.
    pub(crate) fn zero_on_free(&self) -> bool {
        self.initial_state & WIPE != 0
    }
}

/// Further methods for models.
#[cfg(loom)]
#[doc(hidden)]
impl Pool {
    /// Sets all counts and tags as if their top bits had flipped `flips` times. They flip again
    /// after `left` events.
    pub fn begin_before_flip(&self, flips: u32, left: u32) {
        let state = self.state;
        let counters = [&state.exhausted, &state.oversized, &state.fallbacks, &state.from_caches];
        counters.into_iter().for_each(|counter| counter.begin_before_flip(flips, left));
        self.tiers.iter().for_each(|tier| tier.list().begin_before_flip(flips, left));
    }

    /// The number of requests that the first tier has served.
    pub fn served(&self) -> u64 {
        self.tiers[0].list().served()
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pool ")?;
        f.debug_list()
            .entries(self.tiers.iter().map(|tier| (tier.stride(), tier.list().slots())))
            .finish()
    }
}

// The impls are written by hand, because the type of a fallback is not known. If a fallback panics,
// it loses at most its own memory (see `Fallback`). The words of a pool change by single atomic
// operations, so no panic leaves a change half done.
impl UnwindSafe for Pool {}
impl RefUnwindSafe for Pool {}
