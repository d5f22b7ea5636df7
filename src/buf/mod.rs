//! The handles, [`Bytes`] and [`BytesMut`], and how a pool hands them out.
//!
//! ```text
//!   alloc ──────► Bytes, BytesMut ──► handle ──► pool
//!                    ▲                   └► view: which bytes of the buffer a handle shows
//!   headroom, grow, halves, copy_on_write, traits: more methods of the two
//!   chain, chain_mut: several of the two that read as one
//! ```

pub(crate) mod alloc;
pub(crate) mod bytes;
pub(crate) mod bytes_mut;
pub(crate) mod chain;
pub(crate) mod chain_mut;
pub(crate) mod copy_on_write;
mod grow;
mod halves;
pub(crate) mod handle;
mod headroom;
mod traits;

pub use bytes::Bytes;
pub use bytes_mut::BytesMut;
pub use chain::Chain;
pub use chain::full::ChainFull;
pub use chain_mut::ChainMut;
pub use copy_on_write::IntoMutError;
