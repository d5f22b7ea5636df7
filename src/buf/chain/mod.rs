//! [`Chain`]: several [`Bytes`] that read as one. Here the parts come and go; ranges and copies are
//! in `view`, traits in `traits`. How a pool hands out a chain to fill is in `chain_mut`.
//!
//! ```text
//!   places   [  empty  ][ header ][ payload ][ payload ][  empty  ]
//!                        start ─────────────────────► end
//!   reads as             header|payload payload             len bytes in all
//!            ◄─ push_front                        push_back ─►
//! ```
//!
//! The parts lie side by side in an array, so that [`Chain::parts`] is a slice, and the links of a
//! chain need no word in a slot. If there is no place left at one end, the parts move to the other
//! end, all the way. Only the words of the handles move, and no byte of the data.

use core::mem;

use crate::buf::bytes::Bytes;
use crate::buf::chain::full::ChainFull;

pub(crate) mod full;
mod traits;
mod view;

/// Up to `N` [`Bytes`] that read as one: a message that is larger than a slot, or a header in front
/// of a payload that others share.
///
/// It lies where you put it, and takes `4 * N + 3` words. No part of a chain is empty. Its drop
/// drops the parts.
///
/// If a method does not say otherwise, it may be called in an interrupt handler, and costs no
/// atomic read-modify-write.
///
/// ```
/// use tierpool::Chain;
///
/// tierpool::pool! { static POOL = [16 x 4, 256 x 4]; }
/// let payload = POOL.copy_from_slice(b"payload for two")?.freeze();
///
/// // Each receiver gets a header of its own. No byte of the payload is copied.
/// let mut first = Chain::<2>::from(payload.clone());
/// first.push_front(POOL.copy_from_slice(b"to a: ")?.freeze())?;
/// let mut second = Chain::<2>::from(payload);
/// second.push_front(POOL.copy_from_slice(b"to b: ")?.freeze())?;
/// assert_eq!((first.len(), second.parts().len()), (21, 2));
/// assert_eq!(first, "to a: payload for two");
/// assert_eq!(second, "to b: payload for two");
/// # Ok::<(), tierpool::Error>(())
/// ```
#[derive(Clone)]
pub struct Chain<const N: usize> {
    /// The parts lie at `start..end`, and none of them is empty. The other places hold no bytes and
    /// no buffer.
    parts: [Bytes; N],
    /// The place of the first part.
    start: usize,
    /// The place behind the last part: `start..=N`.
    end: usize,
    /// The bytes of all parts.
    len: usize,
}

const _: () = {
    const fn goes_anywhere<T: Send + Sync + 'static>() {}
    goes_anywhere::<Chain<3>>();
    assert!(size_of::<Chain<3>>() == 15 * size_of::<usize>());
    assert!(size_of::<Option<Chain<3>>>() == size_of::<Chain<3>>());
    assert!(size_of::<Result<(), ChainFull>>() == size_of::<Bytes>());
};

impl<const N: usize> Chain<N> {
    /// No bytes. It holds no buffer.
    ///
    /// ```
    /// const NOTHING: tierpool::Chain<4> = tierpool::Chain::new();
    /// assert!(NOTHING.is_empty());
    /// ```
    pub const fn new() -> Self {
        Chain { parts: [const { Bytes::new() }; N], start: 0, end: 0, len: 0 }
    }

    /// The number of bytes.
    ///
    /// ```
    /// let chain = tierpool::Chain::<1>::from(tierpool::Bytes::from_static(b"hello"));
    /// assert_eq!(chain.len(), 5);
    /// ```
    #[inline]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// True if there are no bytes.
    ///
    /// ```
    /// assert!(tierpool::Chain::<1>::new().is_empty());
    /// ```
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The parts, from the front. None of them is empty.
    ///
    /// ```
    /// use tierpool::{Bytes, Chain};
    ///
    /// let mut chain = Chain::<3>::from(Bytes::from_static(b"head"));
    /// chain.push_back(Bytes::from_static(b"body"))?;
    /// assert_eq!(chain.parts(), [Bytes::from_static(b"head"), Bytes::from_static(b"body")]);
    /// # Ok::<(), tierpool::ChainFull>(())
    /// ```
    #[inline]
    pub fn parts(&self) -> &[Bytes] {
        self.parts.get(self.start..self.end).unwrap_or_default()
    }

    /// The bytes of each part, from the front. None of them is empty.
    ///
    /// ```
    /// use tierpool::{Bytes, Chain};
    ///
    /// let mut chain = Chain::<2>::from(Bytes::from_static(b"ab"));
    /// chain.push_back(Bytes::from_static(b"c"))?;
    /// assert!(chain.chunks().eq([&b"ab"[..], b"c"]));
    /// assert!(chain.chunks().flatten().eq(b"abc"));
    /// # Ok::<(), tierpool::ChainFull>(())
    /// ```
    pub fn chunks(&self) -> impl DoubleEndedIterator<Item = &[u8]> + ExactSizeIterator + Clone {
        self.parts().iter().map(|part| &**part)
    }

    // ---- parts come and go

    /// Puts a part behind the others. Empty bytes take no place and are dropped.
    ///
    /// Interrupt handler: yes. Cost: no atomic operation.
    ///
    /// # Errors
    /// [`ChainFull`], which gives the part back. The chain is unchanged.
    ///
    /// ```
    /// use tierpool::{Bytes, Chain};
    ///
    /// let mut chain = Chain::<1>::new();
    /// chain.push_back(Bytes::from_static(b"head"))?;
    /// let back = chain.push_back(Bytes::from_static(b"body")).unwrap_err();
    /// assert_eq!(back.bytes, "body");
    /// assert_eq!(chain, "head");
    /// # Ok::<(), tierpool::ChainFull>(())
    /// ```
    pub fn push_back(&mut self, bytes: Bytes) -> Result<(), ChainFull> {
        if !self.takes(&bytes) {
            return Err(ChainFull { bytes });
        }
        if self.end == N && self.start <= N {
            self.parts.rotate_left(self.start);
            (self.start, self.end) = (0, N - self.start);
        }
        self.put(bytes);
        Ok(())
    }

    /// Puts a part in front of the others, such as a header. Empty bytes take no place and are
    /// dropped.
    ///
    /// Interrupt handler, cost and errors: as [`push_back`](Self::push_back).
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// let payload = POOL.copy_from_slice(b"payload")?.freeze();
    /// let mut packet = tierpool::Chain::<2>::from(payload.clone());
    /// packet.push_front("header: ".into())?;
    /// assert_eq!(packet, "header: payload");
    /// assert_eq!(packet.parts()[1].as_ptr(), payload.as_ptr()); // nothing was copied
    /// # Ok::<(), tierpool::Error>(())
    /// ```
    pub fn push_front(&mut self, bytes: Bytes) -> Result<(), ChainFull> {
        if !self.takes(&bytes) {
            return Err(ChainFull { bytes });
        }
        if bytes.is_empty() {
            return Ok(());
        }
        if self.start == 0 && self.end <= N {
            self.parts.rotate_right(N - self.end);
            (self.start, self.end) = (N - self.end, N);
        }
        let len = bytes.len();
        if let Some(place) = self.parts.get_mut(self.start.wrapping_sub(1)) {
            *place = bytes;
            self.start -= 1;
            self.len += len;
        }
        Ok(())
    }

    /// Takes the first part off. None if there are no bytes.
    ///
    /// ```
    /// use tierpool::{Bytes, Chain};
    ///
    /// let mut chain = Chain::<2>::from(Bytes::from_static(b"ab"));
    /// chain.push_back(Bytes::from_static(b"cd"))?;
    /// assert_eq!(chain.pop_front(), Some("ab".into()));
    /// assert_eq!(chain, "cd");
    /// # Ok::<(), tierpool::ChainFull>(())
    /// ```
    pub fn pop_front(&mut self) -> Option<Bytes> {
        let first = mem::take(self.first_mut()?);
        self.start += 1;
        self.len -= first.len();
        Some(first)
    }

    // ---- the places

    /// True if there is a place for these bytes, or if they need none. The sum of the bytes must
    /// not overflow: static bytes may be pushed many times.
    fn takes(&self, bytes: &Bytes) -> bool {
        bytes.is_empty() || self.parts().len() < N && self.len.checked_add(bytes.len()).is_some()
    }

    /// Puts a part behind the others, unless it is empty. The callers have made sure that there is
    /// a place.
    pub(crate) fn put(&mut self, bytes: Bytes) {
        let len = bytes.len();
        if len > 0
            && let Some(place) = self.parts.get_mut(self.end)
        {
            *place = bytes;
            self.end += 1;
            self.len += len;
        }
    }

    /// The first part.
    fn first_mut(&mut self) -> Option<&mut Bytes> {
        self.parts.get_mut(self.start..self.end)?.first_mut()
    }

    /// The bytes of the first part. Empty if there is none.
    #[inline]
    pub(crate) fn first_chunk(&self) -> &[u8] {
        self.parts().first().map_or(&[], |part| part)
    }
}
