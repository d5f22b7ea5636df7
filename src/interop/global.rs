//! [`PoolGlobalAlloc`]: a pool in front of another global allocator.
//!
//! ```text
//!              alloc ──► a tier of the pool ──► (none fits, or none is free) the fallback
//!   dealloc, realloc ──► by the address: the pool's slots are the pool's, all else is the fallback's
//! ```

use core::alloc::{GlobalAlloc, Layout};
use core::ptr::{self, NonNull};

use crate::interop::block::Block;
use crate::pool::Pool;

/// A global allocator that serves from a pool first, and from another allocator what the pool cannot: `String`, `Vec`
/// and `BTreeMap` as they are, without a lock and without fragmentation as long as the tiers fit.
///
/// The pool's hook and the wakers of its waiters are called inside of the allocator, which may be anywhere: they must not allocate, or
/// take a lock that is held while something is allocated or freed. A global allocator must not unwind: if the pool has a hook (`on_free`) or wakes a task, and that panics, the program stops.
///
/// ```
/// use std::alloc::System; // in firmware: its heap, such as `esp_alloc::EspHeap`
/// use tierpool::PoolGlobalAlloc;
///
/// tierpool::pool! {
///     /// Sized by what lives at once; see `NODE.stats()`.
///     static NODE = [16 x 256, 32 x 256, 64 x 256, 256 x 64, 1024 x 16], spill = 1;
/// }
///
/// #[global_allocator]
/// static ALLOCATOR: PoolGlobalAlloc<System> = PoolGlobalAlloc::new(&NODE, System);
///
/// let name = String::from("node 7");
/// assert!(NODE.owns(name.as_ptr()));
/// let image = vec![0_u8; 100_000];
/// assert!(!NODE.owns(image.as_ptr()), "more than a slot: from the fallback");
/// ```
///
/// # Growth
/// A block that grows or shrinks stays where it is while its slot fits: a `Vec` that grows from 33 to 64 bytes in a slot
/// of 64 copies nothing. One that shrinks moves down if a smaller tier has a free slot, so that a short string does not
/// pin a large slot. What has gone to the fallback once stays there.
///
/// # Which memory
/// Whatever the program allocates may come from the fallback, **also its atomics**: an `Arc` counts in the block that it
/// lives in. On chips whose PSRAM has no working atomics (ESP32, S2, S3) a fallback that reaches into PSRAM is therefore
/// not sound. So give it internal memory only (that is what a heap has unless a PSRAM region is added to it), and let
/// those parts of the program that want PSRAM say so: a pool with its payload there, or a collection with an allocator of
/// its own.
///
/// # In an interrupt handler
/// The pool's part may be called there, the fallback's part as far as that allocator allows it. Which of the two it is
/// depends on what is free, so rather use [`Pool::alloc_pooled`] there.
///
/// # Cost
/// One compare-and-swap for `alloc` and for `dealloc`; `dealloc` and `realloc` find the slot with one multiplication a
/// tier. What the pool cannot serve pays for the search, and for the fallback.
///
/// # A pool with a fallback of its own
/// The pool serves memory for this allocator by [`Pool::allocate`], which never turns to the pool's own
/// [`Fallback`](crate::Fallback). So this does not recurse even if that is [`GlobalHeap`](crate::GlobalHeap): handles of the same
/// pool then find their large buffers through this allocator.
#[derive(Clone, Copy, Debug)]
pub struct PoolGlobalAlloc<F> {
    pool: &'static Pool,
    fallback: F,
}

impl<F> PoolGlobalAlloc<F> {
    /// `pool` first, then `fallback`. All pointers that come back must have come from this pair.
    ///
    /// Interrupt handler: yes. Cost: no atomic operation.
    ///
    /// ```
    /// # use std::alloc::System;
    /// tierpool::pool! { static NODE = default; }
    /// static ALLOCATOR: tierpool::PoolGlobalAlloc<System> = tierpool::PoolGlobalAlloc::new(&NODE, System);
    /// ```
    pub const fn new(pool: &'static Pool, fallback: F) -> Self {
        PoolGlobalAlloc { pool, fallback }
    }

    /// The pool, for its statistics.
    ///
    /// Interrupt handler: yes. Cost: no atomic operation.
    ///
    /// ```
    /// # use std::alloc::System;
    /// # tierpool::pool! { static NODE = default; }
    /// # static ALLOCATOR: tierpool::PoolGlobalAlloc<System> = tierpool::PoolGlobalAlloc::new(&NODE, System);
    /// println!("{:#}", ALLOCATOR.pool().stats());
    /// ```
    pub const fn pool(&self) -> &'static Pool {
        self.pool
    }

    /// The allocator behind the pool.
    ///
    /// Interrupt handler: yes. Cost: no atomic operation.
    ///
    /// ```
    /// # use std::alloc::System;
    /// # tierpool::pool! { static NODE = default; }
    /// # static ALLOCATOR: tierpool::PoolGlobalAlloc<System> = tierpool::PoolGlobalAlloc::new(&NODE, System);
    /// let _: &System = ALLOCATOR.fallback(); // such as for its own statistics
    /// ```
    pub const fn fallback(&self) -> &F {
        &self.fallback
    }

    fn block(&self, pointer: *mut u8, layout: Layout) -> Option<Block> {
        self.pool.block(NonNull::new(pointer)?, layout)
    }
}

// SAFETY: a block is a slot that `allocate` has popped, which nobody else gets until it is freed, as large and aligned as
// asked; or it is the fallback's, and keeps its contract. The slots' addresses tell the two apart. Nothing here unwinds:
// `Block::free`, which may call the pool's hook, does not.
unsafe impl<F: GlobalAlloc> GlobalAlloc for PoolGlobalAlloc<F> {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match self.pool.allocate(layout) {
            Ok(slot) => slot.cast().as_ptr(),
            // SAFETY: the caller's promise.
            Err(_) => unsafe { self.fallback.alloc(layout) },
        }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        match self.pool.allocate(layout) {
            Ok(slot) => {
                let start = slot.cast::<u8>().as_ptr();
                // SAFETY: the slot has at least that many bytes.
                unsafe { start.write_bytes(0, layout.size()) };
                start
            }
            // SAFETY: the caller's promise.
            Err(_) => unsafe { self.fallback.alloc_zeroed(layout) },
        }
    }

    #[inline]
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        match self.block(pointer, layout) {
            // SAFETY: a slot's start is a pointer that `alloc` or `realloc` has returned; the caller gives it up.
            Some(block) => unsafe { block.free() },
            // SAFETY: what is not the pool's comes from the fallback.
            None => unsafe { self.fallback.dealloc(pointer, layout) },
        }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let Some(block) = self.block(pointer, layout) else {
            // SAFETY: what is not the pool's comes from the fallback.
            return unsafe { self.fallback.realloc(pointer, layout, new_size) };
        };
        // SAFETY: the caller's promise: the size is valid for the alignment.
        let new = unsafe { Layout::from_size_align_unchecked(new_size, layout.align()) };
        let elsewhere = || {
            // SAFETY: the caller's promise: the size is not zero.
            let memory = NonNull::new(unsafe { self.alloc(new) })?;
            Some(NonNull::slice_from_raw_parts(memory, new_size))
        };
        // SAFETY: as in `dealloc`; the block was allocated with this layout, or resized to it.
        unsafe { block.resize(layout, new, elsewhere) }.map_or(ptr::null_mut(), |memory| memory.cast().as_ptr())
    }
}
