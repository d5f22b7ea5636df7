//! The raw layer: slots as plain memory, for allocators, drivers and C.
//!
//! ```text
//!   allocate ──► pointer ──┬─ deallocate         finds the slot by its address, claims it: of two frees one wins
//!      ▲                   ├─ deallocate_sized   finds the tier by the layout: no check
//!   into_raw ◄── handle ◄──┴─ from_raw
//! ```

use core::alloc::Layout;
use core::ptr::NonNull;

use crate::buf::bytes_mut::BytesMut;
use crate::buf::handle::Handle;
use crate::error::{AllocError, FreeError};
use crate::pool::Pool;
use crate::pool::tier::Tier;
use crate::protocol::slot_state::RAW;

impl Pool {
    /// Allocates a raw slot for `layout`. It is a whole slot, so it may be longer than asked for. A
    /// layout of 0 bytes gets a slot, too. It never comes from the fallback. If the pointer is not
    /// given back, its slot is lost.
    ///
    /// Interrupt handler: yes. Cost: one compare-and-swap.
    ///
    /// # Errors
    /// [`AllocError::Exhausted`]. [`AllocError::Oversized`], also if no slot is aligned as `layout`
    /// asks.
    ///
    /// ```
    /// use core::alloc::Layout;
    ///
    /// tierpool::pool! { static POOL = default; }
    /// let slot = POOL.allocate(Layout::new::<[u32; 100]>())?;
    /// assert_eq!(slot.len(), 512);
    /// // SAFETY: the slot is not used any more.
    /// unsafe { POOL.deallocate(slot.cast()) }.unwrap();
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[inline]
    #[cfg_attr(feature = "track", track_caller)]
    pub fn allocate(&'static self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
        self.count_size(layout.size());
        let fitting = self.tiers_fitting(layout.size(), layout.align());
        if let Some((tier, index, _state)) = self.take(fitting, RAW) {
            #[cfg(feature = "track")]
            tier.note_holder(_state);
            // SAFETY: the index was just popped.
            return Ok(unsafe { tier.whole_slot(index) });
        }
        let (state, tier) = self
            .take_elsewhere(fitting, layout.align(), RAW)
            .ok_or(Self::exhausted_or_oversized(fitting))?;
        #[cfg(feature = "track")]
        tier.note_holder(state);
        // SAFETY: it is the state word of a slot of this tier.
        Ok(unsafe { tier.whole_slot(tier.index_of_state(state.into())) })
    }

    /// As [`allocate`](Self::allocate), but takes a reserved slot where the plain ones are used up,
    /// as [`alloc_reserved`](Self::alloc_reserved) does.
    ///
    /// Interrupt handler: yes. Cost: two compare-and-swaps.
    ///
    /// # Errors
    /// As for [`allocate`](Self::allocate).
    ///
    /// ```
    /// use core::alloc::Layout;
    ///
    /// tierpool::pool! { static TX = [64 x 1 + 1]; }
    /// let layout = Layout::new::<[u32; 16]>();
    /// let parked = TX.alloc(64)?;
    /// assert!(TX.allocate(layout).is_err());
    /// let slot = TX.allocate_reserved(layout)?;
    /// // SAFETY: the slot is not used any more.
    /// unsafe { TX.deallocate(slot.cast()) }.unwrap();
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[cfg(feature = "reserve")]
    #[cfg_attr(feature = "track", track_caller)]
    pub fn allocate_reserved(&'static self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
        // A handle first, which its drop gives back if a hook panics. It is of a slot, and alone,
        // so it becomes a raw one.
        let reserved = self.plain_or_reserved(layout.size(), layout.align());
        match reserved.and_then(|buffer| buffer.into_raw().ok()) {
            Some(slot) => Ok(slot),
            None => self.allocate(layout),
        }
    }

    /// Gives a raw slot back. It finds and checks the slot only by its address.
    ///
    /// Interrupt handler: yes. Cost: two compare-and-swaps.
    ///
    /// # Errors
    /// [`FreeError::Foreign`], [`FreeError::Interior`], [`FreeError::NotAllocated`]. The pool is
    /// intact and unchanged.
    ///
    /// If one allocation is freed twice, exactly one of the two frees succeeds, also if they race.
    /// This holds only until the slot is handed out again. If the new owner holds a raw allocation,
    /// a late second free takes the slot from it. If handles own the slot, a late second free is an
    /// error.
    ///
    /// # Safety
    /// If `pointer` is a raw allocation of this pool, the caller owns it, and nothing uses it any
    /// more.
    ///
    /// ```
    /// # use core::alloc::Layout;
    /// tierpool::pool! { static POOL = default; }
    /// let slot = POOL.allocate(Layout::new::<u64>())?.cast::<u8>();
    /// // SAFETY: the slot is not used any more.
    /// unsafe { POOL.deallocate(slot) }.unwrap();
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[inline]
    pub unsafe fn deallocate(&'static self, pointer: NonNull<u8>) -> Result<(), FreeError> {
        let (tier, index) = self.find(pointer)?;
        // SAFETY: `index_of` returns indices of slots.
        if !unsafe { tier.list().state(index) }.claim_raw_for_free() {
            return Err(FreeError::NotAllocated);
        }
        // SAFETY: after the claim, only this context owns the slot.
        unsafe { self.free_raw(tier, index) };
        Ok(())
    }

    /// Gives a raw slot back. It finds the slot by the layout of its allocation, and has no check
    /// but a debug assertion.
    ///
    /// Interrupt handler: yes. Cost: one compare-and-swap.
    ///
    /// # Safety
    /// `pointer` comes from [`allocate`](Self::allocate) of this pool with the same `layout`, or
    /// from `allocate_reserved`. It has not been given back, and nothing uses it any more.
    ///
    /// ```
    /// # use core::alloc::Layout;
    /// tierpool::pool! { static POOL = default; }
    /// let layout = Layout::new::<[u8; 300]>();
    /// let slot = POOL.allocate(layout)?;
    /// // SAFETY: the same layout; the slot is not used any more.
    /// unsafe { POOL.deallocate_sized(slot.cast(), layout) };
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[inline]
    pub unsafe fn deallocate_sized(&'static self, pointer: NonNull<u8>, layout: Layout) {
        let pointer = pointer.as_ptr();
        // A handle on a reserved slot may have become a raw one.
        let only_one =
            self.spill == 0 && self.lane_count().get() == 1 && self.reserves().is_empty();
        let fitting = self.tiers_fitting(layout.size(), layout.align());
        for tier in fitting.iter().chain(self.reserves()) {
            if only_one || tier.contains(pointer) {
                let index = tier.index_of(pointer);
                debug_assert!(index.is_some(), "not a slot of the tier of {layout:?}");
                // SAFETY: the caller promises that it is a slot of this tier.
                let index = unsafe { index.unwrap_unchecked() };
                // SAFETY: the caller promises it, and gives the slot up.
                unsafe { self.free_raw(tier, index) };
                return;
            }
        }
        debug_assert!(false, "no tier serves {layout:?}");
    }

    /// Turns a raw slot into a handle of length 0, whose capacity is the whole slot. This is the
    /// inverse of [`BytesMut::into_raw`].
    ///
    /// Interrupt handler: yes. Cost: one compare-and-swap.
    ///
    /// # Errors
    /// As for [`deallocate`](Self::deallocate).
    ///
    /// # Safety
    /// If `pointer` is a raw allocation of this pool, the caller owns it, and does not use the
    /// pointer any more.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// let slot = POOL.copy_from_slice(b"for a driver")?.into_raw().unwrap();
    /// // SAFETY: the pointer is not used any more.
    /// let mut buffer = unsafe { POOL.from_raw(slot.cast()) }.unwrap();
    /// // SAFETY: these bytes were initialised above.
    /// unsafe { buffer.set_len(12) };
    /// assert_eq!(buffer, "for a driver");
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[cfg_attr(feature = "track", track_caller)]
    pub unsafe fn from_raw(&'static self, pointer: NonNull<u8>) -> Result<BytesMut, FreeError> {
        let (tier, index) = self.find(pointer)?;
        // SAFETY: `index_of` returns indices of slots.
        let state = unsafe { tier.list().state(index) };
        if !state.claim_raw(self.initial_state) {
            return Err(FreeError::NotAllocated);
        }
        Ok(BytesMut(Handle::from_slot(tier, index, state)))
    }

    /// True if `pointer` lies anywhere in the slots of this pool, whether they are free or not.
    /// False for fallback buffers.
    ///
    /// Interrupt handler: yes. Cost: no atomic operation.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// let buffer = POOL.zeroed(10)?;
    /// assert!(POOL.owns(&buffer[9]));
    /// assert!(!POOL.owns(&0));
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[inline]
    pub fn owns(&self, pointer: *const u8) -> bool {
        let among = |tiers: &[Tier]| tiers.iter().any(|tier| tier.contains(pointer));
        among(self.tiers) || among(self.reserves())
    }

    /// The bytes of the slot in which `pointer` lies, whether the slot is free or not. None if it
    /// lies in no slot of this pool.
    ///
    /// Interrupt handler: yes. Cost: no atomic operation.
    ///
    /// ```
    /// # use core::alloc::Layout;
    /// tierpool::pool! { static POOL = default; }
    /// let slot = POOL.allocate(Layout::new::<[u8; 300]>())?.cast::<u8>();
    /// assert_eq!(POOL.slot_bytes(slot.as_ptr()), Some(512));
    /// assert_eq!(POOL.slot_bytes(&0), None);
    /// // SAFETY: the slot is not used any more.
    /// unsafe { POOL.deallocate(slot) }.unwrap();
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    pub fn slot_bytes(&self, pointer: *const u8) -> Option<usize> {
        let mut tiers = self.tiers.iter().chain(self.reserves());
        tiers.find(|tier| tier.contains(pointer)).map(Tier::stride)
    }

    /// True if a request for `layout` may have got the slot in which `pointer` lies: its tier is the
    /// first that fits, one that such a request spills into, or a reserve. For the C interface.
    #[doc(hidden)]
    #[cfg(feature = "c-hooks")]
    pub fn serves(&self, layout: Layout, pointer: *const u8) -> bool {
        let (size, align) = (layout.size(), layout.align());
        let plain = self.candidates(self.tiers_fitting(size, align), size, align);
        let reserves = self.reserves().iter().filter(|tier| tier.fits(size, align));
        plain.chain(reserves).any(|tier| tier.contains(pointer))
    }

    /// The slot that starts at `pointer`, and its tier.
    #[inline(always)]
    fn find(&self, pointer: NonNull<u8>) -> Result<(&'static Tier, u32), FreeError> {
        let pointer = pointer.as_ptr();
        let found = Self::find_in(self.tiers, pointer);
        if let Some(found) = found.or_else(|| Self::find_in(self.reserves(), pointer)) {
            return Ok(found);
        }
        Err(if self.owns(pointer) { FreeError::Interior } else { FreeError::Foreign })
    }

    /// The slot of these tiers that starts at `pointer`.
    #[inline(always)]
    fn find_in(tiers: &'static [Tier], pointer: *const u8) -> Option<(&'static Tier, u32)> {
        tiers.iter().find_map(|tier| Some((tier, tier.index_of(pointer)?)))
    }

    /// Gives a slot back, and wipes it first if the pool does that.
    ///
    /// # Safety
    /// The caller owns slot `index` of `tier` and gives it up.
    #[inline(always)]
    pub(crate) unsafe fn free_raw(&self, tier: &'static Tier, index: u32) {
        if self.zero_on_free() {
            // SAFETY: the caller owns the slot.
            unsafe { tier.wipe(index) };
        }
        // SAFETY: the caller owns the slot, and gives it up.
        unsafe { tier.free(index) };
    }
}
