//! Blocks: raw slots as allocators need them. They are found by their address, and can be resized.
//!
//! ```text
//!   resize ──┬─ shrinks, and a smaller tier has a free slot ──► moves down: a short block pins no large slot
//!            ├─ the slot still fits ───────────────────────────► stays
//!            └─ it does not ───────────────────────────────────► moves to where the caller says
//! ```
//!
//! A block may lie in a larger tier than its layout says: it was spilled there, or it has shrunk
//! and stayed where it was. So everything here uses the address. `deallocate_sized` uses the
//! layout.

use core::alloc::Layout;
use core::ptr::NonNull;

use crate::interop::unwinding::without_unwinding;
use crate::pool::Pool;
use crate::pool::tier::Tier;
use crate::protocol::slot_state::RAW;

impl Pool {
    /// The slot that starts at `pointer`, in a tier that fits `layout`. None if it is no slot of
    /// this pool.
    #[inline]
    pub(super) fn block(&self, pointer: NonNull<u8>, layout: Layout) -> Option<Block> {
        let mut fitting = self.tiers_fitting(layout.size(), layout.align()).iter();
        fitting.find_map(|tier| Some(Block { tier, index: tier.index_of(pointer.as_ptr())? }))
    }
}

/// The part of `Allocator` for a pool, once for all versions of that trait. A request for zero
/// bytes takes no slot, so a layout of size zero stands for no block at all. The result is None if
/// the pool has no memory.
#[cfg(any(feature = "allocator-api2-02", feature = "allocator-api2-03"))]
impl Pool {
    /// Allocates a block for `layout`.
    #[inline]
    pub(super) fn allocate_block(&'static self, layout: Layout) -> Option<NonNull<[u8]>> {
        if layout.size() == 0 {
            return Some(nothing(layout));
        }
        self.allocate(layout).ok()
    }

    /// Frees a block.
    ///
    /// # Safety
    /// `pointer` is a block of this pool for `layout`. The caller owns it, and gives it up.
    #[inline]
    pub(super) unsafe fn deallocate_block(&self, pointer: NonNull<u8>, layout: Layout) {
        if layout.size() > 0 {
            let block = self.block(pointer, layout);
            debug_assert!(block.is_some(), "{pointer:p} is no block of this pool for {layout:?}");
            // SAFETY: the caller promises it.
            block.map_or((), |block| unsafe { block.free() })
        }
    }

    /// Moves or keeps a block, so that it fits `new`. None if the pool has no memory: the block is
    /// then unchanged.
    ///
    /// # Safety
    /// `pointer` is a block of this pool for `old` that the caller owns. If this returns a block,
    /// the caller gives up the old one.
    pub(super) unsafe fn resize_block(
        &'static self,
        pointer: NonNull<u8>,
        old: Layout,
        new: Layout,
    ) -> Option<NonNull<[u8]>> {
        if old.size() == 0 {
            return self.allocate_block(new);
        }
        if new.size() == 0 {
            // SAFETY: the caller promises it.
            unsafe { self.deallocate_block(pointer, old) };
            return Some(nothing(new));
        }
        let block = self.block(pointer, old);
        debug_assert!(block.is_some(), "{pointer:p} is no block of this pool for {old:?}");
        // SAFETY: the caller promises it. A slot of `allocate` is as large as asked, and only this
        // call owns it.
        unsafe { block?.resize(old, new, || self.allocate(new).ok()) }
    }
}

/// The address of a block of no bytes: any multiple of its alignment.
#[cfg(any(feature = "allocator-api2-02", feature = "allocator-api2-03"))]
fn nothing(layout: Layout) -> NonNull<[u8]> {
    // SAFETY: an alignment is not 0. (`Layout::dangling_ptr` is younger than our oldest Rust.)
    let nowhere =
        unsafe { NonNull::new_unchecked(core::ptr::without_provenance_mut(layout.align())) };
    NonNull::slice_from_raw_parts(nowhere, 0)
}

/// A raw slot that an allocator has handed out.
#[derive(Clone, Copy)]
pub(super) struct Block {
    /// The tier of the slot.
    tier: &'static Tier,
    /// The index of the slot in its tier.
    index: u32,
}

impl Block {
    /// The memory of the slot.
    fn slot(self) -> NonNull<[u8]> {
        // SAFETY: `Pool::block` and `take` return indices of slots.
        unsafe { self.tier.whole_slot(self.index) }
    }

    /// Gives the slot back. It does not unwind: if the hook of the pool panics, the program stops.
    /// A global allocator must not unwind, and a collection would go on with the block that it was
    /// about to leave.
    ///
    /// # Safety
    /// The block is a raw allocation that the caller owns, and gives up.
    #[inline]
    pub(super) unsafe fn free(self) {
        // SAFETY: the caller promises it.
        without_unwinding(|| unsafe { self.tier.pool().free_raw(self.tier, self.index) })
    }

    /// Makes room for `new`, with as many bytes of the block as fit: see the picture above. None if
    /// `elsewhere` has no memory: the block is then unchanged.
    ///
    /// # Safety
    /// The block is a raw allocation for `old` that the caller owns. If this returns memory, the
    /// caller gives up the block. The memory of `elsewhere` has at least `new.size()` bytes, and
    /// only this call owns it.
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
        // SAFETY: both have that many bytes. They do not overlap, because only this call owns the
        // new one. The old bytes may be uninitialised, which an untyped copy allows. After the copy
        // nothing uses the old block.
        unsafe {
            to.cast::<u8>()
                .copy_from_nonoverlapping(self.slot().cast(), old.size().min(new.size()));
            self.free();
        }
        Some(to)
    }

    /// Takes a slot of the tier for `new`, if that tier is smaller and has one. This is no request:
    /// a slot is counted apart, and if there is none, that is no miss.
    fn smaller(self, old: Layout, new: Layout) -> Option<Block> {
        if new.size() >= old.size() {
            return None;
        }
        let pool = self.tier.pool();
        let fitting = pool.tiers_fitting(new.size(), new.align());
        if fitting.first()?.stride() >= self.tier.stride() {
            return None;
        }
        let (tier, index, _state) = pool.take(fitting, RAW)?;
        #[cfg(feature = "track")]
        tier.note_holder(_state);
        pool.count_moved(new.size());
        Some(Block { tier, index })
    }
}
