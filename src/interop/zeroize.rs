//! `zeroize`: wipes one buffer when the program asks for it. If every buffer of a pool must be
//! wiped, use [`zero_on_free`](crate::Config::zero_on_free).

use zeroize::Zeroize;

use crate::buf::bytes_mut::BytesMut;
use crate::wipe;

/// Overwrites the whole slot with zeros, also headroom and spare capacity, and leaves no bytes in
/// it. The compiler does not remove these writes. If the buffer has grown, its old bytes in other
/// slots are not wiped: for that, use a pool with `zero_on_free`. While a buffer is a
/// [half](BytesMut::split_to), only its own bytes and room are wiped, and not what it has cut off.
///
/// Shared [`Bytes`](crate::Bytes) cannot be wiped, because they have other holders. Call
/// [`try_into_mut`](crate::Bytes::try_into_mut) first.
///
/// Interrupt handler: yes. Cost: writing the bytes of the slot; no atomic read-modify-write.
///
/// ```
/// use zeroize::Zeroizing;
///
/// tierpool::pool! { static POOL = [32 x 1]; }
/// let key = Zeroizing::new(POOL.copy_from_slice(b"secret")?); // wiped when it is dropped
/// drop(key);
/// let mut next = POOL.alloc(32)?;
/// // SAFETY: for this example; the slot was initialised before.
/// unsafe { next.set_len(32) };
/// assert_eq!(next, [0; 32]);
/// # Ok::<(), tierpool::AllocError>(())
/// ```
impl Zeroize for BytesMut {
    fn zeroize(&mut self) {
        self.0.take_whole();
        let (start, bytes) = self.0.room();
        self.clear();
        // SAFETY: the room of a `BytesMut` belongs to it alone.
        unsafe { wipe::wipe(start, bytes) }
    }
}
