//! `minicbor` 2: CBOR is written into a buffer or a chain.

use minicbor::encode::Write;

use crate::buf::bytes_mut::BytesMut;
use crate::buf::chain_mut::ChainMut;
use crate::error::AllocError;

/// Appends, as [`extend_from_slice`](BytesMut::extend_from_slice) does. What was written before an
/// error stays: the caller can truncate.
///
/// ```
/// tierpool::pool! { static TX = default; }
/// let mut packet = TX.alloc(32)?;
/// minicbor::encode(("node", 7_u16), &mut packet)?;
/// assert_eq!(minicbor::decode::<(&str, u16)>(&packet)?, ("node", 7));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl Write for BytesMut {
    type Error = AllocError;

    fn write_all(&mut self, bytes: &[u8]) -> Result<(), AllocError> {
        self.extend_from_slice(bytes)
    }
}

/// Appends, as [`extend_from_slice`](ChainMut::extend_from_slice) does.
impl<const N: usize> Write for ChainMut<N> {
    type Error = AllocError;

    fn write_all(&mut self, bytes: &[u8]) -> Result<(), AllocError> {
        self.extend_from_slice(bytes)
    }
}
