//! Fallback buffers that wait to be freed, and the count of those that handles hold.
//!
//! ```text
//!   last drop ──push──► head ──► Node ──► Node ──► ∅        take_all: one swap takes the whole list
//! ```
//!
//! A Treiber stack of pointers. It needs no tag, because nobody pops one node: the list is only ever taken whole.

use core::ptr::{self, NonNull};

use crate::protocol::atomics::{Acquire, AtomicExt, AtomicPtr, AtomicU32, Relaxed, Release, const_unless_loom};
use crate::protocol::slot_state::StateWord;

/// The words at the start of a fallback buffer's control block.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Node {
    /// First, so that a pointer to it is a pointer to the node.
    state: StateWord,
    /// The next node of the list.
    link: AtomicPtr<Node>,
}

impl Node {
    /// A node on no list, whose buffer is in this state.
    pub(crate) fn new(state: u32) -> Self {
        Node { state: StateWord::new(state), link: AtomicPtr::new(ptr::null_mut()) }
    }

    pub(crate) fn state(&self) -> &StateWord {
        &self.state
    }

    /// The node behind this one, of a list that is the caller's.
    pub(crate) fn next(&self) -> Option<NonNull<Node>> {
        // Relaxed: seen by the Acquire of `take_all`.
        NonNull::new(self.link.load(Relaxed))
    }
}

/// A pool's words for its fallback. All zero at start.
#[derive(Debug)]
pub(crate) struct Deferred {
    /// Nodes whose last handle is gone.
    head: AtomicPtr<Node>,
    /// Buffers that handles hold.
    live: AtomicU32,
}

impl Deferred {
    const_unless_loom! {
        pub(crate) fn new() -> Self {
            Deferred { head: AtomicPtr::new(ptr::null_mut()), live: AtomicU32::new(0) }
        }
    }

    /// Buffers of the fallback that handles hold. At 0, all that was done with them has happened before.
    pub(crate) fn live(&self) -> u32 {
        // Acquire: pairs with the Release of `count_freed`.
        self.live.load(Acquire)
    }

    /// Counts a buffer that gets its first handle.
    pub(crate) fn count_made(&self) {
        // Relaxed: a count; `live` is read as 0 only after the decrement.
        self.live.fetch_add(1, Relaxed);
    }

    /// Counts a buffer whose last handle is gone.
    pub(crate) fn count_freed(&self) {
        // Release: whoever reads 0 sees that the buffer is no longer in use.
        self.live.fetch_sub(1, Release);
    }

    /// Puts a node on the list.
    ///
    /// # Safety
    /// `node` is valid until [`take_all`](Self::take_all) has returned it, and the caller's alone.
    pub(crate) unsafe fn push(&self, node: NonNull<Node>) {
        // Release: publishes the link, and the last holder's use of the payload, to the Acquire of `take_all`.
        self.head.replace(Release, |head| {
            // SAFETY: the caller owns the node until the swap succeeds.
            // Relaxed: published by the swap.
            unsafe { node.as_ref() }.link.store(head, Relaxed);
            node.as_ptr()
        });
    }

    /// Takes the whole list: the node pushed last, which leads to all others.
    pub(crate) fn take_all(&self) -> Option<NonNull<Node>> {
        // Relaxed: a node that is missed here waits for the next call. Spares an idle list the swap.
        if self.head.load(Relaxed).is_null() {
            return None;
        }
        // Acquire: pairs with the Release of every push, whose release sequences the swaps continue.
        NonNull::new(self.head.swap(ptr::null_mut(), Acquire))
    }
}
