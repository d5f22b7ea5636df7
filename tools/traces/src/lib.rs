//! Recorded heap traffic: every allocation and free of a program, in order.
//!
//! A trace is what a tier list is sized with, replayed in tests and measured on. It comes in two
//! forms:
//!
//! | form | for | looks like | module |
//! |---|---|---|---|
//! | text, `.trace` | recording, reading | a line an event: `a ID SIZE` or `f ID`, `#` starts a comment | [`log`] |
//! | packed, `.tpt` | keeping | one or two bytes an event | [`packed`] |
//!
//! [`log`] also reads what other tools record.
//!
//! An ID names a block while it lives and is used again after its free. [`Trace`] always holds the
//! same IDs for the same traffic: an allocation gets the *lowest ID not in use*. The packed form
//! therefore stores none for allocations, and a replay needs a table of exactly
//! [`Trace::peak_blocks`] entries.
//!
//! ```
//! use tierpool_traces::{Event, Trace};
//!
//! let trace = Trace::reticulum_transport();
//! let allocations = trace.events().filter(|event| matches!(event, Event::Alloc { .. }));
//! assert_eq!(allocations.count(), 87_044);
//! ```
//!
//! `fit`, with the feature of that name, finds the tiers that serve a trace best.
//!
//! The command converts between the forms and says what a trace holds:
//! `cargo run -p tierpool-traces -- pack IN.trace OUT.tpt`.

#![deny(missing_docs, missing_debug_implementations)]

pub mod error;
#[cfg(feature = "fit")]
pub mod fit;
mod ids;
pub mod log;
pub mod packed;
pub mod summary;
mod text;

use ids::Ids;

/// One step of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A block of `size` bytes comes to life under `id`, the lowest that no live block has.
    Alloc {
        /// The block's name until it is freed.
        id: u32,
        /// Bytes asked for.
        size: u32,
    },
    /// The block `id` is freed.
    Free {
        /// The name of a live block.
        id: u32,
    },
}

/// A whole trace in memory, known to be well formed: every free names a live block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    events: Vec<Event>,
    ids: Ids,
}

impl Trace {
    /// Every heap allocation of a Reticulum stack's transport test: 87 044 of them, in 173 950
    /// events.
    pub fn reticulum_transport() -> Trace {
        Trace::embedded(include_bytes!("../data/reticulum-transport.tpt"))
    }

    /// Every heap allocation of the same stack's loopback test: 560 of them, in 982 events.
    pub fn reticulum_loopback() -> Trace {
        Trace::embedded(include_bytes!("../data/reticulum-loopback.tpt"))
    }

    fn embedded(bytes: &[u8]) -> Trace {
        packed::unpack(bytes).expect("the traces that come with this package are well formed")
    }

    /// The events in order.
    pub fn events(&self) -> impl ExactSizeIterator<Item = Event> + '_ {
        self.events.iter().copied()
    }

    /// The largest number of blocks alive at once. Every ID is below it.
    pub fn peak_blocks(&self) -> usize {
        self.ids.named()
    }

    /// Appends the allocation of `size` bytes and gives the ID that it got.
    pub fn alloc(&mut self, size: u32) -> u32 {
        let id = self.ids.take();
        self.events.push(Event::Alloc { id, size });
        id
    }

    /// Appends the free of `id`; `false`, and nothing appended, when no live block has that ID.
    #[must_use]
    pub fn free(&mut self, id: u32) -> bool {
        let live = self.ids.give_back(id);
        if live {
            self.events.push(Event::Free { id });
        }
        live
    }
}
