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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heaps::Tlsf;
    use crate::run::{Threads, run};
    use std::mem::MaybeUninit;
    use tierpool_traces::Trace;

    /// A heap that counts what it is asked for.
    struct Counted {
        heap: Tlsf,
        allocations: u64,
    }

    impl Heap for Counted {
        const NAME: &'static str = "counted";

        fn on(memory: &'static mut [MaybeUninit<u8>]) -> Self {
            Counted { heap: Tlsf::on(memory), allocations: 0 }
        }

        fn take(&mut self, layout: Layout) -> Option<NonNull<u8>> {
            self.allocations += 1;
            self.heap.take(layout)
        }

        unsafe fn give(&mut self, block: NonNull<u8>, layout: Layout) {
            // SAFETY: the caller's promise.
            unsafe { self.heap.give(block, layout) }
        }

        fn free(&self) -> usize {
            self.heap.free()
        }
    }

    /// A buffer of the fallback is one block of the heap, so a pool never asks the heap for more
    /// blocks than a program without a pool.
    #[test]
    fn a_pool_asks_the_heap_for_no_more_blocks() {
        let (trace, bytes) = (Trace::reticulum_loopback(), 200_000);
        let alone = Alone::<Counted>::leak(bytes);
        assert_eq!(run(&alone, &trace, Threads::One).failed, 0);
        let geometry = Geometry { tiers: vec![(16, 40), (64, 40)], spill: 0 };
        let behind = PoolFirst::<Counted>::leak(&geometry, bytes).unwrap();
        assert_eq!(run(&behind, &trace, Threads::One).failed, 0);
        let (without, with) = (alone.0.lock().allocations, behind.heap.lock().allocations);
        assert!(behind.hits() > 0);
        assert_eq!(with + behind.hits(), without);
    }
}
