//! `embedded-io` 0.7 and `embedded-io-async` 0.7: handles as streams.
//!
//! | handle | reads from the front | writes behind the data |
//! |---|---|---|
//! | [`Bytes`] | yes, never fails | no |
//! | [`BytesMut`] | yes; bytes that were read become headroom, which the next growth uses again | yes; grows as `extend_from_slice` does |
//! | [`Chain`] | yes, never fails; parts that were read are dropped | no |
//! | [`ChainMut`] | no | yes; goes on in another slot |

use core::convert::Infallible;
use embedded_io_07 as io;

use crate::buf::bytes::Bytes;
use crate::buf::bytes_mut::BytesMut;
use crate::buf::chain::Chain;
use crate::buf::chain_mut::ChainMut;
use crate::error::AllocError;
use crate::interop::reader::Reader;

/// Exhausted and oversized requests and full chains are `OutOfMemory`. A buffer of no pool is
/// `Unsupported`.
///
/// ```
/// use embedded_io_07::{Error, ErrorKind};
/// assert_eq!(tierpool::AllocError::Exhausted.kind(), ErrorKind::OutOfMemory);
/// ```
impl io::Error for AllocError {
    fn kind(&self) -> io::ErrorKind {
        match self {
            AllocError::Exhausted | AllocError::Oversized | AllocError::ChainFull => {
                io::ErrorKind::OutOfMemory
            }
            AllocError::NoPool => io::ErrorKind::Unsupported,
        }
    }
}

impl io::ErrorType for Bytes {
    type Error = Infallible;
}

impl io::ErrorType for BytesMut {
    type Error = AllocError;
}

impl<const N: usize> io::ErrorType for Chain<N> {
    type Error = Infallible;
}

impl<const N: usize> io::ErrorType for ChainMut<N> {
    type Error = AllocError;
}

macro_rules! read_traits {
    ($handle:ty $(, $n:ident)?) => {
        impl$(<const $n: usize>)? io::Read for $handle {
            fn read(&mut self, target: &mut [u8]) -> Result<usize, Self::Error> {
                Ok(self.read_some(target))
            }

            /// Reads all of `target`, or nothing.
            fn read_exact(
                &mut self,
                target: &mut [u8],
            ) -> Result<(), io::ReadExactError<Self::Error>> {
                if self.read_all(target) { Ok(()) } else { Err(io::ReadExactError::UnexpectedEof) }
            }
        }

        impl$(<const $n: usize>)? io::BufRead for $handle {
            fn fill_buf(&mut self) -> Result<&[u8], Self::Error> {
                Ok(self.front())
            }

            /// # Panics
            /// If there are fewer bytes, as for a slice. [`advance`](Self::advance) returns an
            /// error instead.
            fn consume(&mut self, bytes: usize) {
                self.consume_front(bytes);
            }
        }

        /// Always ready: a read never waits, also at the end.
        impl$(<const $n: usize>)? io::ReadReady for $handle {
            fn read_ready(&mut self) -> Result<bool, Self::Error> {
                Ok(true)
            }
        }

        /// Never waits.
        #[cfg(feature = "embedded-io-async-07")]
        impl$(<const $n: usize>)? embedded_io_async_07::Read for $handle {
            async fn read(&mut self, target: &mut [u8]) -> Result<usize, Self::Error> {
                Ok(self.read_some(target))
            }

            /// Reads all of `target`, or nothing.
            async fn read_exact(
                &mut self,
                target: &mut [u8],
            ) -> Result<(), io::ReadExactError<Self::Error>> {
                if self.read_all(target) { Ok(()) } else { Err(io::ReadExactError::UnexpectedEof) }
            }
        }

        /// Never waits.
        #[cfg(feature = "embedded-io-async-07")]
        impl$(<const $n: usize>)? embedded_io_async_07::BufRead for $handle {
            async fn fill_buf(&mut self) -> Result<&[u8], Self::Error> {
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

macro_rules! write_traits {
    ($(#[$doc:meta])* $handle:ty $(, $n:ident)?) => {
        $(#[$doc])*
        impl$(<const $n: usize>)? io::Write for $handle {
            fn write(&mut self, bytes: &[u8]) -> Result<usize, AllocError> {
                self.extend_from_slice(bytes)?;
                Ok(bytes.len())
            }

            /// There is nothing to do.
            fn flush(&mut self) -> Result<(), AllocError> {
                Ok(())
            }
        }

        /// Always ready: a write never waits. An exhausted pool is an error of the write.
        impl$(<const $n: usize>)? io::WriteReady for $handle {
            fn write_ready(&mut self) -> Result<bool, AllocError> {
                Ok(true)
            }
        }

        /// As the blocking `Write`. It never waits: an exhausted pool is an error.
        #[cfg(feature = "embedded-io-async-07")]
        impl$(<const $n: usize>)? embedded_io_async_07::Write for $handle {
            async fn write(&mut self, bytes: &[u8]) -> Result<usize, AllocError> {
                self.extend_from_slice(bytes)?;
                Ok(bytes.len())
            }

            /// There is nothing to do.
            async fn flush(&mut self) -> Result<(), AllocError> {
                Ok(())
            }
        }
    };
}

write_traits! {
    /// Appends, as [`extend_from_slice`](BytesMut::extend_from_slice) does: all of the bytes, or none
    /// of them if there is an error. A buffer of no pool cannot grow here, because this trait cannot
    /// name a pool. Call [`reserve_in`](BytesMut::reserve_in) first: then the buffer belongs to that
    /// pool.
    ///
    /// ```
    /// use embedded_io_07::{BufRead, Read, Write};
    ///
    /// tierpool::pool! { static POOL = default; }
    /// let mut line = POOL.alloc(64)?;
    /// write!(line, "AT+RSSI={}\r\n", -71).unwrap();
    /// let mut command = [0; 3];
    /// line.read_exact(&mut command).unwrap();
    /// assert_eq!((&command, line.fill_buf()?), (b"AT+", &b"RSSI=-71\r\n"[..]));
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    BytesMut
}

write_traits! {
    /// Appends, as [`extend_from_slice`](ChainMut::extend_from_slice) does: all of the bytes, or
    /// none of them if there is an error.
    ChainMut<N>, N
}
