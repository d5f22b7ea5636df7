//! Objects that keep their value: the next owner gets it as the last one left it.
//!
//! ```text
//!   new([value; N]) ──► all slots hold a value, from the start to the end of the pool
//!   request ──► Recycled ── drop ──► only the push: the value stays in its slot
//! ```
//!
//! Because all slots hold a value from the start, no slot needs a mark for it, and the protocol is
//! that of [`ObjectPool`].

use core::cell::UnsafeCell;
use core::fmt;
use core::mem::{ManuallyDrop, MaybeUninit};
use core::ops::{Deref, DerefMut};
use core::ptr;

use crate::object_pool::{Object, ObjectPool};
#[cfg(feature = "track")]
use crate::pool::held::HeldBuffer;
use crate::pool::stats::TierStats;
use crate::protocol::atomics::const_unless_loom;

/// A lock-free pool of `N` (1 to 1022) values of type `T` that are made once, and handed out as they
/// were left. Use it for values that are dear to set up: tables of a codec, a cipher with its key,
/// a large scratch buffer.
///
/// It is a `const` value, as [`ObjectPool`] is. The values are dropped when the pool is.
///
/// ```
/// use tierpool::RecyclePool;
///
/// struct Decoder {
///     table: [u32; 64],
///     frames: u32,
/// }
///
/// impl Decoder {
///     const fn new() -> Self {
///         Decoder { table: [0; 64], frames: 0 }
///     }
/// }
///
/// static DECODERS: RecyclePool<Decoder, 2> = RecyclePool::new([const { Decoder::new() }; 2]);
///
/// let mut decoder = DECODERS.request().unwrap();
/// decoder.table[0] = 7;
/// decoder.frames += 1;
/// drop(decoder); // back in the pool, and as it is
///
/// let decoder = DECODERS.request().unwrap(); // the one that came back last
/// assert_eq!((decoder.table[0], decoder.frames), (7, 1));
/// ```
///
/// A value that cannot be made in a constant is an `Option`, made by its first owner:
///
/// ```
/// static NAMES: tierpool::RecyclePool<Option<String>, 2> =
///     tierpool::RecyclePool::new([const { None }; 2]);
///
/// let mut name = NAMES.request().unwrap();
/// name.get_or_insert_with(|| String::with_capacity(64)).push_str("node");
/// ```
///
/// The values of a static pool lie in flash, too, unless all their bytes are zero.
pub struct RecyclePool<T, const N: usize, const W: usize = 0> {
    /// Every slot holds a value. A handle goes without dropping it.
    pub(crate) slots: ObjectPool<ManuallyDrop<T>, N, W>,
}

impl<T, const N: usize> RecyclePool<T, N> {
    const_unless_loom! {
        /// Creates a pool of these values.
        ///
        /// A number of values other than 1 to 1022 does not compile.
        ///
        /// Interrupt handler: yes. Cost: no atomic operation, the move.
        pub fn new(values: [T; N]) -> Self {
            Self::of(values)
        }
    }
}

impl<T, const N: usize, const W: usize> RecyclePool<T, N, W> {
    const_unless_loom! {
        /// As [`new`](Self::new), with `W` places for tasks that wait, as
        /// [`ObjectPool::with_waiters`].
        ///
        /// Interrupt handler: yes. Cost: no atomic operation, the move.
        ///
        /// ```
        /// use tierpool::RecyclePool;
        ///
        /// static POOL: RecyclePool<u32, 1, 2> = RecyclePool::with_waiters([7]);
        /// assert_eq!(*POOL.request().unwrap(), 7);
        /// ```
        #[cfg(feature = "wait")]
        pub fn with_waiters(values: [T; N]) -> Self {
            Self::of(values)
        }
    }

    const_unless_loom! {
        /// A pool of these values.
        fn of(values: [T; N]) -> Self {
            let values = ManuallyDrop::new(values);
            let same: *const [UnsafeCell<MaybeUninit<ManuallyDrop<T>>>; N] =
                ptr::from_ref(&values).cast();
            // SAFETY: the wrappers have the layout of what they wrap. `values` is not used any more,
            // and its drop does nothing.
            let objects = unsafe { same.read() };
            RecyclePool { slots: ObjectPool { objects, ..ObjectPool::empty() } }
        }
    }

    /// A value, as its last owner left it: that of the slot that came back last. `None` if all `N`
    /// are in use.
    ///
    /// Interrupt handler: yes. Cost: one compare-and-swap.
    ///
    /// ```
    /// static POOL: tierpool::RecyclePool<u32, 1> = tierpool::RecyclePool::new([7]);
    /// let mut value = POOL.request().unwrap();
    /// assert!(POOL.request().is_none());
    /// *value += 1;
    /// drop(value);
    /// assert_eq!(*POOL.request().unwrap(), 8);
    /// ```
    #[inline]
    #[cfg_attr(feature = "track", track_caller)]
    pub fn request(&self) -> Option<Recycled<'_, T, N, W>> {
        let slot = self.slots.alloc_uninit()?;
        // SAFETY: a slot of this pool.
        Some(unsafe { Recycled::of(slot) })
    }

    /// A snapshot of the counts, as [`ObjectPool::stats`].
    ///
    /// Interrupt handler: better not, because it scans all state words. Cost: up to four
    /// compare-and-swaps, or one if the pool does not change meanwhile.
    ///
    /// ```
    /// static POOL: tierpool::RecyclePool<u32, 4> = tierpool::RecyclePool::new([0; 4]);
    /// let held = POOL.request();
    /// assert_eq!((POOL.stats().in_use, POOL.stats().slots), (1, 4));
    /// ```
    pub fn stats(&self) -> TierStats {
        self.slots.stats()
    }

    /// True if every slot is on the free list, as [`ObjectPool::is_idle`].
    ///
    /// Interrupt handler: better not, because it walks the list. Cost: one compare-and-swap.
    ///
    /// ```
    /// static POOL: tierpool::RecyclePool<u32, 4> = tierpool::RecyclePool::new([0; 4]);
    /// assert!(POOL.is_idle());
    /// ```
    pub fn is_idle(&self) -> bool {
        self.slots.is_idle()
    }

    /// Panics unless the pool [is idle](Self::is_idle), as
    /// [`ObjectPool::assert_idle`](crate::ObjectPool::assert_idle).
    ///
    /// Interrupt handler: no, because it may print. Cost: that of `is_idle`.
    #[track_caller]
    pub fn assert_idle(&self) {
        self.slots.assert_idle();
    }

    /// The objects that are out, see [`Pool::held`](crate::Pool::held).
    ///
    /// Interrupt handler: better not, because it scans all state words. Cost: four loads per slot
    /// that is held, one per other slot.
    #[cfg(feature = "track")]
    pub fn held(&self) -> impl Iterator<Item = HeldBuffer> {
        self.slots.held()
    }
}

/// Drops all values, also those of handles that were forgotten.
impl<T, const N: usize, const W: usize> Drop for RecyclePool<T, N, W> {
    fn drop(&mut self) {
        let values: *mut [T; N] = self.slots.objects.as_mut_ptr().cast();
        // SAFETY: each slot holds a value, and the wrappers have its layout. Handles borrow the pool,
        // so none can be used any more.
        unsafe { values.drop_in_place() }
    }
}

impl<T, const N: usize, const W: usize> fmt::Debug for RecyclePool<T, N, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecyclePool").field("stats", &self.stats()).finish()
    }
}

/// A value of a [`RecyclePool`]. It derefs to the value. Its drop frees the slot, and the value stays
/// there as it is, also if a panic unwinds. Forgetting it (`core::mem::forget`) loses the slot, and
/// nothing else.
///
/// Interrupt handler: yes. Cost of the drop: one compare-and-swap.
pub struct Recycled<'p, T, const N: usize, const W: usize = 0>(Object<'p, ManuallyDrop<T>, N, W>);

impl<T, const N: usize, const W: usize> Recycled<'_, T, N, W> {
    /// Says who holds the object from now on, as [`Object::mark`](crate::Object::mark).
    ///
    /// Interrupt handler: yes. Cost: one store, or nothing.
    #[inline(always)]
    pub fn mark(&self, text: &'static &'static str) {
        self.0.mark(text);
    }
}

impl<'p, T, const N: usize, const W: usize> Recycled<'p, T, N, W> {
    /// The value in this slot.
    ///
    /// # Safety
    /// It is a slot of a [`RecyclePool`].
    #[inline(always)]
    pub(crate) unsafe fn of(slot: Object<'p, MaybeUninit<ManuallyDrop<T>>, N, W>) -> Self {
        // SAFETY: each slot has held a value since the pool was made. The Acquire of the pop, and
        // the Release of the push before it, show us what the last owner made of it.
        Recycled(unsafe { slot.assume_init() })
    }
}

impl<T, const N: usize, const W: usize> Deref for Recycled<'_, T, N, W> {
    type Target = T;
    #[inline(always)]
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T, const N: usize, const W: usize> DerefMut for Recycled<'_, T, N, W> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}
