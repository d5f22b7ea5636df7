//! Waiting for a slot: how a waiter asks a pool to tell it, and which waiters the pool tells.
//!
//! ```text
//!   arm_free_notify ─► every tier that may serve the request: empty ─► armed         one of them is not: try again
//!                                                                       │ the next push
//!                                                                       ▼
//!                                            notify ─► all tasks that wait (`wait`), then the hook
//! ```

use core::alloc::Layout;

use crate::pool::Pool;

/// The hook that a free calls. Without the C interface it is one function, and as large as that.
#[derive(Clone, Copy, Debug)]
// Without padding, for `build_in_zeros`, and the tag at its start.
#[cfg_attr(feature = "c-hooks", repr(usize))]
pub(crate) enum FreeHook {
    Rust(fn(&'static Pool)),
    #[cfg(feature = "c-hooks")]
    C(extern "C" fn(&'static Pool)),
}

impl FreeHook {
    #[inline(always)]
    fn call(self, pool: &'static Pool) {
        match self {
            FreeHook::Rust(hook) => hook(pool),
            #[cfg(feature = "c-hooks")]
            FreeHook::C(hook) => hook(pool),
        }
    }
}

impl Pool {
    /// Asks for one call of the pool's `on_free` hook when a slot comes back that can serve
    /// `capacity` bytes.
    ///
    /// Call it after a failed allocation. If it returns `true`, the next such free will call the
    /// hook. If it returns `false`, a slot has come back meanwhile, so try again now. (It also
    /// returns `false` if there is nothing to wait for: no tier fits, or the pool has no hook.)
    /// After a request with an alignment, use [`arm_free_notify_for`](Self::arm_free_notify_for)
    /// with the same layout.
    ///
    /// The hook sees everything that the caller did before this call. So a waiter first notes which
    /// task is to be woken, and then arms. With `spill`, all tiers that may serve the request are
    /// armed, so the hook may be called once for each of them. Take a call as a hint to try again.
    ///
    /// With the feature `wait`, a buffer of the fallback that comes back calls the hook, too. It
    /// does so from this call on, so try once more after `true` if the pool has a fallback.
    ///
    /// Interrupt handler: yes. Cost: one compare-and-swap per tier. Frees pay nothing unless they
    /// wake.
    ///
    /// ```
    /// use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
    ///
    /// static WOKEN: AtomicU32 = AtomicU32::new(0);
    /// fn wake(_: &'static tierpool::Pool) {
    ///     WOKEN.fetch_add(1, Relaxed);
    /// }
    ///
    /// tierpool::pool! { static POOL = [64 x 1], on_free = wake; }
    /// let only = POOL.alloc(64)?;
    /// assert!(POOL.alloc(64).is_err() && POOL.arm_free_notify(64));
    /// drop(only);
    /// assert_eq!(WOKEN.load(Relaxed), 1);
    /// drop(POOL.alloc(64)?); // nobody waits: no call
    /// assert_eq!(WOKEN.load(Relaxed), 1);
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    pub fn arm_free_notify(&self, capacity: usize) -> bool {
        self.on_free.is_some() && self.arm(capacity, 1)
    }

    /// As [`arm_free_notify`](Self::arm_free_notify), for use after [`allocate`](Self::allocate).
    /// It asks for a slot that is as aligned as `layout` requires. If only other slots are free, it
    /// does not tell the caller to try again.
    ///
    /// Interrupt handler: yes. Cost: one compare-and-swap per tier.
    ///
    /// ```
    /// use core::alloc::Layout;
    /// use tierpool::{AllocError, Pool};
    ///
    /// fn wake(_: &'static Pool) {}
    /// tierpool::pool! { static POOL = [24 x 1, 64 x 1], spill = 1, on_free = wake; } // slots of 24 bytes are aligned to 8
    /// let layout = Layout::from_size_align(24, 16).unwrap();
    /// let only = POOL.allocate(layout)?;
    ///
    /// // Only `Exhausted` is worth a wait: no slot that comes back is less `Oversized`.
    /// while POOL.allocate(layout) == Err(AllocError::Exhausted) {
    ///     if POOL.arm_free_notify_for(layout) {
    ///         break; // to sleep until `wake` is called
    ///     }
    /// }
    /// assert!(!POOL.arm_free_notify(24), "24 bytes are free, though not aligned to 16");
    /// # let _ = only;
    /// # Ok::<(), AllocError>(())
    /// ```
    pub fn arm_free_notify_for(&self, layout: Layout) -> bool {
        self.on_free.is_some() && self.arm(layout.size(), layout.align())
    }

    /// Arms all tiers that may serve such a request. False if there is none, or if one of them has
    /// a free slot.
    pub(crate) fn arm(&self, size: usize, align: usize) -> bool {
        let mut candidates =
            self.candidates(self.tiers_fitting(size, align), size, align).peekable();
        let armed = candidates.peek().is_some() && candidates.all(|tier| tier.list().arm());
        #[cfg(feature = "wait")]
        if armed && self.fallback.is_some() {
            self.state.deferred.arm();
        }
        armed
    }

    /// Wakes all tasks that wait, and calls the hook. It also calls the hook if a waker panics. If
    /// not, a waiter behind the hook would sleep on.
    pub(crate) fn notify(&'static self) {
        struct Hook(&'static Pool);
        impl Drop for Hook {
            fn drop(&mut self) {
                if let Some(hook) = self.0.on_free {
                    hook.call(self.0);
                }
            }
        }
        let _hook = Hook(self);
        #[cfg(feature = "wait")]
        crate::pool::waiters::wake_all(self.waiters);
    }
}
