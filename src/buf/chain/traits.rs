//! The traits of a chain. They treat it as the bytes of its parts, one after the other: where one
//! part ends and the next begins makes no difference.
//!
//! `FromIterator` and `Extend` are missing, because they could not report that the chain is full.

use core::fmt;
use core::hash::{Hash, Hasher};

use crate::buf::bytes::Bytes;
use crate::buf::bytes_mut::BytesMut;
use crate::buf::chain::Chain;
use crate::buf::traits::write_literal;

impl<const N: usize> Default for Chain<N> {
    fn default() -> Self {
        Chain::new()
    }
}

/// A chain of one part, or of none if the bytes are empty. It does not compile for a chain without
/// places.
impl<const N: usize> From<Bytes> for Chain<N> {
    fn from(bytes: Bytes) -> Self {
        const { assert!(N > 0, "the chain has no place for a part") }
        let mut chain = Chain::new();
        chain.put(bytes);
        chain
    }
}

/// As for [`Bytes`].
impl<const N: usize> From<BytesMut> for Chain<N> {
    fn from(buffer: BytesMut) -> Self {
        buffer.freeze().into()
    }
}

impl<const N: usize> Eq for Chain<N> {}

/// The places of the parts may differ.
impl<const N: usize, const M: usize> PartialEq<Chain<M>> for Chain<N> {
    fn eq(&self, other: &Chain<M>) -> bool {
        self.len() == other.len() && self.chunks().flatten().eq(other.chunks().flatten())
    }
}

impl<const N: usize, T: AsRef<[u8]> + ?Sized> PartialEq<T> for Chain<N> {
    fn eq(&self, other: &T) -> bool {
        let mut rest = other.as_ref();
        self.len() == rest.len()
            && self.chunks().all(|chunk| rest.split_off(..chunk.len()) == Some(chunk))
    }
}

impl<const N: usize> PartialEq<Chain<N>> for [u8] {
    fn eq(&self, other: &Chain<N>) -> bool {
        other == self
    }
}

/// Chains that are equal have the same hash.
impl<const N: usize> Hash for Chain<N> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_usize(self.len());
        // Byte by byte: a hasher may give another result for the same bytes in other pieces.
        self.chunks().flatten().for_each(|&byte| state.write_u8(byte));
    }
}

/// Prints a byte string literal: `b"GET /\r\n"`.
impl<const N: usize> fmt::Debug for Chain<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_literal(self.chunks().flatten(), f)
    }
}
