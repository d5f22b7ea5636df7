//! The state word of a buffer: it says who owns the buffer, and how many handles share it.
//!
//! ```text
//!   31 30 29 28 27 26                          0
//!    0  0  0  0  0 | 0                          never used, and free: its link is the next higher slot
//!    0  0  0  0  0 | RESTED + link              free, not used since the peak was reset; the link as below
//!    0  ?  ?  ?  ? | USED + link                free, used before; the link is signed, in the low 11 bits
//!    0  1  1  0  0 | 0                          in a cache
//!    0  1  1  1  0 | 0                          raw: a pointer from `allocate`
//!    1  1  S  W  . | handles - 1                handles on a slot; S pool-only, W wipe before the push
//!    1  0  S  W  . | handles - 1                the same, of a slot that was split into halves
//!    0  0  0  0  . | handles - 1                handles on a buffer of the fallback, in its control block
//!                `--------------------------- a count that reaches bit 27 traps, far below a wrap
//! ```
//!
//! A clone first adds one, and then looks at the old value. So each clone that runs at this moment
//! may go one step past bit 27. None of them goes on: a trap does not return, and no context clones
//! twice. The count would run into the flags, from bit 28 on, only if 2^27 threads, cores and
//! nested interrupt handlers were in `retain` at once.
//!
//! | from | to | by |
//! |---|---|---|
//! | free | raw, handles, cached | the context that popped the slot, with a plain store: nothing else may write the word |
//! | cached | handles, free | the owner of the cache, with a plain store, before its push |
//! | raw | free | `deallocate`, with a compare-and-swap: if two frees race, one of them wins |
//! | handles | handles ± 1 | clone, drop |
//! | handles (1) | free, cached | the last holder, before its push |
//! | free, used | free, rested | a reset of the peak, with a compare-and-swap that keeps the link: a pop that reads the link need not know |
//! | handles (1), whole | handles (2), halves | a split of a writable buffer, with a plain store: nobody else holds a handle |
//! | handles (1), halves | handles (1), whole | the last half, which has seen that it is alone: with a plain store |
//! | free, used | never used | nothing. So the slots that are neither never used nor rested give the peak |
//!
//! A drop looks at S and W only if the word is not exactly [`UNIQUE_SLOT`]. So the last drop of a
//! plain buffer does not pay for the flags.
//!
//! # Halves
//!
//! A handle that writes is either the only one on its buffer, or a half. Halves are handles like
//! others, and the count counts them. Each writes its own bytes, and no two have a byte in common.
//! (A half that is frozen reads its bytes, and so do its clones.) Three things hold:
//!
//! - While a slot has a handle that writes and another handle, its word says *halves*. So the drop
//!   and the room of a writable handle on a whole slot need not look at the count.
//! - The word says *whole* again only when the last half takes the slot. It has then seen a count of
//!   one with Acquire. That pairs with the Release by which each other half gave up its reference:
//!   what they wrote comes before what this half writes to their bytes. The same pairing lets
//!   `make_mut` write.
//! - A word that says *halves* may have one handle: nobody has looked since the others went. Its drop
//!   is never the short one, and it reads the count with Acquire.
//!
//! When the last of several holders frees a slot, its subtraction borrows from the flags: the count
//! was 0. Nothing reads the flags at that time, because no other handle exists. The last holder
//! takes the flags from the old value.

use core::slice;

use crate::protocol::atomics::{
    Acquire, AtomicExt, AtomicU32, Padded, Relaxed, Release, Track, const_unless_loom, trap,
};
#[cfg(feature = "track")]
use crate::protocol::holder::HolderCell;

/// The slot is free and has been used. The link is added to this value.
const USED: u32 = 0x4000_0000;
/// The slot is in a cache.
const CACHED: u32 = 0x6000_0000;
/// Bits of a link, with its sign. A link is from -1022 to 1021.
const LINK_BITS: u32 = 11;
/// The slot is free, and has not been used since the peak was reset. The low bits are its link.
const RESTED: u32 = 1 << LINK_BITS;
/// The slot was handed out as a raw pointer.
pub(crate) const RAW: u32 = 0x7000_0000;
/// Handles own a buffer of the fallback: one handle. This word is not that of a slot.
pub(crate) const FALLBACK: u32 = 0;
/// Handles own a slot.
const SLOT: u32 = 0x8000_0000;
/// Handles own a slot that is not split into halves.
const WHOLE: u32 = 0x4000_0000;
/// Handles own a slot: one handle, no flag, no halves.
pub(crate) const UNIQUE_SLOT: u32 = SLOT | WHOLE;
/// Flag S: the buffer neither grows nor copies into the fallback.
pub(crate) const POOL_ONLY: u32 = 0x2000_0000;
/// Flag W: the slot is wiped before it is pushed.
pub(crate) const WIPE: u32 = 0x1000_0000;
/// The count is near its end.
const OVERFLOW: u32 = 0x0800_0000;
/// The bits of the count: the number of handles minus one.
const COUNT: u32 = 0x0FFF_FFFF;

/// The kind and the flags of a buffer, for the last holder, who has to free it.
#[derive(Clone, Copy)]
pub(crate) struct BufferKind(u32);

impl BufferKind {
    /// The buffer comes from the fallback.
    pub(crate) fn is_fallback(self) -> bool {
        self.0 & SLOT == 0
    }

    /// The buffer is a slot that must not grow or copy into the fallback.
    pub(crate) fn is_pool_only(self) -> bool {
        self.0 & POOL_ONLY != 0
    }

    /// The buffer is a slot that is not split into halves.
    #[inline(always)]
    pub(crate) fn is_whole_slot(self) -> bool {
        self.0 & WHOLE != 0
    }

    /// The buffer is wiped when it is freed.
    pub(crate) fn wipes(self) -> bool {
        self.0 & WIPE != 0
    }
}

/// The state of one slot or of one fallback buffer. It lies in internal RAM, because atomic
/// instructions work on it.
#[derive(Debug)]
pub struct StateWord {
    /// Owner and number of handles; see the module for the bits.
    word: AtomicU32,
    /// For loom: each stands for the bytes of one half, and all together for the payload.
    tracks: [Track; 3],
    /// Who holds the slot.
    #[cfg(feature = "track")]
    holder: HolderCell,
}

/// The state word of a slot in the array of its tier. It has no padding on 32-bit targets, and its
/// own cache line on hosts.
pub(crate) type StateCell = Padded<StateWord>;

#[cfg(all(target_pointer_width = "32", not(any(loom, shuttle, feature = "track"))))]
const _: () = assert!(size_of::<StateCell>() == 4, "4 bytes of metadata a slot");

impl StateWord {
    const_unless_loom! {
        /// A state word with this value.
        pub(crate) fn new(value: u32) -> Self {
            StateWord {
                word: AtomicU32::new(value),
                tracks: [Track::new(), Track::new(), Track::new()],
                #[cfg(feature = "track")]
                holder: HolderCell::new(),
            }
        }
    }

    // ---- as a link of the free list

    /// The link of a free slot: the index of the slot below it, minus the index of the next higher
    /// slot. If the slot is not free, the value is garbage.
    #[inline(always)]
    pub(crate) fn link(&self) -> i32 {
        // Relaxed: a link that is current was published by the Release of the push, and seen by the
        // Acquire that read the head. A stale link has no effect: the compare-and-swap on the head
        // fails, because the tag has moved.
        (self.word.load_settled() << (32 - LINK_BITS)) as i32 >> (32 - LINK_BITS)
    }

    /// Marks the slot free and used, and writes its link. The caller owns the slot and pushes it
    /// next.
    #[inline(always)]
    pub(crate) fn set_free(&self, link: i32) {
        // Relaxed: the Release of the push publishes the word.
        self.word.store(USED.wrapping_add_signed(link), Relaxed);
    }

    /// Marks a slot that the caller owns as a slot in a cache.
    #[inline(always)]
    pub(crate) fn set_cached(&self) {
        // Relaxed: only statistics and wrong frees read this mark from outside. The owner of the
        // cache has the address of the slot.
        self.word.store(CACHED, Relaxed);
    }

    /// Marks a slot that the caller has just popped or taken from a cache.
    #[inline(always)]
    pub(crate) fn set_held(&self, initial_state: u32) {
        // Relaxed: a context that gets the buffer gets the mark together with it.
        self.word.store(initial_state, Relaxed);
        self.touch_write();
    }

    // ---- as a reference count

    /// Adds one handle. If there are more than 2^27, it traps, which cannot unwind.
    #[inline(always)]
    pub(crate) fn retain(&self) {
        // Relaxed: the handle that is cloned keeps the buffer alive.
        if self.word.fetch_add(1, Relaxed) & OVERFLOW != 0 {
            trap();
        }
    }

    /// The count and the kind, for the drop of a handle that may be shared. If the value is exactly
    /// [`UNIQUE_SLOT`], this is the only handle on a slot without flags. Then the drop may push at
    /// once.
    #[inline(always)]
    pub(crate) fn value(&self) -> u32 {
        // Acquire: pairs with the Release of `release` by the other holders. Their reads of the
        // payload come before the writes of the next owner.
        self.word.load(Acquire)
    }

    /// Gives up one of the handles that [`value`](Self::value) counted. If it was the last one
    /// after all, returns the kind of the buffer, and the caller frees it.
    #[inline]
    pub(crate) fn release(&self, value: u32) -> Option<BufferKind> {
        if value & COUNT == 0 {
            return Some(BufferKind(value));
        }
        // Release: the reads of the payload by this holder come before the free by the last holder.
        let old = self.word.fetch_sub(1, Release);
        if old & COUNT != 0 {
            return None;
        }
        // Acquire: pairs with the Release of every holder that let go before. This is a load and
        // not a fence, because ThreadSanitizer does not see a fence, and loom treats a fence as
        // stronger than it is.
        self.word.load(Acquire);
        Some(BufferKind(old))
    }

    /// True if no other handle exists. Then the caller, who holds one, may write.
    #[inline(always)]
    pub(crate) fn is_unique(&self) -> bool {
        // Acquire: pairs with the Release of `release`. The reads of the former holders come before
        // our writes.
        self.word.load(Acquire) & COUNT == 0
    }

    /// The kind of a slot if the caller holds its only handle. None if other handles exist, or if
    /// the buffer is no slot.
    #[inline(always)]
    pub(crate) fn unique_slot(&self) -> Option<BufferKind> {
        let value = self.value();
        (value & (SLOT | COUNT) == SLOT).then_some(BufferKind(value))
    }

    /// The kind of a buffer on which the caller holds a handle.
    #[inline(always)]
    pub(crate) fn kind(&self) -> BufferKind {
        // The kind and the flags do not change while a handle exists. What says *whole* changes
        // only by the only handle.
        BufferKind(self.word.load_settled())
    }

    /// True if the caller's handle, the only one, is on a slot without flags. Then its drop may
    /// push at once.
    #[inline(always)]
    pub(crate) fn is_plain(&self) -> bool {
        // The caller has been the only holder since an Acquire, or since the allocation.
        self.word.load_settled() == UNIQUE_SLOT
    }

    // ---- of a buffer whose halves are written

    /// Adds a half. The caller holds a handle that writes.
    pub(crate) fn halve(&self) {
        // The caller's handle is the only one, or it has seen the word of a half.
        let value = self.word.load_settled();
        if value & WHOLE == 0 {
            return self.retain();
        }
        // Relaxed: the caller holds the only handle, so nothing else writes the word. A context that
        // gets a half gets the word together with it.
        self.word.store((value & !WHOLE) + 1, Relaxed);
    }

    /// True if no other handle exists. Then the caller, who holds one, has the whole buffer, and the
    /// word says so.
    pub(crate) fn take_whole(&self) -> bool {
        // The Acquire in it pairs with the Release of `release`: what the other halves wrote comes
        // before what the caller writes there.
        let value = self.value();
        if value & COUNT != 0 {
            return false;
        }
        if value & SLOT != 0 {
            // Relaxed: the caller holds the only handle, so nothing else writes the word.
            self.word.store(value | WHOLE, Relaxed);
        }
        true
    }

    // ---- as a raw allocation

    /// Takes a raw slot from its owner, to free it or to turn it into a handle. False if the slot
    /// is not raw (any more).
    #[inline(always)]
    pub(crate) fn claim_raw(&self, to: u32) -> bool {
        // This is a compare-and-swap, because a load could not separate two frees that race, and a
        // swap would overwrite a link.
        // Relaxed: the pointer and the payload reached the caller by its own synchronisation.
        self.word.compare_exchange(RAW, to, Relaxed, Relaxed).is_ok()
    }

    /// Claims a raw slot, to free it.
    #[inline(always)]
    pub(crate) fn claim_raw_for_free(&self) -> bool {
        self.claim_raw(USED)
    }

    // ---- for statistics

    /// True if the slot is held, as a raw pointer or by handles.
    pub(crate) fn in_use(&self) -> bool {
        // Relaxed: this is a snapshot. The head shows whether it is consistent.
        self.word.load(Relaxed) >= RAW
    }

    /// Whether the slot is in use, and whether it is in a cache.
    pub(crate) fn hands(&self) -> (bool, bool) {
        // Relaxed: this is a snapshot. The head shows whether it is consistent.
        let word = self.word.load(Relaxed);
        (word >= RAW, word == CACHED)
    }

    /// True if the slot was popped at least once since the start, or since the last
    /// [`rest`](Self::rest).
    pub(crate) fn was_used(&self) -> bool {
        // Relaxed: this is a snapshot.
        self.word.load(Relaxed) >= 2 * RESTED
    }

    /// Marks a free slot as one that has not been used. Does nothing if the slot is not free.
    pub(crate) fn rest(&self) {
        // Relaxed: only compared, and the link in it stays as it is.
        let word = self.word.load(Relaxed);
        if (2 * RESTED..CACHED).contains(&word) {
            // A compare-and-swap: a store would overwrite the mark of a pop that has come
            // meanwhile. If it fails, the slot has been used.
            // Relaxed: the link was published with the push, and a pop that reads this word
            // instead reads the same link.
            let rested = RESTED | word & (RESTED - 1);
            let _ = self.word.compare_exchange(word, rested, Relaxed, Relaxed);
        }
    }

    /// If the slot is held: the number of handles on it; none of them for a raw slot.
    #[cfg(feature = "track")]
    pub(crate) fn handles(&self) -> Option<Option<usize>> {
        // Relaxed: this is a snapshot.
        let word = self.word.load(Relaxed);
        (word >= RAW).then(|| (word != RAW).then_some((word & COUNT) as usize + 1))
    }

    /// Who holds the slot.
    #[cfg(feature = "track")]
    pub(crate) fn holder(&self) -> &HolderCell {
        &self.holder
    }

    // ---- for models

    /// Sets the word as if there were so many handles.
    #[cfg(loom)]
    pub fn set_handles(&self, handles: u32) {
        // Relaxed: no other thread of the model uses the buffer at this moment.
        self.word.store(UNIQUE_SLOT | handles - 1, Relaxed);
    }

    // ---- for loom: where the payload is touched

    /// Stands beside every read of the payload.
    #[inline(always)]
    pub(crate) fn touch_read(&self) {
        self.touch_read_part(0);
    }

    /// As `touch_read`, for the bytes of a half by its number. 0 is all bytes.
    #[inline(always)]
    pub(crate) fn touch_read_part(&self, part: usize) {
        self.part(part).iter().for_each(Track::read);
    }

    /// Stands beside every write of the payload, and just before the push.
    #[inline(always)]
    pub(crate) fn touch_write(&self) {
        self.touch_write_part(0);
    }

    /// As `touch_write`, for the bytes of a half by its number. 0 is all bytes.
    #[inline(always)]
    pub(crate) fn touch_write_part(&self, part: usize) {
        self.part(part).iter().for_each(Track::write);
    }

    /// What stands for the bytes of a half.
    #[inline(always)]
    fn part(&self, part: usize) -> &[Track] {
        self.tracks.get(part.wrapping_sub(1)).map_or(&self.tracks, slice::from_ref)
    }
}
