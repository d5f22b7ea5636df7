//! The lock-free protocol: every atomic access whose ordering is stronger than Relaxed.
//!
//! ```text
//!   free_list ──► slot_state ──┐
//!       └───────► counter ─────┼──► atomics
//!   deferred, waker_cell ──────┘
//! ```
//!
//! This layer knows indices, words and orderings. It knows no bytes, no sizes and no handles.
//! `DESIGN.md` has a table of all its orderings. `cargo xtask mutants` fails if an ordering
//! stronger than Relaxed stands outside this folder.

pub(crate) mod atomics;
pub(crate) mod counter;
pub(crate) mod deferred;
pub(crate) mod free_list;
pub(crate) mod slot_state;
#[cfg(feature = "wait")]
pub(crate) mod waker_cell;
