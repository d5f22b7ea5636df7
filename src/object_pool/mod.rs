//! Typed objects on the same free list: packets, receipts, timers.
//!
//! ```text
//!   ObjectPool<T, N>   { head, states [N], objects [N] }     N slots in place, no payload region
//!   Object             { pool, index }  ── drop ──► T's destructor, then the push
//!
//!   alloc_uninit ──► Object of MaybeUninit<T> ── write, assume_init ──► Object of T
//! ```
//!
//! | file | what it has |
//! |---|---|
//! | here | the pool, and the one handle on a value |
//! | `shared` | several handles on one value |
//! | `recycle` | values that stay in their slots |
//! | `lanes` | a pool for each core |
//! | `traits` | the traits that a handle has because its value has them |

#[cfg(feature = "lanes")]
pub(crate) mod lanes;
pub(crate) mod recycle;
pub(crate) mod shared;
mod traits;

use core::cell::UnsafeCell;
use core::fmt;
use core::mem::{ManuallyDrop, MaybeUninit};
use core::ops::{Deref, DerefMut};
#[cfg(feature = "track")]
use core::panic::Location;
use core::panic::{RefUnwindSafe, UnwindSafe};
use core::ptr::{self, NonNull};

#[cfg(feature = "track")]
use crate::pool::held::{self, HeldBuffer, Holders};
use crate::pool::stats::TierStats;
#[cfg(feature = "wait")]
use crate::pool::waiters::{self, Waiters};
use crate::protocol::atomics::const_unless_loom;
use crate::protocol::free_list::{FreeList, Head, HeadCell, MAX_SLOTS};
use crate::protocol::slot_state::{StateCell, StateWord, UNIQUE_SLOT};
#[cfg(feature = "wait")]
use crate::protocol::waker_cell::WakerCell;

/// A lock-free pool of `N` (1 to 1022) values of type `T`.
///
/// It is a `const` value: put it in a static, or anywhere else. Handles borrow it. It contains
/// atomics. So on a chip whose PSRAM has no working atomics, it must lie in internal RAM.
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
///
/// `W` is the number of places for tasks that wait for a slot, with the feature `wait`. A pool
/// without places has none of their code.
// The layout of C: it is the same for `T` and `MaybeUninit<T>` (see `with_values_of`).
#[repr(C)]
pub struct ObjectPool<T, const N: usize, const W: usize = 0> {
    /// The head of the free list.
    head: HeadCell,
    /// The state word of each slot.
    states: [StateCell; N],
    /// The memory of the values. Only the slots that are in use hold one.
    objects: [UnsafeCell<MaybeUninit<T>>; N],
    /// The places in which tasks wait for a slot.
    #[cfg(feature = "wait")]
    waiters: Waiters<W>,
}

// SAFETY: the free list hands each object to one handle at a time, and passes it from thread to
// thread.
unsafe impl<T: Send, const N: usize, const W: usize> Sync for ObjectPool<T, N, W> {}

// Only its owner can reach an object, like the content of a box.
impl<T: UnwindSafe + RefUnwindSafe, const N: usize, const W: usize> RefUnwindSafe
    for ObjectPool<T, N, W>
{
}

impl<T, const N: usize> ObjectPool<T, N> {
    const_unless_loom! {
        /// Creates a pool without objects. All metadata is zero, so a static pool lies in `.bss`.
        ///
        /// A number of slots other than 1 to 1022 does not compile.
        ///
        /// Interrupt handler: yes. Cost: no atomic operation.
        #[allow(clippy::new_without_default)] // it has one, except under loom
        pub fn new() -> Self {
            Self::empty()
        }
    }
}

impl<T, const N: usize, const W: usize> ObjectPool<T, N, W> {
    const_unless_loom! {
        /// As [`new`](Self::new), with `W` places for tasks that wait, of three words each. `W` is at
        /// most 1022.
        ///
        /// Interrupt handler: yes. Cost: no atomic operation.
        ///
        /// ```
        /// static POOL: tierpool::ObjectPool<u32, 8, 2> = tierpool::ObjectPool::with_waiters();
        /// let value = POOL.alloc(7).unwrap();
        /// assert_eq!(*value, 7);
        /// ```
        #[cfg(feature = "wait")]
        pub fn with_waiters() -> Self {
            Self::empty()
        }
    }

    /// A pool without objects.
    #[cfg(not(loom))]
    pub(crate) const fn empty() -> Self {
        const { assert!(N >= 1 && N <= MAX_SLOTS, "an object pool has 1 to 1022 slots") };
        ObjectPool {
            head: HeadCell::new(Head::new()),
            states: [const { StateCell::new(StateWord::new(0)) }; N],
            objects: [const { UnsafeCell::new(MaybeUninit::uninit()) }; N],
            #[cfg(feature = "wait")]
            waiters: Waiters::new(),
        }
    }

    /// As in other builds, but not `const`: the atomics of loom register with the model.
    #[cfg(loom)]
    pub(crate) fn empty() -> Self {
        const { assert!(N >= 1 && N <= MAX_SLOTS, "an object pool has 1 to 1022 slots") };
        ObjectPool {
            head: HeadCell::new(Head::new()),
            states: core::array::from_fn(|_| StateCell::new(StateWord::new(0))),
            objects: [const { UnsafeCell::new(MaybeUninit::uninit()) }; N],
            #[cfg(feature = "wait")]
            waiters: Waiters::new(),
        }
    }

    /// Moves a value into the pool.
    ///
    /// The value is copied on its way, also if there is no slot. If that is too slow for a large
    /// value, make it in its slot: [`alloc_with`](Self::alloc_with),
    /// [`alloc_uninit`](Self::alloc_uninit).
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
    #[cfg_attr(feature = "track", track_caller)]
    pub fn alloc(&self, value: T) -> Result<Object<'_, T, N, W>, T> {
        // Not by `alloc_uninit`, which is five instructions longer on RV32.
        let Some((index, state)) = self.list().pop() else {
            self.list().count_miss();
            return Err(value);
        };
        let object = Object { pool: self, index };
        state.set_held(UNIQUE_SLOT);
        #[cfg(feature = "track")]
        self.note_holder(state);
        // SAFETY: the slot was popped, so it belongs to us alone, and it holds no value.
        unsafe { object.slot().write(value) };
        Ok(object)
    }

    /// Takes a slot, and then calls `make` for its value. If `make` panics, the slot goes back.
    ///
    /// An optimised build makes the value in its slot if all of `make` is compiled into the caller
    /// and cannot panic. Otherwise the value is copied, as by [`alloc`](Self::alloc).
    /// [`alloc_uninit`](Self::alloc_uninit) never copies.
    ///
    /// Interrupt handler: yes, if `make` may run there. Cost: one compare-and-swap, `make`.
    ///
    /// # Errors
    /// `make`, which has not been called, if all `N` slots are in use.
    ///
    /// ```
    /// static FRAMES: tierpool::ObjectPool<[u8; 1500], 1> = tierpool::ObjectPool::new();
    /// let frame = FRAMES.alloc_with(|| [0; 1500]).ok().unwrap();
    /// assert!(FRAMES.alloc_with(|| unreachable!("no slot is free")).is_err());
    /// assert_eq!(frame.len(), 1500);
    /// ```
    #[inline]
    #[cfg_attr(feature = "track", track_caller)]
    pub fn alloc_with<F: FnOnce() -> T>(&self, make: F) -> Result<Object<'_, T, N, W>, F> {
        match self.alloc_uninit() {
            Some(slot) => Ok(slot.write(make())),
            None => Err(make),
        }
    }

    /// Takes a slot without a value, like `Box::new_uninit`. Fill it in place, and turn it into an
    /// object by [`write`](Object::write) or [`assume_init`](Object::assume_init). If it is dropped
    /// before, the slot goes back, and no destructor of `T` is called. `None` if all `N` slots are
    /// in use.
    ///
    /// Interrupt handler: yes. Cost: one compare-and-swap.
    ///
    /// ```
    /// static FRAMES: tierpool::ObjectPool<[u8; 1500], 1> = tierpool::ObjectPool::new();
    /// let mut slot = FRAMES.alloc_uninit().unwrap();
    /// // A driver writes the frame through `slot.as_mut_ptr()`. Here:
    /// // SAFETY: the slot is as large as the value.
    /// unsafe { slot.as_mut_ptr().write_bytes(7, 1) };
    /// // SAFETY: all of it has been written.
    /// let frame = unsafe { slot.assume_init() };
    /// assert_eq!(*frame, [7; 1500]);
    /// ```
    #[inline]
    #[cfg_attr(feature = "track", track_caller)]
    pub fn alloc_uninit(&self) -> Option<Object<'_, MaybeUninit<T>, N, W>> {
        let Some(slot) = self.take() else {
            self.list().count_miss();
            return None;
        };
        Some(slot)
    }

    /// Turns a pointer from [`Object::into_raw`] into an object again.
    ///
    /// Interrupt handler: yes. Cost: no atomic operation; a division by the size of `T`.
    ///
    /// # Safety
    /// `value` comes from `into_raw` of an object of this pool. It has not been turned into an
    /// object since then, and the pointer is not used any more.
    ///
    /// ```
    /// static POOL: tierpool::ObjectPool<u32, 4> = tierpool::ObjectPool::new();
    /// let pointer = POOL.alloc(7).unwrap().into_raw(); // for C, or for a driver
    /// // SAFETY: from `into_raw`, once.
    /// let object = unsafe { POOL.from_raw(pointer) };
    /// assert_eq!(*object, 7);
    /// ```
    pub unsafe fn from_raw(&self, value: NonNull<T>) -> Object<'_, T, N, W> {
        const { assert!(size_of::<T>() > 0, "values of no size have no addresses of their own") };
        let offset = value.addr().get() - self.objects.as_ptr().addr();
        Object { pool: self, index: (offset / size_of::<T>()) as u32 }
    }

    /// A snapshot of the counts. `size` is the size of `T`.
    ///
    /// Interrupt handler: better not, because it scans all state words. Cost: up to four
    /// compare-and-swaps, or one if the pool does not change meanwhile.
    ///
    /// ```
    /// static POOL: tierpool::ObjectPool<u32, 4> = tierpool::ObjectPool::new();
    /// let held = POOL.alloc(1);
    /// assert_eq!((POOL.stats().in_use, POOL.stats().slots), (1, 4));
    /// ```
    pub fn stats(&self) -> TierStats {
        TierStats::read(size_of::<T>(), &self.list())
    }

    /// True if every slot is on the free list, as [`Pool::is_idle`](crate::Pool::is_idle).
    ///
    /// Interrupt handler: better not, because it walks the list. Cost: one compare-and-swap.
    ///
    /// ```
    /// static POOL: tierpool::ObjectPool<u32, 4> = tierpool::ObjectPool::new();
    /// assert!(POOL.is_idle());
    /// ```
    pub fn is_idle(&self) -> bool {
        self.list().is_complete()
    }

    /// The places in which tasks wait.
    #[cfg(feature = "wait")]
    pub(crate) const fn waiters(&self) -> &[WakerCell] {
        self.waiters.cells()
    }

    /// Panics unless the pool [is idle](Self::is_idle), and prints its statistics. For the end of a
    /// test: with the feature `track`, the message says who still holds the objects.
    ///
    /// Interrupt handler: no, because it may print. Cost: that of `is_idle`.
    ///
    /// ```should_panic
    /// static POOL: tierpool::ObjectPool<u64, 8> = tierpool::ObjectPool::new();
    /// let forgotten = POOL.alloc(1).unwrap();
    /// POOL.assert_idle();
    /// ```
    #[track_caller]
    pub fn assert_idle(&self) {
        assert!(self.is_idle(), "objects are still out\n{}{}", self.stats(), self.holders());
    }

    /// The objects that are out, see [`Pool::held`](crate::Pool::held).
    ///
    /// Interrupt handler: better not, because it scans all state words. Cost: four loads per slot
    /// that is held, one per other slot.
    ///
    /// ```
    /// static POOL: tierpool::ObjectPool<u64, 8> = tierpool::ObjectPool::new();
    /// let timer = POOL.alloc(1).unwrap();
    /// timer.mark(&"a timer");
    /// let held = POOL.held().next().unwrap();
    /// assert_eq!((held.slot, held.bytes, held.holder.to_string()), (0, 8, "a timer".into()));
    /// ```
    #[cfg(feature = "track")]
    pub fn held(&self) -> impl Iterator<Item = HeldBuffer> {
        held::of_list(self.list(), size_of::<T>(), None, 0)
    }

    /// Who holds the objects, as text: nothing without the feature `track`.
    fn holders(&self) -> impl fmt::Display {
        #[cfg(feature = "track")]
        return Holders::of(self.held());
        #[cfg(not(feature = "track"))]
        ""
    }

    /// Notes that the caller has just got the slot with this state word.
    #[cfg(feature = "track")]
    #[track_caller]
    fn note_holder(&self, state: &StateWord) {
        state.holder().begin(Location::caller(), self.list().served() as u32);
    }

    /// Takes a slot, and counts no miss if there is none.
    #[inline(always)]
    #[cfg_attr(feature = "track", track_caller)]
    pub(crate) fn take(&self) -> Option<Object<'_, MaybeUninit<T>, N, W>> {
        let (index, state) = self.list().pop()?;
        state.set_held(UNIQUE_SLOT);
        #[cfg(feature = "track")]
        self.note_holder(state);
        Some(Object { pool: self.with_values_of::<MaybeUninit<T>>(), index })
    }

    /// The same pool, as one of values of another type: `MaybeUninit<T>` instead of `T`, or the other
    /// way round.
    #[inline(always)]
    const fn with_values_of<U>(&self) -> &ObjectPool<U, N, W> {
        const {
            assert!(size_of::<T>() == size_of::<U>() && align_of::<T>() == align_of::<U>());
        }
        // SAFETY: the pool has the layout of C, and both types have one size and alignment. So its
        // words and slots lie where they did. A pool alone holds no value: `Object` says of which
        // type the value in its slot is.
        unsafe { &*ptr::from_ref(self).cast() }
    }

    /// The free list on the words of this pool.
    #[inline(always)]
    pub(crate) fn list(&self) -> FreeList<'_> {
        // SAFETY: the states belong to this head and live as long as the borrow. `new` has checked
        // N.
        unsafe { FreeList::new(&self.head, NonNull::from(&self.states).cast(), N) }
    }
}

#[cfg(not(loom))]
impl<T, const N: usize, const W: usize> Default for ObjectPool<T, N, W> {
    fn default() -> Self {
        Self::empty()
    }
}

impl<T, const N: usize, const W: usize> fmt::Debug for ObjectPool<T, N, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectPool").field("stats", &self.stats()).finish()
    }
}

/// A value in an [`ObjectPool`]. It derefs to the value. Its drop drops the value in place and
/// frees the slot, also if the destructor panics. Forgetting it (`core::mem::forget`) loses the
/// slot, and nothing else.
///
/// Interrupt handler: yes, if the destructor of `T` may run there. Cost of the drop: one
/// compare-and-swap.
pub struct Object<'p, T, const N: usize, const W: usize = 0> {
    /// The pool that gets the slot back.
    pool: &'p ObjectPool<T, N, W>,
    /// The index of the slot, below `N`.
    index: u32,
}

// SAFETY: an object is the only way to its value, like a `Box`. The pool reference leads only to a
// free list.
unsafe impl<T: Send, const N: usize, const W: usize> Send for Object<'_, T, N, W> {}
// SAFETY: as above. A shared reference to the object gives a shared reference to the value.
unsafe impl<T: Sync, const N: usize, const W: usize> Sync for Object<'_, T, N, W> {}

impl<'p, T, const N: usize, const W: usize> Object<'p, MaybeUninit<T>, N, W> {
    /// Moves a value into the slot.
    ///
    /// Interrupt handler: yes. Cost: no atomic operation, the move.
    ///
    /// ```
    /// static POOL: tierpool::ObjectPool<u32, 4> = tierpool::ObjectPool::new();
    /// let object = POOL.alloc_uninit().unwrap().write(7);
    /// assert_eq!(*object, 7);
    /// ```
    #[inline]
    pub fn write(mut self, value: T) -> Object<'p, T, N, W> {
        MaybeUninit::write(&mut self, value);
        // SAFETY: it has just been written.
        unsafe { self.assume_init() }
    }

    /// Turns the slot into an object. From now on its drop drops the value.
    ///
    /// Interrupt handler: yes. Cost: no atomic operation.
    ///
    /// # Safety
    /// The slot holds a value of type `T`: all of it has been written.
    ///
    /// ```
    /// static POOL: tierpool::ObjectPool<u32, 4> = tierpool::ObjectPool::new();
    /// let mut slot = POOL.alloc_uninit().unwrap();
    /// // SAFETY: the slot is this handle's alone.
    /// unsafe { slot.as_mut_ptr().write(7) };
    /// // SAFETY: it has just been written.
    /// assert_eq!(unsafe { *slot.assume_init() }, 7);
    /// ```
    #[inline]
    pub unsafe fn assume_init(self) -> Object<'p, T, N, W> {
        let slot = ManuallyDrop::new(self);
        Object { pool: slot.pool.with_values_of(), index: slot.index }
    }
}

impl<'p, T, const N: usize, const W: usize> Object<'p, T, N, W> {
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
        // SAFETY: the value is initialised. It is not dropped in place, because `object` is never
        // dropped.
        let value = unsafe { object.slot().read() };
        object.free();
        value
    }

    /// Turns the object into a pointer to its value, for C or for a driver. The value stays in its
    /// slot until [`ObjectPool::from_raw`] turns the pointer into an object again.
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
        // SAFETY: the address of a slot is not null.
        unsafe { NonNull::new_unchecked(object.slot()) }
    }

    /// With the feature `track`: says who holds the object from now on, in place of the code that
    /// has allocated it. Without the feature it does nothing.
    ///
    /// Interrupt handler: yes. Cost: one store, or nothing.
    ///
    /// ```
    /// static POOL: tierpool::ObjectPool<u64, 8> = tierpool::ObjectPool::new();
    /// let timer = POOL.alloc(1).unwrap();
    /// timer.mark(&"a timer");
    /// ```
    #[inline(always)]
    pub fn mark(&self, _text: &'static &'static str) {
        #[cfg(feature = "track")]
        self.state().holder().mark(_text);
    }

    /// Notes that the object was asked for at this place.
    #[cfg(all(feature = "track", feature = "wait"))]
    pub(crate) fn note_place(&self, place: &'static Location<'static>) {
        self.state().holder().begin(place, self.pool.list().served() as u32);
    }

    /// The state word of the slot.
    #[inline(always)]
    fn state(&self) -> &'p StateWord {
        // SAFETY: a popped index is a slot.
        unsafe { self.pool.list().state(self.index) }
    }

    /// The memory of the value.
    #[inline(always)]
    fn slot(&self) -> *mut T {
        self.state().touch_read();
        let objects: *const UnsafeCell<MaybeUninit<T>> = self.pool.objects.as_ptr();
        // SAFETY: a popped index is a slot.
        unsafe { UnsafeCell::raw_get(objects.add(self.index as usize)).cast() }
    }

    /// Pushes the slot, whose value is gone. It may be called at most once.
    #[inline(always)]
    fn free(&self) {
        self.state().touch_write();
        // SAFETY: the slot belongs to this object, which is not used any more.
        let pushed = unsafe { self.pool.list().push(self.index, self.index) };
        #[cfg(feature = "wait")]
        if W > 0 && !pushed {
            return self.free_to_waiter();
        }
        debug_assert!(pushed, "nothing arms this list");
    }

    /// As `free`, where a task has armed the list: wakes all who wait.
    #[cfg(feature = "wait")]
    #[cold]
    #[inline(never)]
    fn free_to_waiter(&self) {
        // SAFETY: the slot has not been pushed, so it still belongs to this object.
        if unsafe { self.pool.list().push_to_waiter(self.index, self.index) } {
            waiters::wake_all(self.pool.waiters());
        }
    }
}

impl<T, const N: usize, const W: usize> Deref for Object<'_, T, N, W> {
    type Target = T;
    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: the value is initialised, and this object is the only way to it.
        unsafe { &*self.slot() }
    }
}

impl<T, const N: usize, const W: usize> DerefMut for Object<'_, T, N, W> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        self.state().touch_write();
        // SAFETY: as above.
        unsafe { &mut *self.slot() }
    }
}

impl<T, const N: usize, const W: usize> Drop for Object<'_, T, N, W> {
    #[inline]
    fn drop(&mut self) {
        /// Frees the slot when the destructor has returned, and when it has panicked.
        struct Freed<'o, 'p, T, const N: usize, const W: usize>(&'o Object<'p, T, N, W>);
        impl<T, const N: usize, const W: usize> Drop for Freed<'_, '_, T, N, W> {
            #[inline(always)]
            fn drop(&mut self) {
                self.0.free();
            }
        }

        let freed = Freed(self);
        // SAFETY: the value is initialised, and nothing touches it after this.
        unsafe { freed.0.slot().drop_in_place() };
    }
}
