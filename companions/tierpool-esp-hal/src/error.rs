//! What is refused before a transfer begins.

use core::fmt;

use crate::descriptors::Descriptors;

/// Why a buffer cannot be used for DMA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// There are no bytes to be sent, or no room to receive into. On a chip with a cache, this is
    /// also a room that is smaller than a line of the cache.
    Empty,
    /// The bytes to be sent, or the room behind the data, must start at a multiple of `align`
    /// bytes.
    Unaligned {
        /// In bytes. Declare the pool with this `align`.
        align: usize,
    },
    /// The DMA cannot reach this memory: flash, or PSRAM on a chip whose DMA reaches internal RAM
    /// alone.
    OutOfReach,
    /// Each descriptor takes at most [`CHUNK`](crate::CHUNK) bytes, so that these are too few.
    TooFewDescriptors {
        /// How many the buffer needs.
        needed: usize,
        /// How many there are.
        available: usize,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Empty => f.write_str("nothing to send, or no room to receive"),
            Error::Unaligned { align } => {
                write!(f, "does not start at a multiple of {align} bytes")
            }
            Error::OutOfReach => f.write_str("the DMA cannot reach this memory"),
            Error::TooFewDescriptors { needed, available } => {
                write!(f, "needs {needed} descriptors, has {available}")
            }
        }
    }
}

impl core::error::Error for Error {}

/// A buffer that was refused comes back with its descriptors.
#[derive(Debug)]
pub struct Refused<B> {
    /// The reason.
    pub error: Error,
    /// The descriptors, as they were.
    pub descriptors: Descriptors,
    /// The buffer, as it was.
    pub buffer: B,
}

impl<B> fmt::Display for Refused<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<B: fmt::Debug> core::error::Error for Refused<B> {}
