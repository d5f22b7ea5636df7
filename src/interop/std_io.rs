//! `std::io`: handles and chains as streams, and our errors as `io::Error`.
//!
//! | type | reads from the front | writes behind the data |
//! |---|---|---|
//! | [`Bytes`] | yes, never fails | no |
//! | [`BytesMut`] | yes; bytes that were read become headroom | yes; grows as `extend_from_slice` does |
//! | [`Chain`] | yes, never fails; parts that were read are dropped | no |
//! | [`ChainMut`] | no | yes; goes on in another slot |

use std::io::{self, ErrorKind};

use crate::buf::bytes::Bytes;
use crate::buf::bytes_mut::BytesMut;
use crate::buf::chain::Chain;
use crate::buf::chain::full::ChainFull;
use crate::buf::chain_mut::ChainMut;
use crate::buf::copy_on_write::IntoMutError;
use crate::error::{AllocError, Error, FreeError, RangeError};
use crate::interop::reader::Reader;
use crate::pool::config_error::ConfigError;
#[cfg(feature = "wait")]
use crate::wait::WaitError;

macro_rules! read_traits {
    ($handle:ty $(, $n:ident)?) => {
        /// Never fails, except for `read_exact`.
        impl$(<const $n: usize>)? io::Read for $handle {
            fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
                Ok(self.read_some(target))
            }

            /// Reads all of `target`, or nothing.
            fn read_exact(&mut self, target: &mut [u8]) -> io::Result<()> {
                if self.read_all(target) { Ok(()) } else { Err(ErrorKind::UnexpectedEof.into()) }
            }
        }

        impl$(<const $n: usize>)? io::BufRead for $handle {
            fn fill_buf(&mut self) -> io::Result<&[u8]> {
                Ok(self.front())
            }

            /// # Panics
            /// If there are fewer bytes, as for a slice. [`advance`](Self::advance) returns an
            /// error instead.
            fn consume(&mut self, bytes: usize) {
                self.consume_front(bytes);
            }
        }
    };
}

read_traits!(Bytes);
read_traits!(BytesMut);
read_traits!(Chain<N>, N);

macro_rules! write_trait {
    ($(#[$doc:meta])* $handle:ty $(, $n:ident)?) => {
        $(#[$doc])*
        impl$(<const $n: usize>)? io::Write for $handle {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.extend_from_slice(bytes)?;
                Ok(bytes.len())
            }

            /// There is nothing to do.
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
    };
}

write_trait! {
    /// Appends, as [`extend_from_slice`](BytesMut::extend_from_slice) does: all of the bytes, or
    /// none of them if there is an error. A buffer of no pool cannot grow here, because this trait
    /// cannot name a pool. Call [`reserve_in`](BytesMut::reserve_in) first.
    ///
    /// ```
    /// use std::io::{BufRead, Write};
    ///
    /// tierpool::pool! { static POOL = default; }
    /// let mut lines = POOL.alloc(64)?;
    /// writeln!(lines, "rssi={}", -71)?;
    /// writeln!(lines, "snr={}", 9)?;
    /// let lines: Vec<String> = lines.freeze().lines().collect::<Result<_, _>>()?;
    /// assert_eq!(lines, ["rssi=-71", "snr=9"]);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    BytesMut
}

write_trait! {
    /// Appends, as [`extend_from_slice`](ChainMut::extend_from_slice) does: all of the bytes, or
    /// none of them if there is an error.
    ChainMut<N>, N
}

macro_rules! into_io_error {
    ($(#[$doc:meta])* $error:ty, $kind:expr) => {
        $(#[$doc])*
        impl From<$error> for io::Error {
            fn from(error: $error) -> Self {
                let kind: fn(&$error) -> ErrorKind = $kind;
                io::Error::new(kind(&error), error)
            }
        }
    };
}

into_io_error! {
    /// `OutOfMemory`, or `Unsupported` if the handle belongs to no pool.
    ///
    /// ```
    /// use std::io::{Error, ErrorKind};
    /// assert_eq!(Error::from(tierpool::AllocError::Exhausted).kind(), ErrorKind::OutOfMemory);
    /// ```
    AllocError, |error| kind(&(*error).into())
}

into_io_error! {
    /// `UnexpectedEof`, as for a read of more bytes than there are.
    RangeError, |_| ErrorKind::UnexpectedEof
}

into_io_error! {
    /// `InvalidInput`.
    FreeError, |_| ErrorKind::InvalidInput
}

into_io_error! {
    /// `InvalidInput`, or `OutOfMemory` if there was no memory for the pool.
    ConfigError, |error| match error {
        ConfigError::OutOfMemory => ErrorKind::OutOfMemory,
        _ => ErrorKind::InvalidInput,
    }
}

#[cfg(feature = "wait")]
into_io_error! {
    /// `TimedOut`, or `OutOfMemory`.
    WaitError, |error| kind(&(*error).into())
}

into_io_error! {
    /// As for the error that this one stands for.
    Error, kind
}

/// As for [`AllocError`]. The bytes are dropped.
impl From<IntoMutError> for io::Error {
    fn from(error: IntoMutError) -> Self {
        error.error.into()
    }
}

/// `OutOfMemory`. The bytes are dropped.
impl From<ChainFull> for io::Error {
    fn from(error: ChainFull) -> Self {
        Error::from(error).into()
    }
}

/// The kind of each of our errors.
fn kind(error: &Error) -> ErrorKind {
    match error {
        Error::Exhausted | Error::Oversized | Error::ChainFull | Error::TooManyWaiters => {
            ErrorKind::OutOfMemory
        }
        Error::NoPool => ErrorKind::Unsupported,
        Error::OutOfRange => ErrorKind::UnexpectedEof,
        Error::TimedOut => ErrorKind::TimedOut,
    }
}
