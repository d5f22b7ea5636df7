//! Objects in lanes: a pool for each core, and a request goes on to the others.
//!
//! ```text
//!   ObjectLanes<T, N, LANES>   lane 0: ObjectPool<T, N>     core 0 begins here    ┐ an empty lane: the request
//!                              lane 1: ObjectPool<T, N>     core 1 begins here    ┘ goes on to the other one
//! ```
//!
//! An object knows the lane that it came from, and goes back there.

use core::fmt;
use core::mem::MaybeUninit;

use crate::object_pool::{Object, ObjectPool};
#[cfg(feature = "track")]
use crate::pool::held::{HeldBuffer, Holders};
use crate::pool::lanes::{all_around, take_or_empty};
use crate::pool::stats::TierStats;
use crate::protocol::atomics::HeadWord;
use crate::protocol::free_list::all_complete;

/// A pool of values of type `T` with `LANES` (1 to 64) free lists of `N` (1 to 1022) slots each, so
/// that cores do not share a list.
///
/// A request names the lane in which it begins: the number of the core, or
/// [`thread_lane`](crate::thread_lane). Any number will do; a wrong one costs speed, and nothing
/// else. If its lane is empty, the request takes a slot of another lane.
///
/// ```
/// static RECEIPTS: tierpool::ObjectLanes<[u8; 16], 8, 2> = tierpool::ObjectLanes::new();
///
/// fn current_core() -> usize { 1 }
/// let receipt = RECEIPTS.alloc(current_core(), [7; 16]).unwrap();
/// assert_eq!((RECEIPTS.stats().slots, RECEIPTS.stats().in_use), (16, 1));
/// drop(receipt); // back in its lane
/// assert!(RECEIPTS.is_idle());
/// ```
pub struct ObjectLanes<T, const N: usize, const LANES: usize> {
    lanes: [ObjectPool<T, N>; LANES],
}

impl<T, const N: usize, const LANES: usize> ObjectLanes<T, N, LANES> {
    /// Creates a pool without objects. All metadata is zero, so a static pool lies in `.bss`.
    ///
    /// A number of lanes other than 1 to 64, or of slots other than 1 to 1022, does not compile.
    ///
    /// Interrupt handler: yes. Cost: no atomic operation.
    #[cfg(not(loom))]
    pub const fn new() -> Self {
        const { assert!(LANES >= 1 && LANES <= 64, "a pool has 1 to 64 lanes") };
        ObjectLanes { lanes: [const { ObjectPool::new() }; LANES] }
    }

    /// As in other builds, but not `const`.
    #[cfg(loom)]
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        const { assert!(LANES >= 1 && LANES <= 64, "a pool has 1 to 64 lanes") };
        ObjectLanes { lanes: core::array::from_fn(|_| ObjectPool::new()) }
    }

    /// As [`ObjectPool::alloc`]; the request begins in `lane`, modulo `LANES`.
    ///
    /// Interrupt handler: yes. Cost: one compare-and-swap, the move; if the lane is empty, a look
    /// at each other lane.
    ///
    /// # Errors
    /// The value, if all slots of all lanes were in use at one moment.
    ///
    /// ```
    /// static POOL: tierpool::ObjectLanes<u32, 1, 2> = tierpool::ObjectLanes::new();
    /// let (one, two) = (POOL.alloc(0, 1).unwrap(), POOL.alloc(0, 2).unwrap()); // of lane 1
    /// assert_eq!(POOL.alloc(0, 3).unwrap_err(), 3);
    /// assert_eq!((*one, *two), (1, 2));
    /// ```
    #[inline]
    #[cfg_attr(feature = "track", track_caller)]
    pub fn alloc(&self, lane: usize, value: T) -> Result<Object<'_, T, N>, T> {
        match self.alloc_uninit(lane) {
            Some(slot) => Ok(slot.write(value)),
            None => Err(value),
        }
    }

    /// As [`ObjectPool::alloc_uninit`]; the request begins in `lane`, modulo `LANES`. `None` if all
    /// slots of all lanes were in use at one moment.
    ///
    /// Interrupt handler: yes. Cost: one compare-and-swap; if the lane is empty, a look at each
    /// other lane.
    ///
    /// ```
    /// static POOL: tierpool::ObjectLanes<[u8; 1500], 4, 2> = tierpool::ObjectLanes::new();
    /// let frame = POOL.alloc_uninit(1).unwrap().write([0; 1500]);
    /// assert_eq!(frame.len(), 1500);
    /// ```
    #[inline]
    #[cfg_attr(feature = "track", track_caller)]
    pub fn alloc_uninit(&self, lane: usize) -> Option<Object<'_, MaybeUninit<T>, N>> {
        let home = lane % LANES;
        match self.lanes[home].take() {
            Some(slot) => Some(slot),
            None => self.take_all_around(home),
        }
    }

    /// Takes a slot of the first lane from `home` on that has one.
    ///
    /// The walks are repeated until no head has risen from one to the next, as in a pool with
    /// lanes: then all lanes were empty at one moment.
    #[cold]
    #[inline(never)]
    #[cfg_attr(feature = "track", track_caller)]
    fn take_all_around(&self, home: usize) -> Option<Object<'_, MaybeUninit<T>, N>> {
        let (mut before, mut again) = (0, false);
        loop {
            let mut sum: HeadWord = 0;
            for lane in all_around(&self.lanes, home) {
                match take_or_empty(&lane.list(), || lane.take()) {
                    Ok(slot) => {
                        // Not in the closure, which is not the caller's.
                        #[cfg(feature = "track")]
                        lane.note_holder(slot.state());
                        return Some(slot);
                    }
                    Err(head) => sum = sum.wrapping_add(head),
                }
            }
            if again && sum == before {
                self.lanes[home].list().count_miss();
                return None;
            }
            (before, again) = (sum, true);
        }
    }

    /// A snapshot of the counts of all lanes together, as [`ObjectPool::stats`]. The peak is an
    /// upper bound; *missed* counts the requests that found all lanes empty.
    ///
    /// Interrupt handler: better not, because it scans all state words twice. Cost: up to eight
    /// compare-and-swaps per lane.
    ///
    /// ```
    /// static POOL: tierpool::ObjectLanes<u32, 4, 2> = tierpool::ObjectLanes::new();
    /// let held = (POOL.alloc(0, 1), POOL.alloc(1, 2));
    /// assert_eq!((POOL.stats().in_use, POOL.stats().lanes), (2, 2));
    /// ```
    pub fn stats(&self) -> TierStats {
        let lists = self.lanes.iter().map(ObjectPool::list);
        match TierStats::read_lanes(size_of::<T>(), lists) {
            Some(stats) => stats,
            // There is at least one lane.
            None => self.lanes[0].stats(),
        }
    }

    /// True if, at one moment of this call, every slot was on its free list, as
    /// [`Pool::is_idle`](crate::Pool::is_idle).
    ///
    /// Interrupt handler: better not, because it walks the lists. Cost: one compare-and-swap per
    /// lane.
    ///
    /// ```
    /// static POOL: tierpool::ObjectLanes<u32, 4, 2> = tierpool::ObjectLanes::new();
    /// assert!(POOL.is_idle());
    /// ```
    pub fn is_idle(&self) -> bool {
        all_complete(self.lanes.iter().map(ObjectPool::list), || true)
    }

    /// Panics unless the pool [is idle](Self::is_idle), as
    /// [`ObjectPool::assert_idle`](crate::ObjectPool::assert_idle).
    ///
    /// Interrupt handler: no, because it may print. Cost: that of `is_idle`.
    #[track_caller]
    pub fn assert_idle(&self) {
        assert!(self.is_idle(), "objects are still out\n{}{}", self.stats(), self.holders());
    }

    /// The objects that are out, see [`Pool::held`](crate::Pool::held).
    ///
    /// Interrupt handler: better not, because it scans all state words. Cost: four loads per slot
    /// that is held, one per other slot.
    #[cfg(feature = "track")]
    pub fn held(&self) -> impl Iterator<Item = HeldBuffer> {
        let lanes = self.lanes.iter().enumerate();
        lanes.flat_map(|(lane, pool)| {
            pool.held().map(move |held| HeldBuffer { slot: lane * N + held.slot, ..held })
        })
    }

    /// Who holds the objects, as text: nothing without the feature `track`.
    fn holders(&self) -> impl fmt::Display {
        #[cfg(feature = "track")]
        return Holders::of(self.held());
        #[cfg(not(feature = "track"))]
        ""
    }
}

#[cfg(not(loom))]
impl<T, const N: usize, const LANES: usize> Default for ObjectLanes<T, N, LANES> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T, const N: usize, const LANES: usize> fmt::Debug for ObjectLanes<T, N, LANES> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectLanes").field("stats", &self.stats()).finish()
    }
}
