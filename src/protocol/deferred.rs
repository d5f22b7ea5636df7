//! Fallback buffers that wait to be freed, and the number of fallback buffers that handles hold.
//!
//! ```text
//!   last drop ──push──► head ──► Node ──► Node ──► ∅        take_all: one swap takes the whole list
//! ```
//!
//! This is a Treiber stack of pointers. It needs no tag, because nothing pops a single node:
//! `take_all` always takes the whole list.

use core::ptr::{self, NonNull};

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
    /// The number of fallback buffers that handles hold.
    live: AtomicU32,
}

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
        self.live.load(Acquire)
    }

    /// Counts a buffer that gets its first handle.
    pub(crate) fn count_made(&self) {
        // Relaxed: this is only a count. `live` reads 0 only after the decrement, which is Release.
        self.live.fetch_add(1, Relaxed);
    }

    /// Counts a buffer whose last handle is gone.
    pub(crate) fn count_freed(&self) {
        // Release: a reader of 0 sees that the buffer is no longer in use.
        self.live.fetch_sub(1, Release);
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
