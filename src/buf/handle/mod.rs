//! What `Bytes` and `BytesMut` have in common: four words that say which bytes of which buffer.
//!
//! ```text
//!            ptr     len    ctl                  owner
//!   slot     ─►data  bytes  ─►its state word     ─►its tier (which leads to its pool)
//!   fallback ─►data  bytes  ─►its control block  ─►any tier of its pool
//!   static   ─►data  bytes  null                 none
//!   empty    ─►place   0    null                 the tier it came from, so that it can grow; or none
//!
//!   slot     ├─ headroom ─┼─ len ─┼─ spare ─┤
//!            base         ptr               base + capacity of the whole
//! ```
//!
//! `ctl` is a pointer to the state word, so that a clone needs no descriptor and one atomic addition, and the slot's
//! index is a subtraction. What kind of buffer it is stands in the state word itself.

use core::mem::{self, ManuallyDrop};
use core::ptr::{self, NonNull};

use crate::pool::Pool;
use crate::pool::fallback::Control;
use crate::pool::tier::Tier;
use crate::protocol::slot_state::{BufferKind, RAW, StateWord, UNIQUE_SLOT};

mod view;

/// One reference to a buffer. Dropping it does nothing: `Bytes` and `BytesMut` release it in their own ways.
///
/// `repr(C)`: the C interface shows its first two words.
#[repr(C)]
pub(crate) struct Handle {
    ptr: NonNull<u8>,
    len: usize,
    ctl: *const StateWord,
    owner: Option<&'static Tier>,
}

const _: () = assert!(size_of::<Handle>() == 4 * size_of::<usize>());

// SAFETY: a handle's bytes are written only while it is the only one (`BytesMut`, `make_mut`), and the state word
// orders the accesses of one holder after those of another; see `state`.
unsafe impl Send for Handle {}
// SAFETY: as above; a shared reference gives read access only.
unsafe impl Sync for Handle {}

impl Handle {
    // ---- making one

    /// Nothing, of no pool.
    pub(crate) const EMPTY: Handle = Handle::from_static(&[]);

    /// Bytes that nobody has to free.
    pub(crate) const fn from_static(bytes: &'static [u8]) -> Self {
        // SAFETY: a slice's pointer is not null.
        let ptr = unsafe { NonNull::new_unchecked(bytes.as_ptr().cast_mut()) };
        Handle { ptr, len: bytes.len(), ctl: ptr::null(), owner: None }
    }

    /// The first handle on a slot that has just been taken and marked.
    #[inline(always)]
    pub(crate) fn from_slot(tier: &'static Tier, index: u32) -> Self {
        // SAFETY: `take` and `index_of` return indices below the number of slots.
        let (ptr, ctl) = unsafe { (tier.slot(index), tier.list().state(index)) };
        Handle { ptr, len: 0, ctl, owner: Some(tier) }
    }

    /// As `from_slot`, by the state word.
    ///
    /// # Safety
    /// `state` is the state word of a slot of `tier`, which has just been taken and marked.
    #[inline(always)]
    pub(crate) unsafe fn from_slot_state(tier: &'static Tier, state: &'static StateWord) -> Self {
        // SAFETY: the caller's promise.
        let ptr = unsafe { tier.slot(tier.index_of_state(state.into())) };
        Handle { ptr, len: 0, ctl: state, owner: Some(tier) }
    }

    /// The first handle on a buffer of any kind.
    ///
    /// # Safety
    /// `state` is the state word of a slot of `owner`, or the start of a control block of its pool's fallback, and the
    /// handle counted in it is the caller's.
    #[inline(always)]
    pub(crate) unsafe fn from_state(state: NonNull<StateWord>, owner: &'static Tier) -> Self {
        let handle = Handle { ctl: state.as_ptr(), owner: Some(owner), ..Handle::EMPTY };
        Handle { ptr: handle.base(), ..handle }
    }

    /// One more reference to the same bytes.
    #[inline(always)]
    pub(crate) fn share(&self) -> Self {
        if let Some(state) = self.state() {
            state.retain();
        }
        Handle { ..*self }
    }

    /// The same words, and with them the reference, out of a wrapper that no longer drops it.
    #[inline(always)]
    pub(crate) fn into_handle<W>(wrapper: W, handle: impl FnOnce(&W) -> &Handle) -> Self {
        let wrapper = ManuallyDrop::new(wrapper);
        Handle { ..*handle(&wrapper) }
    }

    /// No bytes, `at` bytes behind the start of these. They keep that address, for parsers that subtract addresses, but hold
    /// no slot: it may be another's at any time. They can grow where this handle could. `at` is no more than the length.
    pub(crate) fn empty_at(&self, at: usize) -> Self {
        debug_assert!(at <= self.len);
        // An empty handle has no state word to be pool-only in, so it gives up its pool rather than the promise.
        let owner = if self.is_pool_only() { None } else { self.owner };
        // SAFETY: within the data or at their end, by the caller.
        let ptr = unsafe { self.ptr.add(at) };
        Handle { ptr, len: 0, ctl: ptr::null(), owner }
    }

    // ---- letting go

    /// Gives up a reference that others may share. Unique, on a plain slot: one load and the push.
    #[inline(always)]
    pub(crate) fn release(&mut self) {
        if let Some((state, tier)) = self.buffer() {
            let value = state.value();
            if value == UNIQUE_SLOT {
                // SAFETY: the only handle is ours; a plain state word is one of its tier's.
                unsafe { tier.free(tier.index_of_state(state.into())) }
            } else {
                // SAFETY: the value was loaded just now, and our reference is counted in it.
                unsafe { release_slow(self.ctl, tier, value) }
            }
        }
    }

    /// Puts `new` in place of a reference that is probably shared, and gives that up: out of line in any case.
    pub(crate) fn replace_shared(&mut self, new: Handle) {
        let old = mem::replace(self, new);
        if let Some((state, tier)) = old.buffer() {
            // SAFETY: the value was loaded just now, and our reference is counted in it.
            unsafe { release_slow(old.ctl, tier, state.value()) }
        }
    }

    /// Gives up a reference that nobody shares, as a `BytesMut` knows.
    #[inline(always)]
    pub(crate) fn release_unique(&mut self) {
        if let Some((state, tier)) = self.buffer() {
            if state.is_plain() {
                // SAFETY: the only handle is ours; a plain state word is one of its tier's.
                unsafe { tier.free(tier.index_of_state(state.into())) }
            } else {
                // SAFETY: the only handle is ours.
                unsafe { free_slow(self.ctl, tier, state.kind()) }
            }
        }
    }

    /// Turns the reference, which nobody shares, into a raw allocation of the slot. None for what is no slot.
    pub(crate) fn into_raw_slot(self) -> Result<NonNull<[u8]>, Handle> {
        let Some((state, tier)) = self.buffer() else { return Err(self) };
        if state.kind().is_fallback() {
            return Err(self);
        }
        state.set_held(RAW);
        // SAFETY: a state word that is no fallback's is one of its tier's.
        Ok(unsafe { tier.whole_slot(tier.index_of_state(state.into())) })
    }

    /// The slot that this reference alone holds, if it has no flags to look after: its tier and state word.
    #[inline(always)]
    pub(crate) fn plain_slot(&self) -> Option<(&'static Tier, &'static StateWord)> {
        let (state, tier) = self.buffer()?;
        // SAFETY: a slot's state word lives as long as its tier, for ever.
        (state.value() == UNIQUE_SLOT).then(|| (tier, unsafe { &*self.ctl }))
    }

    /// The slot that this reference alone holds: its tier, state word and kind.
    pub(crate) fn unique_slot(&self) -> Option<(&'static Tier, &'static StateWord, BufferKind)> {
        let (state, tier) = self.buffer()?;
        let kind = state.unique_slot()?;
        // SAFETY: as above.
        Some((tier, unsafe { &*self.ctl }, kind))
    }

    // ---- looking

    #[inline(always)]
    fn state(&self) -> Option<&StateWord> {
        // SAFETY: null, or a state word that is valid while this reference is counted in it.
        unsafe { self.ctl.as_ref() }
    }

    /// The state word and the owner, if there is a buffer.
    #[inline(always)]
    fn buffer(&self) -> Option<(&StateWord, &'static Tier)> {
        // SAFETY: `from_slot` and `from_state` give every handle with a state word an owner, and all others come
        // from those.
        self.state().map(|state| (state, unsafe { self.owner.unwrap_unchecked() }))
    }

    #[inline(always)]
    pub(crate) fn pool(&self) -> Option<&'static Pool> {
        self.owner.map(Tier::pool)
    }

    #[inline(always)]
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// Nobody else holds the buffer, and there is one: these bytes may be written, and freed.
    #[inline(always)]
    pub(crate) fn is_unique(&self) -> bool {
        self.state().is_some_and(StateWord::is_unique)
    }

    /// In a slot of a pool: not static, not empty, not in the fallback.
    pub(crate) fn is_pooled(&self) -> bool {
        self.state().is_some_and(|state| !state.kind().is_fallback())
    }

    /// Must not grow or copy into a fallback.
    pub(crate) fn is_pool_only(&self) -> bool {
        self.state().is_some_and(|state| state.kind().is_pool_only())
    }

    /// Base and capacity of the whole buffer; for what has none, the bytes themselves.
    #[inline]
    pub(crate) fn extent(&self) -> (NonNull<u8>, usize) {
        let Some((state, tier)) = self.buffer() else { return (self.ptr, self.len) };
        if state.kind().is_fallback() {
            // SAFETY: the state word of a fallback buffer is the start of its block, valid while counted.
            let control = unsafe { &*self.ctl.cast::<Control>() };
            (control.base, control.capacity)
        } else {
            // SAFETY: any other state word is one of its tier's.
            (unsafe { tier.slot(tier.index_of_state(state.into())) }, tier.stride())
        }
    }

    /// Bytes of memory that this reference holds.
    pub(crate) fn footprint(&self) -> usize {
        if self.ctl.is_null() { 0 } else { self.extent().1 }
    }

    /// Start of the whole buffer.
    #[cold]
    #[inline(never)]
    fn base(&self) -> NonNull<u8> {
        self.extent().0
    }

    /// Bytes in front of the data.
    pub(crate) fn headroom(&self) -> usize {
        self.ptr.addr().get() - self.extent().0.addr().get()
    }

    /// Bytes from the start of the data to the end of the buffer.
    #[inline]
    pub(crate) fn capacity(&self) -> usize {
        let (base, whole) = self.extent();
        whole - (self.ptr.addr().get() - base.addr().get())
    }

    #[inline(always)]
    pub(crate) fn as_slice(&self) -> &[u8] {
        if let Some(state) = self.state() {
            state.touch_read();
        }
        // SAFETY: `len` bytes at `ptr` are initialised, and nobody writes them while a shared handle exists.
        unsafe { core::slice::from_raw_parts(self.ptr.as_ptr(), self.len) }
    }

    /// # Safety
    /// Nobody else holds the buffer, or the handle is empty.
    #[inline(always)]
    pub(crate) unsafe fn as_mut_slice(&mut self) -> &mut [u8] {
        let len = self.len;
        // SAFETY: `len` bytes at `ptr` are initialised; nobody else reads or writes them, by the caller.
        unsafe { core::slice::from_raw_parts_mut(self.as_mut_ptr(), len) }
    }

    /// Start of the data, for a caller about to write there.
    #[inline(always)]
    pub(crate) fn as_mut_ptr(&mut self) -> *mut u8 {
        if let Some(state) = self.state() {
            state.touch_write();
        }
        self.ptr.as_ptr()
    }
}

/// Gives up a reference that is shared, or on a buffer that takes more than a push.
///
/// # Safety
/// `ctl` is the state word of a buffer of `tier`'s pool, `value` an Acquire load of it, and the caller gives up one of
/// the handles counted in it.
#[cold]
#[inline(never)]
unsafe fn release_slow(ctl: *const StateWord, tier: &'static Tier, value: u32) {
    // SAFETY: valid while the caller's reference is counted.
    if let Some(kind) = unsafe { &*ctl }.release(value) {
        // SAFETY: that was the last reference.
        unsafe { free_slow(ctl, tier, kind) }
    }
}

/// Frees a buffer of any kind.
///
/// # Safety
/// `ctl` is the state word of a buffer of `tier`'s pool, `kind` its kind, and the caller its last holder.
#[cold]
#[inline(never)]
unsafe fn free_slow(ctl: *const StateWord, tier: &'static Tier, kind: BufferKind) {
    // SAFETY: a reference is never null.
    let ctl = unsafe { NonNull::new_unchecked(ctl.cast_mut()) };
    if kind.is_fallback() {
        // SAFETY: the state word of a fallback buffer is the start of its block.
        return unsafe { tier.pool().free_to_fallback(ctl.cast()) };
    }
    // SAFETY: any other state word is one of its tier's, and the slot is ours alone.
    unsafe {
        let index = tier.index_of_state(ctl);
        if kind.wipes() {
            tier.wipe(index);
        }
        tier.free_out_of_line(index, index);
    }
}
