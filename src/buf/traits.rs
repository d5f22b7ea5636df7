//! The traits of a byte slice, for both handles.
//!
//! Some traits would need a pool to build the value: `From<&[u8]>`, `Extend`, `FromIterator`, and
//! `Default` of `BytesMut`. The handles do not have them, because such a trait cannot name the
//! pool, and cannot report that the pool is exhausted.

use core::borrow::{Borrow, BorrowMut};
use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::ops::{Deref, DerefMut};

use crate::buf::bytes::Bytes;
use crate::buf::bytes_mut::BytesMut;

/// Writes a byte string literal.
pub(crate) fn write_literal<'a>(
    bytes: impl IntoIterator<Item = &'a u8>,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    f.write_str("b\"")?;
    bytes.into_iter().try_for_each(|&byte| match byte {
        b'\0' => f.write_str("\\0"),
        b'\'' => f.write_str("'"),
        _ => write!(f, "{}", byte.escape_ascii()),
    })?;
    f.write_str("\"")
}

macro_rules! slice_traits {
    ($handle:ident) => {
        impl Deref for $handle {
            type Target = [u8];
            #[inline(always)]
            fn deref(&self) -> &[u8] {
                self.0.as_slice()
            }
        }

        impl AsRef<[u8]> for $handle {
            #[inline]
            fn as_ref(&self) -> &[u8] {
                self
            }
        }

        /// `Hash`, `Eq` and `Ord` give the same results as those of a slice.
        impl Borrow<[u8]> for $handle {
            fn borrow(&self) -> &[u8] {
                self
            }
        }

        impl Hash for $handle {
            fn hash<H: Hasher>(&self, state: &mut H) {
                (**self).hash(state);
            }
        }

        impl Eq for $handle {}

        impl Ord for $handle {
            fn cmp(&self, other: &Self) -> Ordering {
                (**self).cmp(&**other)
            }
        }

        impl<T: AsRef<[u8]> + ?Sized> PartialEq<T> for $handle {
            fn eq(&self, other: &T) -> bool {
                **self == *other.as_ref()
            }
        }

        impl<T: AsRef<[u8]> + ?Sized> PartialOrd<T> for $handle {
            fn partial_cmp(&self, other: &T) -> Option<Ordering> {
                (**self).partial_cmp(other.as_ref())
            }
        }

        impl PartialEq<$handle> for [u8] {
            fn eq(&self, other: &$handle) -> bool {
                *self == **other
            }
        }

        impl PartialOrd<$handle> for [u8] {
            fn partial_cmp(&self, other: &$handle) -> Option<Ordering> {
                self.partial_cmp(&**other)
            }
        }

        impl<'a> IntoIterator for &'a $handle {
            type Item = &'a u8;
            type IntoIter = core::slice::Iter<'a, u8>;
            fn into_iter(self) -> Self::IntoIter {
                self.iter()
            }
        }

        /// Prints a byte string literal: `b"GET /\r\n"`, exactly as the crate `bytes` prints it.
        impl fmt::Debug for $handle {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_literal(self, f)
            }
        }

        /// Prints two digits per byte, with nothing between them and nothing in front. Other flags
        /// change nothing.
        impl fmt::LowerHex for $handle {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        /// Prints two digits per byte, with nothing between them and nothing in front. Other flags
        /// change nothing.
        impl fmt::UpperHex for $handle {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
            }
        }
    };
}

slice_traits!(Bytes);
slice_traits!(BytesMut);

impl DerefMut for BytesMut {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: no other handle shows the bytes of a `BytesMut`.
        unsafe { self.0.as_mut_slice() }
    }
}

impl AsMut<[u8]> for BytesMut {
    fn as_mut(&mut self) -> &mut [u8] {
        self
    }
}

impl BorrowMut<[u8]> for BytesMut {
    fn borrow_mut(&mut self) -> &mut [u8] {
        self
    }
}

impl Default for Bytes {
    fn default() -> Self {
        Bytes::new()
    }
}

impl From<&'static [u8]> for Bytes {
    fn from(bytes: &'static [u8]) -> Self {
        Bytes::from_static(bytes)
    }
}

impl<const N: usize> From<&'static [u8; N]> for Bytes {
    fn from(bytes: &'static [u8; N]) -> Self {
        Bytes::from_static(bytes)
    }
}

impl From<&'static str> for Bytes {
    fn from(text: &'static str) -> Self {
        Bytes::from_static(text.as_bytes())
    }
}

impl From<BytesMut> for Bytes {
    fn from(buffer: BytesMut) -> Self {
        buffer.freeze()
    }
}
