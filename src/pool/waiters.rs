//! The places in which tasks wait for buffers of a pool. How they wait is in `wait`.

use core::slice;

use crate::protocol::waker_cell::WakerCell;

/// The most places of one pool. A push that ends a wait looks at all of them.
#[cfg(not(loom))]
const MAX_WAITERS: usize = 1022;

/// Places in which up to `N` tasks, at most 1022, wait for buffers of a pool at the same time.
/// `pool!` declares them by `waiters = N`. A pool that is made at run time gets them from
/// [`Config::waiters`](crate::Config::waiters).
///
/// All words are zero at start. Each place takes three words. They contain atomics. So on a chip
/// whose PSRAM has no working atomics, they must lie in internal RAM.
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
    /// One place per task.
    cells: [WakerCell; N],
}

impl<const N: usize> Waiters<N> {
    /// Creates `N` free places.
    ///
    /// Interrupt handler: yes. Cost: no atomic operation.
    #[cfg(not(loom))]
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        const { assert!(N <= MAX_WAITERS, "a pool has places for at most 1022 waiting tasks") };
        Waiters { cells: [const { WakerCell::new() }; N] }
    }

    /// As in other builds, but not `const`: the atomics of loom register with the model.
    #[cfg(loom)]
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Waiters { cells: core::array::from_fn(|_| WakerCell::new()) }
    }

    /// The places.
    pub(crate) const fn cells(&self) -> &[WakerCell] {
        &self.cells
    }
}

/// Wakes all tasks that wait in `places`. If a waker panics, the tasks behind it are woken, too.
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
