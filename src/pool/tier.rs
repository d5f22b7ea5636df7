//! One size class: a free list, and the payload of its slots.
//!
//! ```text
//!   payload   ├─ slot 0 ─┼─ slot 1 ─┼─ … ─┼─ slot N-1 ─┤     slot i starts at payload + i · stride
//!   states    [   0      ][  1      ] …    [  N-1      ]     elsewhere, in internal RAM
//! ```
//!
//! The stride is the size rounded up to the alignment of the pool. The capacity of a buffer is its
//! stride. A descriptor does not change. In a static pool it is a constant in `.rodata`, which the
//! compiler folds into `alloc(500)`.

#[cfg(feature = "track")]
use core::panic::Location;
use core::ptr::NonNull;

use crate::pool::Pool;
use crate::protocol::free_list::{FreeList, HeadCell};
use crate::protocol::slot_state::{StateCell, StateWord};
use crate::wipe;

/// The descriptor of one tier.
#[derive(Clone, Copy, Debug)]
pub struct Tier {
    /// The free list.
    list: FreeList<'static>,
    /// The start of slot 0.
    payload: NonNull<u8>,
    /// The bytes of a slot: 1 to 65 536.
    stride: u32,
    /// The inverse of the odd part of the stride, modulo 2^32.
    inverse: u32,
    /// The number of trailing zeros of the stride: 0 to 16.
    shift: u32,
    /// The alignment of every slot in bytes, minus one. So a request without an alignment compares
    /// nothing.
    align_mask: u32,
    /// The pool of the tier. It is a pointer, because tier and pool refer to each other: a pool
    /// that is made at run time is written after its tiers.
    pool: NonNull<Pool>,
}

/// A slot that was taken: its tier, its index and its state word.
pub(crate) type Slot = (&'static Tier, u32, &'static StateWord);

// SAFETY: only slots lead to the payload, and the list hands each slot to one owner at a time. A
// pool may be shared.
unsafe impl Send for Tier {}
// SAFETY: as above.
unsafe impl Sync for Tier {}

/// The inverse of an odd number modulo 2^32, by Newton's iteration. Each step doubles the number of
/// correct bits.
const fn inverse(odd: u32) -> u32 {
    let mut x = odd; // right to 3 bits
    let mut step = 0;
    while step < 4 {
        x = x.wrapping_mul(2u32.wrapping_sub(odd.wrapping_mul(x)));
        step += 1;
    }
    x
}

impl Tier {
    /// Makes the descriptor of a tier.
    ///
    /// # Safety
    /// `head`, `slots` state words at `states`, and `slots · stride` bytes at `payload`, aligned to
    /// `align`, are valid for ever. They belong to this tier alone. `slots` is 1 to 1022, `stride`
    /// is 1 to 65 536. `pool` points at the tier's pool when the tier is first used, and then for
    /// ever.
    pub(crate) const unsafe fn new(
        head: &'static HeadCell,
        states: NonNull<StateCell>,
        slots: usize,
        payload: NonNull<u8>,
        stride: usize,
        align: usize,
        pool: NonNull<Pool>,
    ) -> Self {
        let stride = stride as u32;
        let shift = stride.trailing_zeros();
        Tier {
            // SAFETY: the caller promises it.
            list: unsafe { FreeList::new(head, states, slots) },
            payload,
            stride,
            inverse: inverse(stride >> shift),
            shift,
            align_mask: align as u32 - 1,
            pool,
        }
    }

    /// The free list.
    #[inline(always)]
    pub(crate) const fn list(&self) -> &FreeList<'static> {
        &self.list
    }

    /// The pool of the tier.
    #[inline(always)]
    pub(crate) fn pool(&self) -> &'static Pool {
        // SAFETY: the pool is written by now and lives for ever, as the caller of `new` promises.
        unsafe { self.pool.as_ref() }
    }

    /// The bytes of a slot.
    #[inline(always)]
    pub(crate) const fn stride(&self) -> usize {
        self.stride as usize
    }

    /// True if a slot has `size` bytes and is aligned to `align`.
    #[inline(always)]
    pub(crate) fn fits(&self, size: usize, align: usize) -> bool {
        size <= self.stride() && align - 1 <= self.align_mask as usize
    }

    /// Pops a slot and marks it.
    #[inline(always)]
    pub(crate) fn take(&'static self, initial_state: u32) -> Option<Slot> {
        let (index, state) = self.list.pop()?;
        // SAFETY: `pop` returns indices of slots.
        unsafe { self.unpoison(index) };
        state.set_held(initial_state);
        Some((self, index, state))
    }

    /// Notes that the caller has just got the slot with this state word.
    #[cfg(feature = "track")]
    #[track_caller]
    pub(crate) fn note_holder(&self, state: &StateWord) {
        state.holder().begin(Location::caller(), self.list.served() as u32);
    }

    /// As `take`, for the rare paths.
    #[cold]
    #[inline(never)]
    pub(crate) fn take_out_of_line(
        &'static self,
        initial_state: u32,
    ) -> Option<&'static StateWord> {
        let (_, _, state) = self.take(initial_state)?;
        Some(state)
    }

    /// Pushes a slot, and calls the hook of the pool if a waiter has armed this tier.
    ///
    /// # Safety
    /// The caller owns slot `index` and gives it up.
    #[inline(always)]
    pub(crate) unsafe fn free(&self, index: u32) {
        // SAFETY: the caller owns the slot.
        unsafe { self.poison(index) };
        // SAFETY: as above.
        unsafe { self.list.state(index) }.touch_write();
        // SAFETY: the caller owns the slot, and gives it up.
        if unsafe { !self.list.push(index, index) } {
            // SAFETY: the caller still owns the slot, because it has not been pushed.
            unsafe { self.free_out_of_line(index, index) }
        }
    }

    /// As `free`, for the rare paths. It pushes all slots from `first` along their links to `last`.
    ///
    /// # Safety
    /// The caller owns the slots and gives them up.
    #[cold]
    #[inline(never)]
    pub(crate) unsafe fn free_out_of_line(&self, first: u32, last: u32) {
        // SAFETY: the caller owns the slots.
        unsafe { self.list.state(last) }.touch_write();
        // SAFETY: the caller owns the slots, and gives them up.
        if unsafe { self.list.push_to_waiter(first, last) } {
            self.pool().notify();
        }
    }

    /// The index of the slot with this state word.
    ///
    /// # Safety
    /// `state` is one of this tier's state words.
    #[inline(always)]
    pub(crate) unsafe fn index_of_state(&self, state: NonNull<StateWord>) -> u32 {
        // SAFETY: the caller promises it.
        unsafe { self.list.index_of(state) }
    }

    /// The start of a slot.
    ///
    /// # Safety
    /// `index` is below the number of slots.
    #[inline(always)]
    pub(crate) unsafe fn slot(&self, index: u32) -> NonNull<u8> {
        // SAFETY: the slot lies within the payload, by the promises of the caller and of `new`.
        // 1021 · 65 536 does not overflow.
        unsafe { self.payload.add((index * self.stride) as usize) }
    }

    /// All bytes of a slot.
    ///
    /// # Safety
    /// `index` is below the number of slots.
    #[inline(always)]
    pub(crate) unsafe fn whole_slot(&self, index: u32) -> NonNull<[u8]> {
        // SAFETY: the caller promises it.
        NonNull::slice_from_raw_parts(unsafe { self.slot(index) }, self.stride())
    }

    /// The slot that starts at `pointer`. None if the pointer lies elsewhere, or inside a slot.
    ///
    /// It is an exact division without a division instruction. The map from an offset to offset ·
    /// inverse, rotated, is a bijection on 32-bit words that takes i · stride to i. So no other
    /// offset gives a result below the number of slots.
    #[inline(always)]
    pub(crate) fn index_of(&self, pointer: *const u8) -> Option<u32> {
        let offset = self.offset(pointer);
        #[cfg(target_pointer_width = "64")]
        if offset > u32::MAX as usize {
            return None;
        }
        let index = (offset as u32).wrapping_mul(self.inverse).rotate_right(self.shift);
        (index < self.list.slots()).then_some(index)
    }

    /// True for every byte of the payload.
    #[inline(always)]
    pub(crate) fn contains(&self, pointer: *const u8) -> bool {
        self.offset(pointer) < self.stride() * self.list.slots() as usize
    }

    /// The bytes from the start of the payload to the pointer, modulo the size of the address
    /// space.
    #[inline(always)]
    fn offset(&self, pointer: *const u8) -> usize {
        pointer.addr().wrapping_sub(self.payload.addr().get())
    }

    /// Overwrites the whole slot with zeros. The compiler does not remove these writes.
    ///
    /// # Safety
    /// The caller owns slot `index`, and nothing else reads it.
    #[cold]
    pub(crate) unsafe fn wipe(&self, index: u32) {
        // SAFETY: the slot belongs to the caller alone.
        unsafe { wipe::wipe(self.slot(index), self.stride()) }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    #[cfg_attr(miri, ignore = "numbers without a pointer")]
    fn inverses() {
        for odd in (1..=65_535).step_by(if cfg!(miri) { 202 } else { 2 }) {
            assert_eq!(super::inverse(odd).wrapping_mul(odd), 1);
        }
    }
}
