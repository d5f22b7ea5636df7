//! Blocks: raw slots as allocators need them, found by their address and resized.
//!
//! ```text
//!   resize ──┬─ shrinks, and a smaller tier has a free slot ──► moves down: a short block pins no large slot
//!            ├─ the slot still fits ───────────────────────────► stays
//!            └─ it does not ───────────────────────────────────► moves to where the caller says
//! ```
//!
//! A block may lie in a larger tier than its layout tells, since it was spilled there, or has shrunk where it was. So
//! all of this goes by the address, and not, as `deallocate_sized` does, by the layout.

use core::alloc::Layout;
use core::mem;
use core::ptr::NonNull;

use crate::pool::Pool;
use crate::pool::tier::Tier;
use crate::protocol::atomics::trap;
use crate::protocol::slot_state::RAW;

impl Pool {
    /// The slot that starts at `pointer`, of a tier that fits `layout`. None for what is not this pool's.
    #[inline]
    pub(super) fn block(&self, pointer: NonNull<u8>, layout: Layout) -> Option<Block> {
        let mut fitting = self.tiers_fitting(layout.size(), layout.align()).iter();
        fitting.find_map(|tier| Some(Block { tier, index: tier.index_of(pointer.as_ptr())? }))
    }
}

/// What `Allocator` asks of a pool, once for all versions of that trait. Nothing takes zero bytes of a slot, so a layout of
/// size zero stands for no block at all. None where the pool has no memory.
#[cfg(any(feature = "allocator-api2-02", feature = "allocator-api2-03"))]
impl Pool {
    #[inline]
    pub(super) fn allocate_block(&'static self, layout: Layout) -> Option<NonNull<[u8]>> {
        if layout.size() == 0 {
            return Some(nothing(layout));
        }
        self.allocate(layout).ok()
    }

    /// # Safety
    /// `pointer` is a block of this pool for `layout` that the caller owns, and gives up.
    #[inline]
    pub(super) unsafe fn deallocate_block(&self, pointer: NonNull<u8>, layout: Layout) {
        if layout.size() > 0 {
            let block = self.block(pointer, layout);
            debug_assert!(block.is_some(), "{pointer:p} is no block of this pool for {layout:?}");
            // SAFETY: the caller's promise.
            block.map_or((), |block| unsafe { block.free() })
        }
    }

    /// # Safety
    /// `pointer` is a block of this pool for `old` that the caller owns. It is given up for what is returned.
    pub(super) unsafe fn resize_block(&'static self, pointer: NonNull<u8>, old: Layout, new: Layout) -> Option<NonNull<[u8]>> {
        if old.size() == 0 {
            return self.allocate_block(new);
        }
        if new.size() == 0 {
            // SAFETY: the caller's promise.
            unsafe { self.deallocate_block(pointer, old) };
            return Some(nothing(new));
        }
        let block = self.block(pointer, old);
        debug_assert!(block.is_some(), "{pointer:p} is no block of this pool for {old:?}");
        // SAFETY: the caller's promise; a slot of `allocate` is as large as asked, and nobody else's.
        unsafe { block?.resize(old, new, || self.allocate(new).ok()) }
    }
}

/// Where a block of no bytes lies: anywhere on its alignment.
#[cfg(any(feature = "allocator-api2-02", feature = "allocator-api2-03"))]
fn nothing(layout: Layout) -> NonNull<[u8]> {
    NonNull::slice_from_raw_parts(layout.dangling_ptr(), 0)
}

/// A raw slot that an allocator has handed out.
#[derive(Clone, Copy)]
pub(super) struct Block {
    tier: &'static Tier,
    index: u32,
}

impl Block {
    fn slot(self) -> NonNull<[u8]> {
        // SAFETY: `Pool::block` and `take` return slots.
        unsafe { self.tier.whole_slot(self.index) }
    }

    /// Gives the slot back. Does not unwind: if the pool's hook panics, the program stops. A global allocator must not, and a
    /// collection would go on with the block that it was about to leave.
    ///
    /// # Safety
    /// The block is a raw allocation that the caller owns, and gives up.
    #[inline]
    pub(super) unsafe fn free(self) {
        // SAFETY: the caller's promise.
        without_unwinding(|| unsafe { self.tier.pool().free_raw(self.tier, self.index) })
    }

    /// Room for `new` with the bytes of the block, as far as they fit: see the picture above. None if `elsewhere` has
    /// none; the block is then unchanged.
    ///
    /// # Safety
    /// The block is a raw allocation for `old` that the caller owns. It is given up for what is returned. Memory of
    /// `elsewhere` has at least `new.size()` bytes, and is nobody else's.
    pub(super) unsafe fn resize(
        self,
        old: Layout,
        new: Layout,
        elsewhere: impl FnOnce() -> Option<NonNull<[u8]>>,
    ) -> Option<NonNull<[u8]>> {
        let to = match self.smaller(old, new) {
            Some(smaller) => smaller.slot(),
            None if self.tier.fits(new.size(), new.align()) => return Some(self.slot()),
            None => elsewhere()?,
        };
        // SAFETY: both have that many bytes, and do not overlap: the new one is nobody else's. The old bytes may be
        // uninitialised, which an untyped copy allows. Then nobody needs the old block.
        unsafe {
            to.cast::<u8>().copy_from_nonoverlapping(self.slot().cast(), old.size().min(new.size()));
            self.free();
        }
        Some(to)
    }

    /// A slot of the tier for `new`, if that is smaller and has one. Not a request: a slot is counted apart, and none is no miss.
    fn smaller(self, old: Layout, new: Layout) -> Option<Block> {
        if new.size() >= old.size() {
            return None;
        }
        let pool = self.tier.pool();
        let fitting = pool.tiers_fitting(new.size(), new.align());
        if fitting.first()?.stride() >= self.tier.stride() {
            return None;
        }
        let (tier, index) = pool.take(fitting, RAW)?;
        pool.count_moved(new.size());
        Some(Block { tier, index })
    }
}

/// Stops the program if `run` panics.
#[inline(always)]
fn without_unwinding(run: impl FnOnce()) {
    struct Unwinding;
    impl Drop for Unwinding {
        fn drop(&mut self) {
            trap()
        }
    }
    let unwinding = Unwinding;
    run();
    mem::forget(unwinding);
}
