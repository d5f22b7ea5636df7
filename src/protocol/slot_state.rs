//! The state word of a buffer: who owns it, and how many handles share it.
//!
//! ```text
//!   31 30 29 28 27 26                          0
//!    0  0  0  0  0 | 0                          never used, and free: its link is the next higher slot
//!    0  ?  ?  ?  ? | USED + link                free, used before; the link is signed, in the low 11 bits
//!    0  1  1  0  0 | 0                          in a cache
//!    1  0  0  0  0 | 0                          raw: a pointer from `allocate`
//!    1  0  1  0  . | handles - 1                handles on a buffer of the fallback
//!    1  1  S  W  . | handles - 1                handles on a slot; S pool-only, W wipe before the push
//!                `--------------------------- a count that reaches bit 27 traps, far below a wrap
//! ```
//!
//! A clone adds first and looks then, so those that run at the same moment get past bit 27 by one each. None of them goes on
//! (a trap does not return, and no context clones twice), so the count would wrap, from bit 28 on, into the flags only if 2^27
//! threads, cores and nested interrupt handlers were in `retain` at once.
//!
//! | from | to | by |
//! |---|---|---|
//! | free | raw, handles, cached | whoever popped the slot, with a plain store: nobody else may write it |
//! | cached | handles, free | the owner of the cache, with a plain store, in front of its push |
//! | raw | free | `deallocate`, with a compare-and-swap: of two racing frees one wins |
//! | handles | handles ± 1 | clone, drop |
//! | handles (1) | free, cached | the last holder, before its push |
//! | free, used | never used | never: so the highest slot that is not 0 tells the largest number in use |
//!
//! S and W are looked at only where the word is not exactly [`UNIQUE_SLOT`]: a plain buffer's last drop does not pay
//! for them. While the last of several holders frees a slot, the count has wrapped below zero into the flags;
//! nobody reads flags then, since nobody else holds the buffer, and the holder took them from the old value.

use crate::protocol::atomics::{Acquire, AtomicExt, AtomicU32, Padded, Relaxed, Release, Track, const_unless_loom, trap};

/// A free slot that has been used, plus its link.
const USED: u32 = 0x4000_0000;
/// In a cache.
const CACHED: u32 = 0x6000_0000;
/// Bits of a link with its sign: from -1022 to 1021.
const LINK_BITS: u32 = 11;
/// Handed out as a raw pointer.
pub(crate) const RAW: u32 = 0x8000_0000;
/// Handles on a buffer of the fallback.
pub(crate) const FALLBACK: u32 = 0xA000_0000;
/// Handles on a slot, one reference, no flag.
pub(crate) const UNIQUE_SLOT: u32 = 0xC000_0000;
/// The buffer neither grows nor copies into the fallback.
pub(crate) const POOL_ONLY: u32 = 0x2000_0000;
/// The slot is wiped before it is pushed.
pub(crate) const WIPE: u32 = 0x1000_0000;
/// The count has come near its end.
const OVERFLOW: u32 = 0x0800_0000;
/// Handles minus one.
const COUNT: u32 = 0x0FFF_FFFF;

/// What a last holder learns about the buffer that it has to free.
#[derive(Clone, Copy)]
pub(crate) struct BufferKind(u32);

impl BufferKind {
    pub(crate) fn is_fallback(self) -> bool {
        self.0 & (UNIQUE_SLOT | POOL_ONLY) == FALLBACK
    }

    pub(crate) fn is_pool_only(self) -> bool {
        self.0 & (UNIQUE_SLOT | POOL_ONLY) == UNIQUE_SLOT | POOL_ONLY
    }

    pub(crate) fn wipes(self) -> bool {
        self.0 & WIPE != 0
    }
}

/// One slot's (or one fallback buffer's) state. Lies in internal RAM: it is the target of atomic instructions.
#[derive(Debug)]
pub struct StateWord {
    word: AtomicU32,
    track: Track,
}

/// A slot's state word as it lies in the array of a tier: bare on 32-bit targets, a cache line on hosts.
pub(crate) type StateCell = Padded<StateWord>;

#[cfg(all(target_pointer_width = "32", not(any(loom, shuttle))))]
const _: () = assert!(size_of::<StateCell>() == 4, "4 bytes of metadata a slot");

impl StateWord {
    const_unless_loom! {
        pub(crate) fn new(value: u32) -> Self {
            StateWord { word: AtomicU32::new(value), track: Track::new() }
        }
    }

    // ---- as a link of the free list

    /// The link of a free slot: the slot below it, less the next higher slot. Garbage if the slot is not free.
    #[inline(always)]
    pub(crate) fn link(&self) -> i32 {
        // Relaxed: a current link was published by the head's Release, seen by the Acquire that read the head.
        // A stale one dies with the compare-and-swap on the head, whose tag has moved.
        (self.word.load_settled() << (32 - LINK_BITS)) as i32 >> (32 - LINK_BITS)
    }

    /// Marks the slot free and used, with its link. The caller owns the slot and pushes it next.
    #[inline(always)]
    pub(crate) fn set_free(&self, link: i32) {
        // Relaxed: the push's Release publishes it.
        self.word.store(USED.wrapping_add_signed(link), Relaxed);
    }

    /// Marks a slot of the caller's as one of a cache.
    #[inline(always)]
    pub(crate) fn set_cached(&self) {
        // Relaxed: it tells statistics and wrong frees that the slot is nobody's; the owner of the cache has its address.
        self.word.store(CACHED, Relaxed);
    }

    /// Marks a slot that the caller has just popped.
    #[inline(always)]
    pub(crate) fn set_held(&self, initial_state: u32) {
        // Relaxed: whoever gets the buffer gets the mark with it.
        self.word.store(initial_state, Relaxed);
        self.track.write();
    }

    // ---- as a reference count

    /// One more handle. Traps, and cannot unwind, if there are more than 2^27.
    #[inline(always)]
    pub(crate) fn retain(&self) {
        // Relaxed: the handle that is cloned keeps the buffer alive.
        if self.word.fetch_add(1, Relaxed) & OVERFLOW != 0 {
            trap();
        }
    }

    /// Count and kind, as the drop of a shared handle looks at them: exactly [`UNIQUE_SLOT`] means the only handle on a slot
    /// with no flag to look after, and the drop may push at once.
    #[inline(always)]
    pub(crate) fn value(&self) -> u32 {
        // Acquire: pairs with the Release of the other holders' `release`; their reads of the payload come
        // before the next owner's writes.
        self.word.load(Acquire)
    }

    /// Gives up one handle of the several that [`value`](Self::value) counted; tells the kind
    /// of the buffer if it was the last after all, and the caller frees it.
    #[inline]
    pub(crate) fn release(&self, value: u32) -> Option<BufferKind> {
        if value & COUNT == 0 {
            return Some(BufferKind(value));
        }
        // Release: this holder's reads of the payload come before the last holder's free.
        let old = self.word.fetch_sub(1, Release);
        if old & COUNT != 0 {
            return None;
        }
        // Acquire: pairs with the Release of every holder that went before. A load, because a fence is invisible
        // to ThreadSanitizer and loom takes it for stronger than it is.
        self.word.load(Acquire);
        Some(BufferKind(old))
    }

    /// No other handle: the caller, who holds one, may write.
    #[inline(always)]
    pub(crate) fn is_unique(&self) -> bool {
        // Acquire: pairs with the Release of `release`; the former holders' reads come before our writes.
        self.word.load(Acquire) & COUNT == 0
    }

    /// The kind of a slot of which the caller holds the only handle: none if others do, or if it is no slot.
    #[inline(always)]
    pub(crate) fn unique_slot(&self) -> Option<BufferKind> {
        let value = self.value();
        (value & (UNIQUE_SLOT | COUNT) == UNIQUE_SLOT).then_some(BufferKind(value))
    }

    /// The kind of a buffer of which the caller holds a handle.
    #[inline(always)]
    pub(crate) fn kind(&self) -> BufferKind {
        // BufferKind and flags do not change while a handle exists.
        BufferKind(self.word.load_settled())
    }

    /// The caller's only handle on a plain slot: its drop may push at once.
    #[inline(always)]
    pub(crate) fn is_plain(&self) -> bool {
        // The caller is the only holder, and has been since an Acquire or since the allocation.
        self.word.load_settled() == UNIQUE_SLOT
    }

    // ---- as a raw allocation

    /// Takes a raw slot from its owner, to free it or to make it a handle. Fails if it is not raw (any more).
    #[inline(always)]
    pub(crate) fn claim_raw(&self, to: u32) -> bool {
        // A compare-and-swap: a load could not separate two racing frees, a swap would overwrite a link.
        // Relaxed: pointer and payload reached the caller by its own synchronisation.
        self.word.compare_exchange(RAW, to, Relaxed, Relaxed).is_ok()
    }

    /// Claims a raw slot for a free.
    #[inline(always)]
    pub(crate) fn claim_raw_for_free(&self) -> bool {
        self.claim_raw(USED)
    }

    // ---- for statistics

    /// Held by somebody: raw, or by handles.
    pub(crate) fn in_use(&self) -> bool {
        // Relaxed: a snapshot; the head tells whether it is consistent.
        self.word.load(Relaxed) >> 31 != 0
    }

    /// In use; in a cache.
    pub(crate) fn hands(&self) -> (bool, bool) {
        // Relaxed: a snapshot; the head tells whether it is consistent.
        let word = self.word.load(Relaxed);
        (word >> 31 != 0, word == CACHED)
    }

    /// Popped at least once.
    pub(crate) fn was_used(&self) -> bool {
        // Relaxed: it changes once, from no to yes.
        self.word.load(Relaxed) != 0
    }

    // ---- for models

    /// As if there were so many handles.
    #[cfg(loom)]
    pub fn set_handles(&self, handles: u32) {
        // Relaxed: no other thread of the model uses the buffer at this moment.
        self.word.store(UNIQUE_SLOT | handles - 1, Relaxed);
    }

    // ---- for loom: where the payload is touched

    /// Beside every read of the payload.
    #[inline(always)]
    pub(crate) fn touch_read(&self) {
        self.track.read();
    }

    /// Beside every write of the payload, and just before the push.
    #[inline(always)]
    pub(crate) fn touch_write(&self) {
        self.track.write();
    }
}
