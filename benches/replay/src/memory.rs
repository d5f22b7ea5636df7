//! Where blocks come from: a heap, or a pool with that heap behind it, in equal memory.
//!
//! ```text
//!   alone        ├──────────────── heap ────────────────┤
//!   pool first   ├───── pool ─────┼──────── heap ───────┤   payload, 4 bytes a slot, 16 a tier count as the pool's
//! ```

use crate::heaps::{Heap, Locked, WORD};
use std::alloc::Layout;
use std::ptr::NonNull;
use tierpool::{BytesMut, Config, Pool};
use tierpool_traces::fit::Geometry;

/// A source of blocks.
pub trait Memory: Sync {
    type Block: Send;
    fn take(&self, size: usize) -> Option<Self::Block>;
    fn give(&self, block: Self::Block);
    /// Bytes free in the heap, and the largest block that it has.
    fn heap_free(&self) -> (usize, usize);
    /// Requests that the pool served.
    fn hits(&self) -> u64;
}

/// A heap alone.
pub struct Alone<H: 'static>(&'static Locked<H>);

/// A block of a heap, with the layout that gives it back. Programs know that from the type, so it
/// costs nothing.
pub struct HeapBlock(NonNull<u8>, Layout);

// SAFETY: the holder owns the memory.
unsafe impl Send for HeapBlock {}

impl<H: Heap> Alone<H> {
    pub fn leak(bytes: usize) -> Self {
        Alone(Locked::leak(bytes))
    }
}

impl<H: Heap> Memory for Alone<H> {
    type Block = HeapBlock;

    #[inline(always)]
    fn take(&self, size: usize) -> Option<HeapBlock> {
        let layout = Layout::from_size_align(size.max(1), WORD).ok()?;
        Some(HeapBlock(self.0.lock().take(layout)?, layout))
    }

    #[inline(always)]
    fn give(&self, HeapBlock(block, layout): HeapBlock) {
        // SAFETY: taken with this layout.
        unsafe { self.0.lock().give(block, layout) }
    }

    fn heap_free(&self) -> (usize, usize) {
        let mut heap = self.0.lock();
        (heap.free(), heap.largest())
    }

    fn hits(&self) -> u64 {
        0
    }
}

/// A pool whose fallback is a heap.
pub struct PoolFirst<H: 'static> {
    pool: &'static Pool,
    heap: &'static Locked<H>,
}

impl<H: Heap> PoolFirst<H> {
    /// `bytes` in all; none if the pool alone takes more.
    pub fn leak(geometry: &Geometry, bytes: usize) -> Option<Self> {
        let heap = Locked::leak(bytes.checked_sub(geometry.memory())?);
        let config = Config::new(&geometry.tiers).spill(geometry.spill).fallback(heap);
        let pool = Pool::leak(&config).expect("a geometry that was fitted");
        Some(PoolFirst { pool, heap })
    }
}

impl<H: Heap> Memory for PoolFirst<H> {
    type Block = BytesMut;

    #[inline(always)]
    fn take(&self, size: usize) -> Option<BytesMut> {
        self.pool.alloc(size).ok()
    }

    #[inline(always)]
    fn give(&self, block: BytesMut) {
        drop(block);
    }

    fn heap_free(&self) -> (usize, usize) {
        let mut heap = self.heap.lock();
        (heap.free(), heap.largest())
    }

    fn hits(&self) -> u64 {
        self.pool.stats().hits()
    }
}
