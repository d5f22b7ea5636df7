//! The places where tasks wait for buffers of a pool. The waiting itself is in `wait`.

use core::slice;

use crate::protocol::waker_cell::WakerCell;

/// The most places of one pool: a push that ends a wait looks at all of them.
#[cfg(not(loom))]
const MAX_WAITERS: usize = 1022;

/// Places for `N` tasks, at most 1022, to wait for buffers of a pool: how many may wait at once. `pool!` declares them by
/// `waiters = N`; pools made at run time get them from [`Config::waiters`](crate::Config::waiters).
///
/// All zero at start; three words a place. They contain atomics, so on a chip where these do not work in PSRAM they lie
/// in internal RAM.
///
/// ```
/// use tierpool::{Config, Pool, Waiters};
///
/// static WAITERS: Waiters<2> = Waiters::new();
/// let pool = Pool::leak(&Config::new(&[(64, 1)]).waiters(&WAITERS)).unwrap();
/// let waiting = pool.alloc_wait(64);
/// # drop(waiting);
/// ```
#[derive(Debug)]
pub struct Waiters<const N: usize> {
    cells: [WakerCell; N],
}

impl<const N: usize> Waiters<N> {
    /// `N` free places.
    ///
    /// Interrupt handler: yes. Cost: no atomic operation.
    #[cfg(not(loom))]
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        const { assert!(N <= MAX_WAITERS, "a pool has places for at most 1022 waiting tasks") };
        Waiters { cells: [const { WakerCell::new() }; N] }
    }

    /// As in other builds, but not `const`: loom's atomics register with the model.
    #[cfg(loom)]
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Waiters { cells: core::array::from_fn(|_| WakerCell::new()) }
    }

    pub(crate) const fn cells(&self) -> &[WakerCell] {
        &self.cells
    }
}

/// Wakes all who wait in `places`, also those behind a waker that panics.
pub(crate) fn wake_all(places: &[WakerCell]) {
    struct Rest<'p>(slice::Iter<'p, WakerCell>);
    impl Drop for Rest<'_> {
        fn drop(&mut self) {
            self.0.by_ref().for_each(WakerCell::wake);
        }
    }
    let mut rest = Rest(places.iter());
    rest.0.by_ref().for_each(WakerCell::wake);
}
