//! What a full chain answers.

use core::fmt;

use crate::buf::bytes::Bytes;
use crate::error::{CHAIN_FULL, Error};

/// A [`Chain`](crate::Chain) has no place for another part. The error gives the part back, and the
/// chain is unchanged.
///
/// It is also the error if the chain would have more than `usize::MAX` bytes, which only static
/// bytes that are pushed many times can cause.
///
/// ```
/// use tierpool::{Bytes, Chain};
///
/// let mut chain = Chain::<1>::from(Bytes::from_static(b"head"));
/// let full = chain.push_back(Bytes::from_static(b"body")).unwrap_err();
/// assert_eq!(full.bytes, "body");
/// ```
#[derive(Debug)]
pub struct ChainFull {
    /// The part that the caller had.
    pub bytes: Bytes,
}

impl fmt::Display for ChainFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(CHAIN_FULL)
    }
}

impl core::error::Error for ChainFull {}

impl From<ChainFull> for Error {
    fn from(_: ChainFull) -> Self {
        Error::ChainFull
    }
}
