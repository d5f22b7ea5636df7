//! Fallback buffers that wait to be freed, and the number of fallback buffers that handles hold.
//!
//! ```text
//!   last drop ──push──► head ──► Node ──► Node ──► ∅        take_all: one swap takes the whole list
//! ```
//!
//! This is a Treiber stack of pointers. It needs no tag, because nothing pops a single node:
//! `take_all` always takes the whole list.
//!
//! The top bit of the count says that somebody waits for memory of the fallback. A waiter and the
//! last drop of a buffer meet in this word, so one of them sees the other:
//!
//! ```text
//!   waiter      registers its waker ──► sets the bit ──► asks the fallback once more ──► sleeps
//!   last drop   frees the memory ──► counts down: was the bit set? ──► clears it ──► wakes
//! ```

use core::ptr::{self, NonNull};

#[cfg(feature = "wait")]
use crate::protocol::atomics::AcqRel;
use crate::protocol::atomics::{
    Acquire, AtomicExt, AtomicPtr, AtomicU32, Relaxed, Release, const_unless_loom,
};
use crate::protocol::slot_state::StateWord;

/// The words at the start of the control block of a fallback buffer.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Node {
    /// The state word of the buffer. It is the first field, so that a pointer to it is a pointer to
    /// the node.
    state: StateWord,
    /// The next node of the list; null at the end of the list, and on no list.
    link: AtomicPtr<Node>,
}

impl Node {
    /// A node on no list. `state` is the state of its buffer.
    pub(crate) fn new(state: u32) -> Self {
        Node { state: StateWord::new(state), link: AtomicPtr::new(ptr::null_mut()) }
    }

    /// The state word of the buffer.
    pub(crate) fn state(&self) -> &StateWord {
        &self.state
    }

    /// The next node of a list that the caller has taken; none at its end.
    pub(crate) fn next(&self) -> Option<NonNull<Node>> {
        // Relaxed: the Acquire of `take_all` has seen this link.
        NonNull::new(self.link.load(Relaxed))
    }
}

/// The words of a pool for its fallback. All are zero at start.
#[derive(Debug)]
pub(crate) struct Deferred {
    /// The list of nodes whose last handle is gone: the node pushed last, or null.
    head: AtomicPtr<Node>,
    /// The number of fallback buffers that handles hold, and [`WAITED`].
    live: AtomicU32,
}

/// Somebody waits for memory of the fallback. No count reaches this bit: each buffer takes more
/// than two bytes.
const WAITED: u32 = 1 << 31;

impl Deferred {
    const_unless_loom! {
        /// No node, no buffer.
        pub(crate) fn new() -> Self {
            Deferred { head: AtomicPtr::new(ptr::null_mut()), live: AtomicU32::new(0) }
        }
    }

    /// The number of fallback buffers that handles hold. If it is 0, everything that was done with
    /// these buffers has happened before.
    pub(crate) fn live(&self) -> u32 {
        // Acquire: pairs with the Release of `count_freed`.
        self.live.load(Acquire) & !WAITED
    }

    /// Asks to be told of the next buffer that comes back, by
    /// [`count_freed`](Self::count_freed). What came back before is then there for the caller's
    /// next try.
    #[cfg(feature = "wait")]
    pub(crate) fn arm(&self) {
        // Acquire: pairs with the Release of `count_freed`: the memory that came back before.
        // Release: pairs with the Acquire of `count_freed`, which sees the waker of the caller.
        self.live.fetch_or(WAITED, AcqRel);
    }

    /// Counts a buffer that gets its first handle.
    pub(crate) fn count_made(&self) {
        // Relaxed: this is only a count. `live` reads 0 only after the decrement, which is Release.
        self.live.fetch_add(1, Relaxed);
    }

    /// Counts a buffer whose last handle is gone. True if somebody waits for its memory, and must
    /// be told.
    pub(crate) fn count_freed(&self) -> bool {
        // Release: a reader of 0 sees that the buffer is no longer in use. A waiter that arms later
        // finds its memory.
        let before = self.live.fetch_sub(1, Release);
        if cfg!(feature = "wait") && before & WAITED != 0 {
            // Acquire: pairs with the Release of `arm`. Of several frees, one tells.
            return self.live.fetch_and(!WAITED, Acquire) & WAITED != 0;
        }
        false
    }

    /// Pushes a node on the list.
    ///
    /// # Safety
    /// `node` is valid until [`take_all`](Self::take_all) has returned it. Only the caller uses it.
    pub(crate) unsafe fn push(&self, node: NonNull<Node>) {
        // Release: publishes the link, and the last holder's accesses to the payload, to the
        // Acquire of `take_all`.
        self.head.replace(Release, |head| {
            // SAFETY: the caller owns the node until the compare-and-swap succeeds.
            // Relaxed: the compare-and-swap publishes the link.
            unsafe { node.as_ref() }.link.store(head, Relaxed);
            node.as_ptr()
        });
    }

    /// Takes the whole list. Returns the node pushed last, which leads to all others.
    pub(crate) fn take_all(&self) -> Option<NonNull<Node>> {
        // Relaxed: a node that this load misses waits for the next call. The load saves the swap if
        // the list is empty.
        if self.head.load(Relaxed).is_null() {
            return None;
        }
        // Acquire: pairs with the Release of every push. Later swaps continue the release sequences
        // of the earlier ones.
        NonNull::new(self.head.swap(ptr::null_mut(), Acquire))
    }
}
