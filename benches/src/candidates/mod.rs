//! What is measured: `tierpool`, and what a user would pick instead, each used in the fastest way
//! that does the job.
//!
//! | file | candidates |
//! |---|---|
//! | [`own`] | `tierpool`: raw layer, handles, typed objects |
//! | [`cached`] | `tierpool` behind a cache a thread |
//! | [`typed`] | `heapless` and `atomic-pool`: pools of values of one type |
//! | `stacks` | the packet pools of xarxa and trouble, with the feature of this name |
//! | [`queue`] | indices in `crossbeam-queue`'s `ArrayQueue` |
//! | [`treiber`] | a textbook's free list and nothing else |
//! | [`locked`] | three tiers under one lock, spinning or sleeping, with `Arc` handles and without |
//! | [`malloc`] | glibc and mimalloc, raw and under `bytes` and `Arc<[u8]>` |
//! | [`heaps`] | the algorithms of esp-alloc under a lock |
//! | [`packets`] | those with reference counts, sharing packets |

pub mod cached;
pub mod heaps;
pub mod locked;
pub mod malloc;
pub mod own;
pub mod packets;
pub mod queue;
#[cfg(feature = "stacks")]
pub mod stacks;
pub mod treiber;
pub mod typed;

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::switch::Heap;
use crate::team::{Done, Team, Work};

/// Bytes of a request.
pub const LEN: usize = 500;
/// Bytes of the slot that serves it.
pub const SLOT: usize = 512;
/// Slots of each pool's tier.
pub const SLOTS: usize = 64;

/// What a candidate is, and so what it is to be compared with.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// `tierpool`
    Own,
    /// A pool of one type or with reference counts.
    TypedOrCounted,
    /// A pool under a lock.
    Locked,
    /// Reference-counted memory of a general allocator.
    Counted,
    /// A general allocator.
    Allocator,
    /// Does less than a pool: shown beside.
    Beside,
}

/// Something that does a question's operation.
pub struct Candidate {
    pub name: &'static str,
    pub kind: Kind,
    heap: Heap,
    /// It offers the processor while it waits, which the kernel counts as if it were suspended.
    pub yields: bool,
    work: Box<dyn Fn(&Work<'_>) -> Done + Send + Sync>,
}

impl Candidate {
    pub fn new(
        name: &'static str,
        kind: Kind,
        work: impl Fn(&Work<'_>) -> Done + Send + Sync + 'static,
    ) -> Candidate {
        Candidate { name, kind, heap: Heap::Glibc, yields: false, work: Box::new(work) }
    }

    /// Over this allocator.
    pub fn on(self, heap: Heap) -> Candidate {
        Candidate { heap, ..self }
    }

    /// One that yields the processor while it waits.
    pub fn yielding(self) -> Candidate {
        Candidate { yields: true, ..self }
    }

    /// Lets every thread of a team work; what each has done.
    pub fn run(&self, team: &Team, length: Duration) -> Vec<Done> {
        self.heap.choose();
        let done = team.run(length, &self.work);
        Heap::Glibc.choose();
        done
    }
}

impl fmt::Debug for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Candidate")
            .field("name", &self.name)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// Everything that allocates and frees [`LEN`] bytes.
pub fn pairs() -> Vec<Candidate> {
    let mut all = own::pairs();
    all.extend(cached::pairs());
    all.extend(typed::pairs());
    #[cfg(feature = "stacks")]
    all.extend(stacks::pairs());
    all.extend(queue::pairs());
    all.extend(treiber::pairs());
    all.extend(locked::pairs());
    all.extend(malloc::pairs());
    all.extend(heaps::pairs());
    all
}
