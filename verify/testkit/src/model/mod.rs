//! Handles and pools beside a model of plain vectors, which foretells every answer.
//!
//! ```text
//!   ops    what can be done
//!   side   one pool beside what it must answer: which slots are free, what the heap has out
//!   world  two sides, and all handles beside their contents and the buffers that they share;
//!          the steps: `unique` on a BytesMut, `halves` on those of one slot, `shared` on a Bytes,
//!          `raw` on a raw allocation
//!   chains chains of buffers on a pool of their own
//! ```
//!
//! `tests/model` drives it by random sequences, the fuzz target `handles` by the bytes of its
//! input.

pub mod chains;
mod halves;
pub mod ops;
mod raw;
mod shared;
mod side;
mod unique;
pub mod world;
