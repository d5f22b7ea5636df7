//! The words of a pool that belong to no tier: counters off the hot path, and the deferred list.

#[cfg(feature = "histogram")]
use crate::pool::histogram::SizeCounts;
use crate::protocol::atomics::const_unless_loom;
use crate::protocol::counter::Counter;
use crate::protocol::deferred::Deferred;
#[cfg(feature = "track")]
use crate::protocol::holder::Listed;

/// The words of a pool that belong to no tier. All are zero at start. They are touched only off the
/// hot path.
#[derive(Debug)]
pub(crate) struct PoolState {
    /// Requests that a tier fits, but that no tier served.
    pub(super) exhausted: Counter,
    /// Requests that no tier fits.
    pub(super) oversized: Counter,
    /// Requests that the fallback served.
    pub(super) fallbacks: Counter,
    /// Requests that caches have served and reported.
    pub(super) from_caches: Counter,
    /// Tries of waiting tasks that found nothing, beyond the first try of each wait.
    #[cfg(feature = "wait")]
    pub(super) retries: Counter,
    /// Blocks of allocators that have shrunk into a smaller slot.
    #[cfg(any(feature = "alloc", feature = "allocator-api2-02", feature = "allocator-api2-03"))]
    pub(super) moved: Counter,
    /// The fallback buffers that handles hold, and those that wait to be freed.
    pub(super) deferred: Deferred,
    /// The fallback buffers that handles hold, with their holders.
    #[cfg(feature = "track")]
    pub(super) listed: Listed,
    /// Requests by size.
    #[cfg(feature = "histogram")]
    pub(super) size_counts: SizeCounts,
}

#[cfg(all(
    target_pointer_width = "32",
    not(any(loom, shuttle, feature = "histogram", feature = "track"))
))]
const _: () = {
    let with_wait = if cfg!(feature = "wait") { 8 } else { 0 };
    let with_allocators = if cfg!(any(
        feature = "alloc",
        feature = "allocator-api2-02",
        feature = "allocator-api2-03"
    )) {
        8
    } else {
        0
    };
    assert!(
        size_of::<PoolState>() == 40 + with_wait + with_allocators,
        "bytes of metadata a pool, as documented"
    );
};

impl PoolState {
    const_unless_loom! {
        /// All counts are zero.
        pub(crate) fn new() -> Self {
            PoolState {
                exhausted: Counter::new(),
                oversized: Counter::new(),
                fallbacks: Counter::new(),
                from_caches: Counter::new(),
                #[cfg(feature = "wait")]
                retries: Counter::new(),
                #[cfg(any(feature = "alloc", feature = "allocator-api2-02", feature = "allocator-api2-03"))]
                moved: Counter::new(),
                deferred: Deferred::new(),
                #[cfg(feature = "track")]
                listed: Listed::new(),
                #[cfg(feature = "histogram")]
                size_counts: SizeCounts::new(),
            }
        }
    }
}
