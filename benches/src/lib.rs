//! What `tierpool` costs beside what a user would pick instead.
//!
//! ```text
//!   questions ──► candidates        what is measured
//!       │  └────► round ─► floor    all of them interleaved, in times of uncontended compare-and-swaps
//!       │           └────► team     threads that work at the same time
//!       └───────► record            lines of JSON, for `cargo xtask bench`
//! ```
//!
//! The [switch] lets crates that allocate globally be measured on two allocators.

#![cfg(feature = "lanes")] // whose counters of instructions do without

pub mod candidates;
pub mod floor;
pub mod opaque;
pub mod questions;
pub mod record;
pub mod round;
pub mod spread;
pub mod switch;
pub mod team;

#[global_allocator]
static ALLOCATOR: switch::Switch = switch::Switch;
