//! Workers that do everything that pools allow, and much that they must refuse, and the audit that
//! finds what is lost.
//!
//! ```text
//!   choices ──► worker 0 ─┐ ▲ messages                       pause: all workers stop and tell what they hold
//!   choices ──► worker 1 ─┼─┘          ──► pools of all ──►  audit: slots that can be taken + held + in caches
//!   choices ──► worker 2 ─┘                options                  = all slots, none of them twice
//! ```
//!
//! | module | holds |
//! |---|---|
//! | [`pools`] | the pools under test, with all options mixed, and the heaps behind them |
//! | [`objects`] | values in an object pool, some with destructors that panic |
//! | [`held`] | what a worker holds, each with what must be true of it |
//! | [`counts`] | how often a worker has done what |
//! | [`worker`] | one thread's share: all that it holds, and what goes to others |
//! | `steps` | what a worker may do: ask for a buffer, work on a `BytesMut`, a `Bytes`, raw slots or objects, wait, and what must fail |
//! | [`operations`] | the table of these steps, and how often each is done |
//! | [`drive`] | a step of a worker, its mistakes on purpose, and its end |
//! | [`audit`] | conservation, checked while all workers stand still |
//!
//! A module imports those above it alone. The program `soak` drives workers with random numbers on
//! two threads a core; the fuzz target `threads` drives two by one input.

pub mod audit;
pub mod counts;
pub mod drive;
pub mod held;
pub mod objects;
pub mod operations;
pub mod pools;
mod steps;
pub mod worker;
