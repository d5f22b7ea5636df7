//! An object that several handles share, like an `Arc`.
//!
//! ```text
//!   Object ── share ──► SharedObject ── clone ──► SharedObject     the count lies in the state word
//!      ▲                    │  └── get_mut, while it is the only one
//!      └── try_unwrap ──────┘
//!                           └── drop: the last one drops the value and frees the slot
//! ```
//!
//! A buffer counts its handles in the same word by the same functions. So the protocol has nothing
//! new here.

use core::mem::ManuallyDrop;
use core::ops::Deref;

use crate::object_pool::Object;

/// A value in an [`ObjectPool`](crate::ObjectPool) that several handles share, like the value of an
/// `Arc`. It derefs to the value. [`Object::share`] makes it. `clone` makes one handle more. The drop
/// of the last one drops the value in place and frees the slot, also if the destructor panics.
///
/// Interrupt handler: yes, if the destructor of `T` may run there. Cost of a clone: one atomic
/// addition; beyond 2^27 handles it traps. Cost of a drop: one atomic subtraction if there are other
/// handles, and one compare-and-swap if it frees.
///
/// ```
/// struct Route {
///     hops: u8,
/// }
///
/// static ROUTES: tierpool::ObjectPool<Route, 8> = tierpool::ObjectPool::new();
///
/// let route = ROUTES.alloc(Route { hops: 3 }).ok().unwrap().share();
/// let in_a_timer = route.clone();
/// drop(route);
/// assert_eq!(in_a_timer.hops, 3);
/// drop(in_a_timer); // back in the pool
/// assert!(ROUTES.is_idle());
/// ```
// The count of the state word says how many of these exist. The object inside is dropped by the
// last one.
pub struct SharedObject<'p, T, const N: usize, const W: usize = 0>(
    ManuallyDrop<Object<'p, T, N, W>>,
);

// SAFETY: as for `Arc`. A handle that goes to another thread gives it a shared reference to the
// value (`Sync`), and may be the last one, which drops the value or gives it out (`Send`).
unsafe impl<T: Send + Sync, const N: usize, const W: usize> Send for SharedObject<'_, T, N, W> {}
// SAFETY: as above. A shared reference to the handle can be cloned to a handle.
unsafe impl<T: Send + Sync, const N: usize, const W: usize> Sync for SharedObject<'_, T, N, W> {}

impl<'p, T, const N: usize, const W: usize> Object<'p, T, N, W> {
    /// Makes the value shareable. This only copies the words of the handle.
    ///
    /// Interrupt handler: yes. Cost: no atomic operation.
    ///
    /// ```
    /// static POOL: tierpool::ObjectPool<u32, 4> = tierpool::ObjectPool::new();
    /// let one = POOL.alloc(7).unwrap().share();
    /// let two = one.clone();
    /// assert_eq!((*one, POOL.stats().in_use), (*two, 1));
    /// ```
    #[inline]
    pub fn share(self) -> SharedObject<'p, T, N, W> {
        // The state word of an object counts one handle.
        SharedObject(ManuallyDrop::new(self))
    }
}

impl<'p, T, const N: usize, const W: usize> SharedObject<'p, T, N, W> {
    /// The value, to change it. `None` while other handles exist.
    ///
    /// Interrupt handler: yes. Cost: no read-modify-write.
    ///
    /// ```
    /// static POOL: tierpool::ObjectPool<u32, 4> = tierpool::ObjectPool::new();
    /// let mut one = POOL.alloc(7).unwrap().share();
    /// let two = one.clone();
    /// assert!(one.get_mut().is_none());
    /// drop(two);
    /// *one.get_mut().unwrap() = 8;
    /// assert_eq!(*one, 8);
    /// ```
    #[inline]
    pub fn get_mut(&mut self) -> Option<&mut T> {
        // There are no weak handles. So nobody can clone while we hold the only one.
        self.0.state().is_unique().then(|| &mut **self.0)
    }

    /// Says who holds the object from now on, as [`Object::mark`](crate::Object::mark).
    ///
    /// Interrupt handler: yes. Cost: one store, or nothing.
    #[inline(always)]
    pub fn mark(&self, text: &'static &'static str) {
        self.0.mark(text);
    }

    /// Turns the only handle into an object again.
    ///
    /// If several contexts call this for one value at once, then each of them may find the others,
    /// and all get an error. The value is lost for none of them.
    ///
    /// Interrupt handler: yes. Cost: no read-modify-write.
    ///
    /// # Errors
    /// The handle itself, while other handles exist.
    ///
    /// ```
    /// static POOL: tierpool::ObjectPool<String, 4> = tierpool::ObjectPool::new();
    /// let one = POOL.alloc(String::from("node")).unwrap().share();
    /// let two = one.clone();
    /// let one = one.try_unwrap().unwrap_err(); // `two` exists
    /// drop(two);
    /// assert_eq!(one.try_unwrap().unwrap().into_inner(), "node");
    /// ```
    #[inline]
    pub fn try_unwrap(self) -> Result<Object<'p, T, N, W>, Self> {
        if !self.0.state().is_unique() {
            return Err(self);
        }
        let mut last = ManuallyDrop::new(self);
        // SAFETY: `last` is not used any more, and its drop does not run. The state word counts the
        // one handle that the object is.
        Ok(unsafe { ManuallyDrop::take(&mut last.0) })
    }
}

impl<T, const N: usize, const W: usize> Clone for SharedObject<'_, T, N, W> {
    #[inline]
    fn clone(&self) -> Self {
        self.0.state().retain();
        let Object { pool, index } = *self.0;
        SharedObject(ManuallyDrop::new(Object { pool, index }))
    }
}

impl<T, const N: usize, const W: usize> Deref for SharedObject<'_, T, N, W> {
    type Target = T;
    #[inline(always)]
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T, const N: usize, const W: usize> Drop for SharedObject<'_, T, N, W> {
    #[inline]
    fn drop(&mut self) {
        let state = self.0.state();
        if state.release(state.value()).is_some() {
            // SAFETY: this was the last handle, so the object is the only way to its value. It is
            // not used after this.
            unsafe { ManuallyDrop::drop(&mut self.0) }
        }
    }
}
