//! The lock-free protocol: every atomic access whose ordering is stronger than Relaxed.
//!
//! ```text
//!   free_list ──► slot_state ──┐
//!       └───────► counter ─────┼──► atomics
//!   deferred, waker_cell ──────┤
//!   holder, settle ────────────┘
//! ```
//!
//! This layer knows indices, words and orderings. It knows no bytes, no sizes and no handles.
//! `DESIGN.md` has a table of all its orderings. `cargo xtask mutants` fails if an ordering
//! stronger than Relaxed stands outside this folder.

pub(crate) mod atomics;
pub(crate) mod counter;
pub(crate) mod deferred;
pub(crate) mod free_list;
// The models have its list of fallback buffers, and not the rest.
#[cfg_attr(not(feature = "track"), allow(dead_code))]
#[cfg(any(feature = "track", loom))]
pub(crate) mod holder;
// The C interface and the models have it.
#[cfg(any(feature = "c-hooks", loom))]
pub(crate) mod settle;
pub(crate) mod slot_state;
#[cfg(feature = "wait")]
pub(crate) mod waker_cell;
