//! `embedded-io` 0.7 and `embedded-io-async` 0.7: handles as streams.
//!
//! | handle | reads from the front | writes behind the data |
//! |---|---|---|
//! | [`Bytes`] | yes, never fails | no |
//! | [`BytesMut`] | yes; bytes that were read become headroom, which the next growth uses again | yes; grows as `extend_from_slice` does |

use core::convert::Infallible;
use embedded_io_07 as io;

use crate::buf::bytes::Bytes;
use crate::buf::bytes_mut::BytesMut;
use crate::buf::handle::Handle;
use crate::error::AllocError;

/// Exhausted and oversized requests are `OutOfMemory`. A buffer of no pool is `Unsupported`.
///
/// ```
/// use embedded_io_07::{Error, ErrorKind};
/// assert_eq!(tierpool::AllocError::Exhausted.kind(), ErrorKind::OutOfMemory);
/// ```
impl io::Error for AllocError {
    fn kind(&self) -> io::ErrorKind {
        match self {
            AllocError::Exhausted | AllocError::Oversized => io::ErrorKind::OutOfMemory,
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

/// Moves bytes from the front to `target`: as many as there are, and as fit. Returns how many.
fn read(handle: &mut Handle, target: &mut [u8]) -> usize {
    let bytes = target.len().min(handle.len());
    target[..bytes].copy_from_slice(&handle.as_slice()[..bytes]);
    let _ = handle.advance(bytes); // cannot fail: within the length
    bytes
}

/// As `read`, but all of `target` or nothing.
fn read_exact<E>(handle: &mut Handle, target: &mut [u8]) -> Result<(), io::ReadExactError<E>> {
    if target.len() > handle.len() {
        return Err(io::ReadExactError::UnexpectedEof);
    }
    read(handle, target);
    Ok(())
}

/// Drops bytes from the front.
///
/// # Panics
/// If there are fewer bytes.
fn consume(handle: &mut Handle, bytes: usize) {
    handle.advance(bytes).expect("consume within what `fill_buf` has shown");
}

macro_rules! read_traits {
    ($handle:ident) => {
        impl io::Read for $handle {
            fn read(&mut self, target: &mut [u8]) -> Result<usize, Self::Error> {
                Ok(read(&mut self.0, target))
            }

            /// Reads all of `target`, or nothing.
            fn read_exact(
                &mut self,
                target: &mut [u8],
            ) -> Result<(), io::ReadExactError<Self::Error>> {
                read_exact(&mut self.0, target)
            }
        }

        impl io::BufRead for $handle {
            fn fill_buf(&mut self) -> Result<&[u8], Self::Error> {
                Ok(self)
            }

            /// # Panics
            /// If there are fewer bytes, as for a slice. [`advance`](Self::advance) returns an
            /// error instead.
            fn consume(&mut self, bytes: usize) {
                consume(&mut self.0, bytes);
            }
        }

        /// Never waits.
        #[cfg(feature = "embedded-io-async-07")]
        impl embedded_io_async_07::Read for $handle {
            async fn read(&mut self, target: &mut [u8]) -> Result<usize, Self::Error> {
                Ok(read(&mut self.0, target))
            }

            /// Reads all of `target`, or nothing.
            async fn read_exact(
                &mut self,
                target: &mut [u8],
            ) -> Result<(), io::ReadExactError<Self::Error>> {
                read_exact(&mut self.0, target)
            }
        }

        /// Never waits.
        #[cfg(feature = "embedded-io-async-07")]
        impl embedded_io_async_07::BufRead for $handle {
            async fn fill_buf(&mut self) -> Result<&[u8], Self::Error> {
                Ok(self)
            }

            /// # Panics
            /// If there are fewer bytes, as for a slice. [`advance`](Self::advance) returns an
            /// error instead.
            fn consume(&mut self, bytes: usize) {
                consume(&mut self.0, bytes);
            }
        }
    };
}

read_traits!(Bytes);
read_traits!(BytesMut);

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
impl io::Write for BytesMut {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, AllocError> {
        self.extend_from_slice(bytes)?;
        Ok(bytes.len())
    }

    /// There is nothing to do.
    fn flush(&mut self) -> Result<(), AllocError> {
        Ok(())
    }
}

/// As the blocking `Write`. It never waits: an exhausted pool is an error.
#[cfg(feature = "embedded-io-async-07")]
impl embedded_io_async_07::Write for BytesMut {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, AllocError> {
        self.extend_from_slice(bytes)?;
        Ok(bytes.len())
    }

    /// There is nothing to do.
    async fn flush(&mut self) -> Result<(), AllocError> {
        Ok(())
    }
}
