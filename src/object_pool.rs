//! Typed objects from the same free list: packets, receipts, timers.
//!
//! ```text
//!   ObjectPool<T, N>   { head, states [N], objects [N] }     N slots in place, no payload region
//!   Object             { pool, index }  ── drop ──► T's destructor, then the push
//! ```

use core::cell::UnsafeCell;
use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::mem::{ManuallyDrop, MaybeUninit};
use core::ops::{Deref, DerefMut};
use core::panic::{RefUnwindSafe, UnwindSafe};
use core::ptr::NonNull;

use crate::pool::stats::TierStats;
use crate::protocol::free_list::{FreeList, Head, HeadCell, MAX_SLOTS};
use crate::protocol::slot_state::{StateCell, StateWord, UNIQUE_SLOT};

/// A lock-free pool of `N` (1 to 1022) values of type `T`.
///
/// A `const` value: put it in a static, or anywhere; handles borrow it. It contains atomics, so on a chip where they
/// do not work in PSRAM it lies in internal RAM.
///
/// ```
/// struct Receipt {
///     hash: [u8; 16],
/// }
///
/// static RECEIPTS: tierpool::ObjectPool<Receipt, 8> = tierpool::ObjectPool::new();
///
/// let mut receipt = RECEIPTS.alloc(Receipt { hash: [0; 16] }).ok().unwrap();
/// receipt.hash[0] = 1;
/// drop(receipt); // back in the pool
/// assert_eq!(RECEIPTS.stats().in_use, 0);
/// ```
pub struct ObjectPool<T, const N: usize> {
    head: HeadCell,
    states: [StateCell; N],
    objects: [UnsafeCell<MaybeUninit<T>>; N],
}

// SAFETY: the free list hands each object to one handle at a time, and passes them from thread to thread.
unsafe impl<T: Send, const N: usize> Sync for ObjectPool<T, N> {}

// An object is reached by its owner alone, as a box's content.
impl<T: UnwindSafe + RefUnwindSafe, const N: usize> RefUnwindSafe for ObjectPool<T, N> {}

impl<T, const N: usize> ObjectPool<T, N> {
    /// An empty pool. All metadata is zero, so a static one lies in `.bss`.
    ///
    /// A number of slots other than 1 to 1022 does not compile.
    ///
    /// Interrupt handler: yes. Cost: no atomic operation.
    #[cfg(not(loom))]
    pub const fn new() -> Self {
        const { assert!(N >= 1 && N <= MAX_SLOTS, "an object pool has 1 to 1022 slots") };
        ObjectPool {
            head: HeadCell::new(Head::new()),
            states: [const { StateCell::new(StateWord::new(0)) }; N],
            objects: [const { UnsafeCell::new(MaybeUninit::uninit()) }; N],
        }
    }

    /// As in other builds, but not `const`: loom's atomics register with the model.
    #[cfg(loom)]
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        const { assert!(N >= 1 && N <= MAX_SLOTS, "an object pool has 1 to 1022 slots") };
        ObjectPool {
            head: HeadCell::new(Head::new()),
            states: core::array::from_fn(|_| StateCell::new(StateWord::new(0))),
            objects: [const { UnsafeCell::new(MaybeUninit::uninit()) }; N],
        }
    }

    /// Moves a value into the pool.
    ///
    /// Interrupt handler: yes. Cost: one compare-and-swap, the move.
    ///
    /// # Errors
    /// The value, if all `N` slots are in use.
    ///
    /// ```
    /// static POOL: tierpool::ObjectPool<u32, 1> = tierpool::ObjectPool::new();
    /// let one = POOL.alloc(1).unwrap();
    /// assert_eq!(POOL.alloc(2).unwrap_err(), 2);
    /// assert_eq!(*one, 1);
    /// ```
    #[inline]
    pub fn alloc(&self, value: T) -> Result<Object<'_, T, N>, T> {
        let Some(index) = self.list().pop() else {
            self.list().count_miss();
            return Err(value);
        };
        let object = Object { pool: self, index };
        object.state().set_held(UNIQUE_SLOT);
        // SAFETY: the slot was popped, so it is ours alone, and holds no value.
        unsafe { object.slot().write(value) };
        Ok(object)
    }

    /// The object that [`Object::into_raw`] has made a pointer.
    ///
    /// Interrupt handler: yes. Cost: no atomic operation; a division by the size of `T`.
    ///
    /// # Safety
    /// `value` comes from `into_raw` of an object of this pool, which has not been made an object since, and the pointer is
    /// not used any more.
    ///
    /// ```
    /// static POOL: tierpool::ObjectPool<u32, 4> = tierpool::ObjectPool::new();
    /// let pointer = POOL.alloc(7).unwrap().into_raw(); // for C, or for a driver
    /// // SAFETY: from `into_raw`, once.
    /// let object = unsafe { POOL.from_raw(pointer) };
    /// assert_eq!(*object, 7);
    /// ```
    pub unsafe fn from_raw(&self, value: NonNull<T>) -> Object<'_, T, N> {
        const { assert!(size_of::<T>() > 0, "values of no size have no addresses of their own") };
        let offset = value.addr().get() - self.objects.as_ptr().addr();
        Object { pool: self, index: (offset / size_of::<T>()) as u32 }
    }

    /// A snapshot of the counts; `size` is that of `T`.
    ///
    /// Interrupt handler: better not (it scans all state words). Cost: up to four compare-and-swaps, one if the pool rests.
    ///
    /// ```
    /// static POOL: tierpool::ObjectPool<u32, 4> = tierpool::ObjectPool::new();
    /// let held = POOL.alloc(1);
    /// assert_eq!((POOL.stats().in_use, POOL.stats().slots), (1, 4));
    /// ```
    pub fn stats(&self) -> TierStats {
        TierStats::read(size_of::<T>(), &self.list())
    }

    /// Every slot is on the free list. As [`Pool::is_idle`](crate::Pool::is_idle).
    ///
    /// Interrupt handler: better not (it walks the list). Cost: one compare-and-swap.
    ///
    /// ```
    /// static POOL: tierpool::ObjectPool<u32, 4> = tierpool::ObjectPool::new();
    /// assert!(POOL.is_idle());
    /// ```
    pub fn is_idle(&self) -> bool {
        self.list().is_complete()
    }

    #[inline(always)]
    fn list(&self) -> FreeList<'_> {
        // SAFETY: the states belong to this head and live as long as the borrow; N was checked by `new`.
        unsafe { FreeList::new(&self.head, NonNull::from(&self.states).cast(), N) }
    }
}

#[cfg(not(loom))]
impl<T, const N: usize> Default for ObjectPool<T, N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T, const N: usize> fmt::Debug for ObjectPool<T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectPool").field("stats", &self.stats()).finish()
    }
}

/// A value in an [`ObjectPool`]. It derefs to the value; dropping it drops the value in place and frees the slot,
/// also if the destructor panics. Forgetting it (`core::mem::forget`) loses the slot, and nothing else.
///
/// Interrupt handler: as far as `T`'s destructor may run there. Cost of the drop: one compare-and-swap.
pub struct Object<'p, T, const N: usize> {
    pool: &'p ObjectPool<T, N>,
    index: u32,
}

// SAFETY: an object is the only way to its value, as a `Box` is; the pool reference is to a free list only.
unsafe impl<T: Send, const N: usize> Send for Object<'_, T, N> {}
// SAFETY: as above: a shared reference to it gives a shared reference to the value.
unsafe impl<T: Sync, const N: usize> Sync for Object<'_, T, N> {}

impl<'p, T, const N: usize> Object<'p, T, N> {
    /// Moves the value out and frees the slot.
    ///
    /// Interrupt handler: yes. Cost: one compare-and-swap, the move.
    ///
    /// ```
    /// static POOL: tierpool::ObjectPool<String, 4> = tierpool::ObjectPool::new();
    /// let name = POOL.alloc(String::from("node")).unwrap();
    /// assert_eq!(name.into_inner(), "node");
    /// assert!(POOL.is_idle());
    /// ```
    pub fn into_inner(self) -> T {
        let object = ManuallyDrop::new(self);
        // SAFETY: the value is initialised, and is not dropped in place: `object` never is.
        let value = unsafe { object.slot().read() };
        object.free();
        value
    }

    /// The value as a pointer, for C or for a driver: it stays in its slot until [`ObjectPool::from_raw`] makes it an object again.
    ///
    /// Interrupt handler: yes. Cost: no atomic operation.
    ///
    /// ```
    /// static POOL: tierpool::ObjectPool<u32, 1> = tierpool::ObjectPool::new();
    /// let pointer = POOL.alloc(7).unwrap().into_raw();
    /// assert_eq!(POOL.stats().in_use, 1);
    /// // SAFETY: from `into_raw`, once.
    /// drop(unsafe { POOL.from_raw(pointer) });
    /// ```
    pub fn into_raw(self) -> NonNull<T> {
        const { assert!(size_of::<T>() > 0, "values of no size have no addresses of their own") };
        let object = ManuallyDrop::new(self);
        // SAFETY: a slot's address is not null.
        unsafe { NonNull::new_unchecked(object.slot()) }
    }

    #[inline(always)]
    fn state(&self) -> &'p StateWord {
        // SAFETY: a popped index is a slot.
        unsafe { self.pool.list().state(self.index) }
    }

    #[inline(always)]
    fn slot(&self) -> *mut T {
        self.state().touch_read();
        let objects: *const UnsafeCell<MaybeUninit<T>> = self.pool.objects.as_ptr();
        // SAFETY: a popped index is a slot.
        unsafe { UnsafeCell::raw_get(objects.add(self.index as usize)).cast() }
    }

    /// Pushes the slot, whose value is gone. At most once.
    #[inline(always)]
    fn free(&self) {
        self.state().touch_write();
        // SAFETY: the slot is this object's, which is used no more.
        let pushed = unsafe { self.pool.list().push(self.index, self.index) };
        debug_assert!(pushed, "nothing arms this list");
    }
}

impl<T, const N: usize> Deref for Object<'_, T, N> {
    type Target = T;
    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: the value is initialised, and this object is the only way to it.
        unsafe { &*self.slot() }
    }
}

impl<T, const N: usize> DerefMut for Object<'_, T, N> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        self.state().touch_write();
        // SAFETY: as above.
        unsafe { &mut *self.slot() }
    }
}

impl<T, const N: usize> Drop for Object<'_, T, N> {
    #[inline]
    fn drop(&mut self) {
        /// Frees the slot when the destructor has returned, and when it has panicked.
        struct Freed<'o, 'p, T, const N: usize>(&'o Object<'p, T, N>);
        impl<T, const N: usize> Drop for Freed<'_, '_, T, N> {
            #[inline(always)]
            fn drop(&mut self) {
                self.0.free();
            }
        }

        let freed = Freed(self);
        // SAFETY: the value is initialised, and nobody touches it afterwards.
        unsafe { freed.0.slot().drop_in_place() };
    }
}

impl<T: fmt::Debug, const N: usize> fmt::Debug for Object<'_, T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl<T: PartialEq, const N: usize> PartialEq for Object<'_, T, N> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: Eq, const N: usize> Eq for Object<'_, T, N> {}

impl<T: PartialOrd, const N: usize> PartialOrd for Object<'_, T, N> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (**self).partial_cmp(&**other)
    }
}

impl<T: Ord, const N: usize> Ord for Object<'_, T, N> {
    fn cmp(&self, other: &Self) -> Ordering {
        (**self).cmp(&**other)
    }
}

impl<T: Hash, const N: usize> Hash for Object<'_, T, N> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl<T: fmt::Display, const N: usize> fmt::Display for Object<'_, T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}

impl<T, const N: usize> AsRef<T> for Object<'_, T, N> {
    fn as_ref(&self) -> &T {
        self
    }
}

impl<T, const N: usize> AsMut<T> for Object<'_, T, N> {
    fn as_mut(&mut self) -> &mut T {
        self
    }
}
