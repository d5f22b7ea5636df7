//! `postcard` 1: messages are serialized into a buffer.

use postcard::ser_flavors::Flavor;
use postcard::{Error, Result};

use crate::buf::bytes_mut::BytesMut;

/// Appends behind the data, as [`extend_from_slice`](BytesMut::extend_from_slice) does, and resolves
/// to the buffer. So a message may lie behind headroom or a header. If the buffer cannot grow, the
/// error is `SerializeBufferFull`, and the buffer is dropped: postcard owns it.
///
/// To read a message, pass the bytes to `postcard::from_bytes`.
///
/// ```
/// tierpool::pool! { static TX = default; }
/// let message = postcard::serialize_with_flavor(&("node", 7_u16), TX.alloc_with_headroom(8, 32)?)?;
/// let message = message.freeze();
/// assert_eq!(postcard::from_bytes::<(&str, u16)>(&message)?, ("node", 7));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl Flavor for BytesMut {
    type Output = BytesMut;

    fn try_extend(&mut self, data: &[u8]) -> Result<()> {
        self.extend_from_slice(data).map_err(|_| Error::SerializeBufferFull)
    }

    fn try_push(&mut self, data: u8) -> Result<()> {
        self.push(data).map_err(|_| Error::SerializeBufferFull)
    }

    fn finalize(self) -> Result<BytesMut> {
        Ok(self)
    }
}
