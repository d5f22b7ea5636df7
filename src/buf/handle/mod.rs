//! The part that `Bytes` and `BytesMut` have in common: four words that say which bytes of which
//! buffer.
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
//!   halves   ├─ headroom ─┼─ len ─┤├─ len ─┼─ spare ─┤
//! ```
//!
//! `ctl` is a pointer to the state word. So a clone needs no descriptor and costs one atomic
//! addition, and the index of the slot is a subtraction. The state word itself says what kind of
//! buffer it is.

use core::mem::ManuallyDrop;
#[cfg(feature = "track")]
use core::panic::Location;
use core::ptr::{self, NonNull};

use crate::buf::handle::owner::Owner;
use crate::pool::Pool;
use crate::pool::fallback::Control;
use crate::pool::tier::Tier;
#[cfg(feature = "track")]
use crate::protocol::holder::Entry;
use crate::protocol::slot_state::StateWord;

mod owner;
mod release;
pub(crate) mod view;

/// One reference to a buffer. Its drop does nothing: `Bytes` and `BytesMut` release it in their own
/// ways.
///
/// `repr(C)`, because the C interface shows the first two words.
#[repr(C)]
pub(crate) struct Handle {
    /// The start of the data. If there are no bytes, it is only an address.
    ptr: NonNull<u8>,
    /// The number of bytes.
    len: usize,
    /// The state word of the slot, or the start of the control block of the fallback buffer. Null
    /// if there is no buffer.
    ctl: *const StateWord,
    /// The tier of the slot. For a fallback buffer, any tier of its pool. With no buffer, the tier
    /// in whose pool the handle can grow, if there is one. A half also marks here which ends of the
    /// buffer it does not have.
    owner: Option<Owner>,
}

const _: () = assert!(size_of::<Handle>() == 4 * size_of::<usize>());

// SAFETY: the bytes of a handle are written only while no other handle shows them: it is the only
// one (`BytesMut`, `make_mut`), or all others have other bytes (halves). The state word orders the
// accesses of one holder after those of another, see `slot_state`.
unsafe impl Send for Handle {}
// SAFETY: as above. A shared reference gives read access only.
unsafe impl Sync for Handle {}

impl Handle {
    // ---- making one

    /// A handle with no bytes, no buffer and no pool.
    pub(crate) const EMPTY: Handle = Handle::from_static(&[]);

    /// A handle on bytes that are never freed.
    pub(crate) const fn from_static(bytes: &'static [u8]) -> Self {
        // SAFETY: the pointer of a slice is not null.
        let ptr = unsafe { NonNull::new_unchecked(bytes.as_ptr().cast_mut()) };
        Handle { ptr, len: bytes.len(), ctl: ptr::null(), owner: None }
    }

    /// The first handle on a slot that has just been taken and marked, by its index and its state
    /// word.
    #[inline(always)]
    #[cfg_attr(feature = "track", track_caller)]
    pub(crate) fn from_slot(tier: &'static Tier, index: u32, state: &'static StateWord) -> Self {
        // SAFETY: `take` and `index_of` return indices below the number of slots.
        let ptr = unsafe { tier.slot(index) };
        let handle = Handle { ptr, len: 0, ctl: state, owner: Some(Owner::of(tier)) };
        handle.note_holder();
        handle
    }

    /// As `from_slot`, where the index is not known.
    ///
    /// # Safety
    /// `state` is the state word of a slot of `tier`. The slot has just been taken and marked.
    #[inline(always)]
    #[cfg_attr(feature = "track", track_caller)]
    pub(crate) unsafe fn from_slot_state(tier: &'static Tier, state: &'static StateWord) -> Self {
        // SAFETY: the caller promises it.
        let ptr = unsafe { tier.slot(tier.index_of_state(state.into())) };
        let handle = Handle { ptr, len: 0, ctl: state, owner: Some(Owner::of(tier)) };
        handle.note_holder();
        handle
    }

    /// The first handle on a buffer of any kind.
    ///
    /// # Safety
    /// `state` is the state word of a slot of `owner`, or the start of a control block of the
    /// fallback of its pool. It counts one handle, which the caller gives to this one.
    #[inline(always)]
    #[cfg_attr(feature = "track", track_caller)]
    pub(crate) unsafe fn from_state(state: NonNull<StateWord>, owner: &'static Tier) -> Self {
        let owner = Some(Owner::of(owner));
        let handle = Handle { ctl: state.as_ptr(), owner, ..Handle::EMPTY };
        handle.note_holder();
        Handle { ptr: handle.extent().0, ..handle }
    }

    /// Makes one more reference to the same bytes.
    #[inline(always)]
    pub(crate) fn share(&self) -> Self {
        if let Some(state) = self.state() {
            state.retain();
        }
        Handle { ..*self }
    }

    /// Takes the reference out of a wrapper, which then no longer drops it. The four words are the
    /// same.
    #[inline(always)]
    pub(crate) fn into_handle<W>(wrapper: W, handle: impl FnOnce(&W) -> &Handle) -> Self {
        let wrapper = ManuallyDrop::new(wrapper);
        Handle { ..*handle(&wrapper) }
    }

    /// A handle with no bytes, whose address is `at` bytes behind the start of these. It keeps the
    /// address for parsers that subtract addresses, but it holds no slot: another owner may use
    /// that memory at any time. It can grow where this handle could. `at` is at most the length.
    pub(crate) fn empty_at(&self, at: usize) -> Self {
        debug_assert!(at <= self.len);
        // An empty handle has no state word, so it cannot be marked pool-only. So a pool-only
        // handle gives up its pool, to keep its promise.
        let owner = if self.is_pool_only() { None } else { self.owner };
        // SAFETY: the address lies within the data or at their end, as the caller promises.
        let ptr = unsafe { self.ptr.add(at) };
        Handle { ptr, len: 0, ctl: ptr::null(), owner }
    }

    // ---- who holds it

    /// Notes that the caller has just got the buffer.
    #[inline(always)]
    #[cfg_attr(feature = "track", track_caller)]
    fn note_holder(&self) {
        #[cfg(feature = "track")]
        self.note_place(Location::caller());
    }

    /// Notes who has just got the buffer.
    #[cfg(feature = "track")]
    pub(crate) fn note_place(&self, place: &'static Location<'static>) {
        let Some((state, owner)) = self.buffer() else { return };
        let tier = owner.tier();
        if !state.kind().is_fallback() {
            state.holder().begin(place, tier.list().served() as u32);
        } else if let Some(entry) = self.listed() {
            entry.cell().begin(place, tier.pool().fallbacks() as u32);
        }
    }

    /// Notes that the buffer has a mark from now on.
    #[inline(always)]
    pub(crate) fn mark(&self, _text: &'static &'static str) {
        #[cfg(feature = "track")]
        if let Some(state) = self.state() {
            if !state.kind().is_fallback() {
                state.holder().mark(_text);
            } else if let Some(entry) = self.listed() {
                entry.cell().mark(_text);
            }
        }
    }

    /// The entry of a buffer of the fallback in the list of its pool.
    #[cfg(feature = "track")]
    fn listed(&self) -> Option<&'static Entry> {
        // SAFETY: the callers have found out that the state word is the start of a control block,
        // which is valid while it counts this reference.
        unsafe { &*self.ctl.cast::<Control>() }.entry
    }

    // ---- looking

    /// The state word, if there is a buffer.
    #[inline(always)]
    fn state(&self) -> Option<&StateWord> {
        // SAFETY: the pointer is null, or it is a state word that is valid while it counts this
        // reference.
        unsafe { self.ctl.as_ref() }
    }

    /// The state word and the owner, if there is a buffer.
    #[inline(always)]
    fn buffer(&self) -> Option<(&StateWord, Owner)> {
        // SAFETY: `from_slot`, `from_slot_state` and `from_state` give an owner to every handle
        // with a state word. All other handles come from those.
        self.state().map(|state| (state, unsafe { self.owner.unwrap_unchecked() }))
    }

    /// The pool that the handle belongs to, if there is one.
    #[inline(always)]
    pub(crate) fn pool(&self) -> Option<&'static Pool> {
        self.owner.map(|owner| owner.tier().pool())
    }

    /// The number of bytes.
    #[inline(always)]
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// True if there is a buffer and no other handle on it. Then these bytes may be written, and
    /// freed.
    #[inline(always)]
    pub(crate) fn is_unique(&self) -> bool {
        self.state().is_some_and(StateWord::is_unique)
    }

    /// True if the bytes lie in a slot of a pool: not static, not empty, not in the fallback.
    pub(crate) fn is_pooled(&self) -> bool {
        self.state().is_some_and(|state| !state.kind().is_fallback())
    }

    /// True if the buffer must not grow or copy into a fallback.
    pub(crate) fn is_pool_only(&self) -> bool {
        self.state().is_some_and(|state| state.kind().is_pool_only())
    }

    /// Start and size of the whole buffer, also for a half. If there is no buffer, those of the bytes
    /// themselves.
    #[cold]
    #[inline(never)]
    pub(crate) fn extent(&self) -> (NonNull<u8>, usize) {
        let Some((state, owner)) = self.buffer() else { return (self.ptr, self.len) };
        if state.kind().is_fallback() {
            // SAFETY: the state word of a fallback buffer is the start of its block, which is valid
            // while it counts our reference.
            let control = unsafe { &*self.ctl.cast::<Control>() };
            (control.base, control.capacity)
        } else {
            let tier = owner.tier();
            // SAFETY: any other state word is one of its tier's.
            (unsafe { tier.slot(tier.index_of_state(state.into())) }, tier.stride())
        }
    }

    /// Start and size of the room that belongs to this handle: the whole buffer; or of a half its
    /// bytes, and what lies between them and its end of the buffer, if it has one.
    #[inline]
    pub(crate) fn room(&self) -> (NonNull<u8>, usize) {
        if let Some((state, owner)) = self.buffer()
            && state.kind().is_whole_slot()
        {
            // SAFETY: the slot is whole, and its state word is one of its tier's.
            return unsafe {
                let tier = owner.of_whole();
                (tier.slot(tier.index_of_state(state.into())), tier.stride())
            };
        }
        self.rare_room()
    }

    /// As `room`, for a half, a buffer of the fallback, and where there is no buffer.
    #[cold]
    #[inline(never)]
    fn rare_room(&self) -> (NonNull<u8>, usize) {
        let (base, whole) = self.extent();
        let headroom = self.ptr.addr().get() - base.addr().get();
        let start = if self.owner.is_some_and(Owner::is_cut_before) { self.ptr } else { base };
        let cut_behind = self.owner.is_some_and(Owner::is_cut_behind);
        let end = if cut_behind { headroom + self.len } else { whole };
        (start, end - (start.addr().get() - base.addr().get()))
    }

    /// The bytes of memory that this reference holds.
    pub(crate) fn footprint(&self) -> usize {
        if self.ctl.is_null() { 0 } else { self.extent().1 }
    }

    /// The bytes in front of the data.
    pub(crate) fn headroom(&self) -> usize {
        self.ptr.addr().get() - self.room().0.addr().get()
    }

    /// The bytes from the start of the data to the end of the room.
    #[inline]
    pub(crate) fn capacity(&self) -> usize {
        let (start, size) = self.room();
        size - (self.ptr.addr().get() - start.addr().get())
    }

    /// For loom: the number of the half that this handle is a part of. 0 if there are no halves.
    #[inline(always)]
    fn part(&self) -> usize {
        self.owner.map_or(0, Owner::part)
    }

    /// The bytes, for reading.
    #[inline(always)]
    pub(crate) fn as_slice(&self) -> &[u8] {
        if let Some(state) = self.state() {
            state.touch_read_part(self.part());
        }
        // SAFETY: `len` bytes at `ptr` are initialised, and nothing writes them while a shared
        // handle exists.
        unsafe { core::slice::from_raw_parts(self.ptr.as_ptr(), self.len) }
    }

    /// The bytes, for writing.
    ///
    /// # Safety
    /// No other handle shows these bytes.
    #[inline(always)]
    pub(crate) unsafe fn as_mut_slice(&mut self) -> &mut [u8] {
        let len = self.len;
        // SAFETY: `len` bytes at `ptr` are initialised. Nothing else reads or writes them, as the
        // caller promises.
        unsafe { core::slice::from_raw_parts_mut(self.as_mut_ptr(), len) }
    }

    /// The start of the data, for a caller that is about to write there.
    #[inline(always)]
    pub(crate) fn as_mut_ptr(&mut self) -> *mut u8 {
        if let Some(state) = self.state() {
            state.touch_write_part(self.part());
        }
        self.ptr.as_ptr()
    }
}
