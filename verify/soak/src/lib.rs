//! Workers that do everything that pools allow, and much that they must refuse, and the audit that finds what is lost.
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
//! | [`choices`] | where a worker's decisions come from: random numbers, or the bytes of a fuzzer |
//! | [`operations`] | the table of what a worker may do, and how often |
//! | [`worker`] | one thread's share: what it holds, and its steps: requests ([`requests`]), steps on a `BytesMut` ([`unique`]), on a `Bytes` ([`shared`]), on raw slots ([`raw`]), requests that wait ([`wait`]), and and what must fail ([`faults`]) |
//! | [`pattern`] | contents that tell whether somebody else wrote into a buffer |
//! | [`objects`] | values in an object pool, some with destructors that panic |
//! | [`audit`] | conservation, checked while all workers stand still |
//!
//! The program `soak` drives them with random numbers on two threads a core; the fuzz target `threads` drives two by one
//! input.

#[path = "../../../tests/common/mod.rs"]
mod common;

pub mod audit;
pub mod choices;
pub mod faults;
pub mod objects;
pub mod operations;
pub mod pattern;
pub mod pools;
pub mod raw;
pub mod requests;
pub mod shared;
pub mod unique;
pub mod wait;
pub mod worker;
