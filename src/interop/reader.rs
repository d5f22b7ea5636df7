//! Reading from the front, as the traits of embedded-io and of the standard library ask for it.
//!
//! ```text
//!   Bytes, BytesMut   one chunk
//!   Chain             a chunk for each part; a read goes on in the next one
//! ```

use crate::buf::bytes::Bytes;
use crate::buf::bytes_mut::BytesMut;
use crate::buf::chain::Chain;
use crate::error::RangeError;

/// Bytes that can be taken from the front.
pub(crate) trait Reader {
    /// The bytes that lie in one piece at the front. Empty if there are no bytes at all.
    fn front(&self) -> &[u8];

    /// The number of bytes.
    fn left(&self) -> usize;

    /// Drops bytes from the front.
    fn drop_front(&mut self, bytes: usize) -> Result<(), RangeError>;

    /// Moves bytes to `target`: as many as there are, and as fit. Returns how many.
    fn read_some(&mut self, mut target: &mut [u8]) -> usize {
        let before = self.left();
        loop {
            let front = self.front();
            let bytes = target.len().min(front.len());
            if bytes == 0 {
                return before - self.left();
            }
            let (now, later) = target.split_at_mut(bytes);
            now.copy_from_slice(&front[..bytes]);
            target = later;
            let _ = self.drop_front(bytes); // cannot fail: within the front
        }
    }

    /// As `read_some`, but all of `target` or nothing. Returns whether there were so many bytes.
    fn read_all(&mut self, target: &mut [u8]) -> bool {
        let enough = target.len() <= self.left();
        if enough {
            self.read_some(target);
        }
        enough
    }

    /// Drops bytes that `front` has shown.
    ///
    /// # Panics
    /// If there are fewer bytes.
    fn consume_front(&mut self, bytes: usize) {
        self.drop_front(bytes).expect("consume within what `fill_buf` has shown");
    }
}

impl Reader for Bytes {
    fn front(&self) -> &[u8] {
        self
    }

    fn left(&self) -> usize {
        self.len()
    }

    fn drop_front(&mut self, bytes: usize) -> Result<(), RangeError> {
        self.advance(bytes)
    }
}

impl Reader for BytesMut {
    fn front(&self) -> &[u8] {
        self
    }

    fn left(&self) -> usize {
        self.len()
    }

    fn drop_front(&mut self, bytes: usize) -> Result<(), RangeError> {
        self.advance(bytes)
    }
}

impl<const N: usize> Reader for Chain<N> {
    fn front(&self) -> &[u8] {
        self.first_chunk()
    }

    fn left(&self) -> usize {
        self.len()
    }

    fn drop_front(&mut self, bytes: usize) -> Result<(), RangeError> {
        self.advance(bytes)
    }
}
