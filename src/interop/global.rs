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

/// A global allocator that uses a pool first, and another allocator for the requests that the pool
/// cannot serve. `String`, `Vec` and `BTreeMap` work unchanged: without a lock and without
/// fragmentation, as long as the tiers fit.
///
/// The allocator calls the hook of the pool and the wakers of its waiters. This may happen anywhere
/// in the program. So they must not allocate, and must not take a lock that is held while something
/// is allocated or freed. A global allocator must not unwind: if the hook (`on_free`) or a waker
/// panics, the program stops.
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
/// A block that grows or shrinks stays where it is while its slot fits: a `Vec` that grows from 33
/// to 64 bytes in a slot of 64 bytes copies nothing. A block that shrinks moves down if a smaller
/// tier has a free slot, so that a short string does not keep a large slot in use. Memory that has
/// moved to the fallback stays there.
///
/// # Which memory
/// Any allocation of the program may come from the fallback, **also its atomics**: an `Arc` counts
/// in the block that it lives in. Chips such as ESP32, S2 and S3 have PSRAM without working
/// atomics. There, a fallback that hands out PSRAM is not sound. So give the fallback only internal
/// memory: a heap has only that, unless a PSRAM region is added to it. If a part of the program
/// needs PSRAM, it must ask for it: with a pool whose payload lies there, or with a collection that
/// has its own allocator.
///
/// # In an interrupt handler
/// The pool's part may be called there, and the fallback's part only if that allocator allows it.
/// Which of the two serves a request depends on what is free. So in an interrupt handler use
/// [`Pool::alloc_pooled`] instead.
///
/// # Cost
/// One compare-and-swap for `alloc` and one for `dealloc`. `dealloc` and `realloc` find the slot
/// with one multiplication per tier. If the pool cannot serve a request, the request pays for the
/// search, and for the fallback.
///
/// # A pool with a fallback of its own
/// The pool serves memory for this allocator by [`Pool::allocate`], which never asks the pool's own
/// [`Fallback`](crate::Fallback). So there is no recursion, even if that fallback is
/// [`GlobalHeap`](crate::GlobalHeap). Then the handles of the same pool get their large buffers
/// through this allocator.
#[derive(Clone, Copy, Debug)]
pub struct PoolGlobalAlloc<F> {
    /// The allocator that is asked first.
    pool: &'static Pool,
    /// The allocator for requests that the pool cannot serve.
    fallback: F,
}

impl<F> PoolGlobalAlloc<F> {
    /// Uses `pool` first, and then `fallback`. All pointers that it gets back must have come from
    /// this pair.
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

    /// The allocator for requests that the pool cannot serve.
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

    /// The slot at `pointer`, if it is a slot of the pool.
    fn block(&self, pointer: *mut u8, layout: Layout) -> Option<Block> {
        self.pool.block(NonNull::new(pointer)?, layout)
    }
}

// SAFETY: a block is a slot that `allocate` has popped, as large and as aligned as asked. Nothing
// else gets it until it is freed. Or it belongs to the fallback, and keeps the contract of the
// fallback. The addresses of the slots tell the two apart. Nothing here unwinds: `Block::free`,
// which may call the hook of the pool, does not.
unsafe impl<F: GlobalAlloc> GlobalAlloc for PoolGlobalAlloc<F> {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match self.pool.allocate(layout) {
            Ok(slot) => slot.cast().as_ptr(),
            // SAFETY: the caller promises it.
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
            // SAFETY: the caller promises it.
            Err(_) => unsafe { self.fallback.alloc_zeroed(layout) },
        }
    }

    #[inline]
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        match self.block(pointer, layout) {
            // SAFETY: the start of a slot is a pointer that `alloc` or `realloc` has returned. The
            // caller gives it up.
            Some(block) => unsafe { block.free() },
            // SAFETY: memory that is not the pool's comes from the fallback.
            None => unsafe { self.fallback.dealloc(pointer, layout) },
        }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let Some(block) = self.block(pointer, layout) else {
            // SAFETY: memory that is not the pool's comes from the fallback.
            return unsafe { self.fallback.realloc(pointer, layout, new_size) };
        };
        // SAFETY: the caller promises that the size is valid for the alignment.
        let new = unsafe { Layout::from_size_align_unchecked(new_size, layout.align()) };
        let elsewhere = || {
            // SAFETY: the caller promises that the size is not zero.
            let memory = NonNull::new(unsafe { self.alloc(new) })?;
            Some(NonNull::slice_from_raw_parts(memory, new_size))
        };
        // SAFETY: as in `dealloc`. The block was allocated with this layout, or resized to it.
        unsafe { block.resize(layout, new, elsewhere) }
            .map_or(ptr::null_mut(), |memory| memory.cast().as_ptr())
    }
}
