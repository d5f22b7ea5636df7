//! How a handle is given up.
//!
//! ```text
//!   Bytes ─────► release ─────────► one load: the only one on a plain slot ──────────────────► push
//!                   └─ release_slow    one of several: count - 1; the last one ─► free_slow ──► wipe, push, or the fallback
//!   BytesMut ──► release_unique ──► plain slot ──────────────────────────────────────────────► push
//!                   └─ release_writer  a half: as release_slow; the only one ───► free_slow
//! ```

use core::mem;
use core::ptr::NonNull;

use crate::buf::handle::Handle;
use crate::buf::handle::owner::Owner;
use crate::pool::tier::Tier;
use crate::protocol::slot_state::{BufferKind, RAW, StateWord, UNIQUE_SLOT};

impl Handle {
    /// Gives up a reference that may be shared. If it is the only one on a plain slot, this costs
    /// one load and the push.
    #[inline(always)]
    pub(crate) fn release(&mut self) {
        if let Some((state, owner)) = self.buffer() {
            let value = state.value();
            if value == UNIQUE_SLOT {
                // SAFETY: we hold the only handle, on a whole slot. A plain state word is one of
                // its tier's.
                unsafe {
                    let tier = owner.of_whole();
                    tier.free(tier.index_of_state(state.into()))
                }
            } else {
                // SAFETY: the value was loaded just now, and it counts our reference.
                unsafe { release_slow(self.ctl, owner, value) }
            }
        }
    }

    /// Replaces a reference that is probably shared by `new`, and gives it up. This is always out
    /// of line.
    pub(crate) fn replace_shared(&mut self, new: Handle) {
        let old = mem::replace(self, new);
        if let Some((state, owner)) = old.buffer() {
            // SAFETY: the value was loaded just now, and it counts our reference.
            unsafe { release_slow(old.ctl, owner, state.value()) }
        }
    }

    /// Gives up a reference whose bytes nobody shares. A `BytesMut` knows that. On a whole slot it
    /// is the only one.
    #[inline(always)]
    pub(crate) fn release_unique(&mut self) {
        if let Some((state, owner)) = self.buffer() {
            if state.is_plain() {
                // SAFETY: we hold the only handle, on a whole slot. A plain state word is one of
                // its tier's.
                unsafe {
                    let tier = owner.of_whole();
                    tier.free(tier.index_of_state(state.into()))
                }
            } else {
                // SAFETY: the kind is that of the buffer, and we give up our reference.
                unsafe { release_writer(self.ctl, owner, state.kind()) }
            }
        }
    }

    /// Turns the reference, whose bytes nobody shares, into a raw allocation of the slot. Gives the
    /// handle back if it holds no slot, or if another half lives.
    pub(crate) fn into_raw_slot(mut self) -> Result<NonNull<[u8]>, Handle> {
        if !self.is_pooled() || !self.take_whole() {
            return Err(self);
        }
        let Some((state, owner)) = self.buffer() else { return Err(self) };
        state.set_held(RAW);
        let tier = owner.tier();
        // SAFETY: a state word that does not belong to a fallback buffer is one of its tier's.
        Ok(unsafe { tier.whole_slot(tier.index_of_state(state.into())) })
    }

    /// The slot that this reference alone holds, if it has no flags: its tier and its state word.
    #[inline(always)]
    pub(crate) fn plain_slot(&self) -> Option<(&'static Tier, &'static StateWord)> {
        let (state, owner) = self.buffer()?;
        // SAFETY: the slot is whole, and its state word lives as long as its tier, for ever.
        (state.value() == UNIQUE_SLOT).then(|| unsafe { (owner.of_whole(), &*self.ctl) })
    }

    /// The slot that this reference alone holds: its tier, its state word and its kind.
    pub(crate) fn unique_slot(&self) -> Option<(&'static Tier, &'static StateWord, BufferKind)> {
        let (state, owner) = self.buffer()?;
        let kind = state.unique_slot()?;
        // SAFETY: as above.
        Some((owner.tier(), unsafe { &*self.ctl }, kind))
    }
}

/// Gives up a reference that is shared, or on a buffer whose free takes more than a push.
///
/// # Safety
/// `ctl` is the state word of a buffer of `owner`'s pool. `value` is an Acquire load of it. The
/// caller gives up one of the handles that it counts.
#[cold]
#[inline(never)]
unsafe fn release_slow(ctl: *const StateWord, owner: Owner, value: u32) {
    // SAFETY: the state word is valid while it counts the caller's reference.
    if let Some(kind) = unsafe { &*ctl }.release(value) {
        // SAFETY: that was the last reference.
        unsafe { free_slow(ctl, owner, kind) }
    }
}

/// Gives up a reference of a `BytesMut` on anything but a plain slot: a half, or a buffer whose
/// free takes more than a push.
///
/// # Safety
/// `ctl` is the state word of a buffer of `owner`'s pool. `kind` is its kind. The caller gives up
/// one of the handles that it counts.
#[cold]
#[inline(never)]
unsafe fn release_writer(ctl: *const StateWord, owner: Owner, kind: BufferKind) {
    if kind.is_whole_slot() {
        // SAFETY: a handle that writes is the only one on a whole slot.
        return unsafe { free_slow(ctl, owner, kind) };
    }
    // SAFETY: the state word is valid while it counts the caller's reference. The value is loaded
    // just now.
    unsafe { release_slow(ctl, owner, (*ctl).value()) }
}

/// Frees a buffer of any kind.
///
/// # Safety
/// `ctl` is the state word of a buffer of `owner`'s pool. `kind` is its kind. The caller is its last
/// holder.
#[cold]
#[inline(never)]
unsafe fn free_slow(ctl: *const StateWord, owner: Owner, kind: BufferKind) {
    let tier = owner.tier();
    // SAFETY: a reference is never null.
    let ctl = unsafe { NonNull::new_unchecked(ctl.cast_mut()) };
    if kind.is_fallback() {
        // SAFETY: the state word of a fallback buffer is the start of its block.
        return unsafe { tier.pool().free_to_fallback(ctl.cast()) };
    }
    // SAFETY: any other state word is one of its tier's, and the slot belongs to us alone.
    unsafe {
        let index = tier.index_of_state(ctl);
        if kind.wipes() {
            tier.wipe(index);
        }
        tier.poison(index);
        tier.free_out_of_line(index, index);
    }
}
