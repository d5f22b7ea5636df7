//! The bytes of a chain as a whole: its front, its end, ranges, and copies.
//!
//! ```text
//!   advance ─►├─ part ─┼─── part ───┼── part ──┤◄─ truncate
//!             split_to └ cut here: this part belongs to both chains
//!   linearize ├──────────── one part ──────────┤
//! ```

use core::ops::RangeBounds;

use crate::buf::chain::Chain;
use crate::buf::handle::view::resolve;
use crate::error::{AllocError, RangeError};
use crate::pool::Pool;

impl<const N: usize> Chain<N> {
    // ---- ranges of the whole: no byte is copied

    /// Drops the first `bytes` bytes, and the parts that have none left.
    ///
    /// Interrupt handler: yes. Cost: a drop for each part that goes.
    ///
    /// # Errors
    /// [`RangeError`] if there are fewer bytes. Nothing changes.
    ///
    /// ```
    /// use tierpool::{Bytes, Chain};
    ///
    /// let mut chain = Chain::<2>::from(Bytes::from_static(b"head"));
    /// chain.push_back(Bytes::from_static(b"body"))?;
    /// chain.advance(5)?;
    /// assert_eq!(chain, "ody");
    /// assert!(chain.advance(4).is_err() && chain == "ody");
    /// # Ok::<(), tierpool::Error>(())
    /// ```
    pub fn advance(&mut self, mut bytes: usize) -> Result<(), RangeError> {
        if bytes > self.len {
            return Err(RangeError);
        }
        while let Some(first) = self.first_mut() {
            if bytes < first.len() {
                first.advance(bytes)?;
                self.len -= bytes;
                break;
            }
            bytes -= first.len();
            self.pop_front();
        }
        Ok(())
    }

    /// Drops all bytes from `len` on, and the parts that have none left. Does nothing if there are
    /// no more than `len`.
    ///
    /// Interrupt handler: yes. Cost: a drop for each part that goes.
    ///
    /// ```
    /// use tierpool::{Bytes, Chain};
    ///
    /// let mut frame = Chain::<2>::from(Bytes::from_static(b"packet"));
    /// frame.push_back(Bytes::from_static(b"padding"))?;
    /// frame.truncate(6);
    /// assert_eq!((frame.parts().len(), &frame), (1, &Bytes::from_static(b"packet").into()));
    /// # Ok::<(), tierpool::ChainFull>(())
    /// ```
    pub fn truncate(&mut self, len: usize) {
        while self.len > len
            && let Some(last) = self.parts.get_mut(self.end.wrapping_sub(1))
        {
            let (whole, surplus) = (last.len(), self.len - len);
            last.truncate(whole.saturating_sub(surplus));
            self.len -= surplus.min(whole);
            if surplus >= whole {
                self.end -= 1;
            }
        }
    }

    /// Takes the first `at` bytes off and returns them. The rest stays. Whole parts move. A part
    /// that is cut belongs to both chains.
    ///
    /// Interrupt handler: yes. Cost: one atomic addition if a part is cut.
    ///
    /// # Errors
    /// [`RangeError`] if there are fewer bytes. Nothing changes.
    ///
    /// ```
    /// use tierpool::{Bytes, Chain};
    ///
    /// let mut chain = Chain::<2>::from(Bytes::from_static(b"head"));
    /// chain.push_back(Bytes::from_static(b"body"))?;
    /// let front = chain.split_to(6)?;
    /// assert_eq!(front, "headbo");
    /// assert_eq!(chain, "dy");
    /// # Ok::<(), tierpool::Error>(())
    /// ```
    pub fn split_to(&mut self, at: usize) -> Result<Self, RangeError> {
        if at > self.len {
            return Err(RangeError);
        }
        let mut front = Chain::new();
        while front.len < at
            && let Some(first) = self.first_mut()
        {
            let bytes = at - front.len;
            if bytes < first.len() {
                let cut = first.split_to(bytes)?;
                self.len -= bytes;
                front.put(cut);
            } else if let Some(whole) = self.pop_front() {
                front.put(whole);
            }
        }
        Ok(front)
    }

    /// Returns a part of the bytes, in the same buffers.
    ///
    /// Interrupt handler: yes. Cost: one atomic addition for each part in the range.
    ///
    /// # Errors
    /// [`RangeError`] if the range falls, or ends after the last byte.
    ///
    /// ```
    /// use tierpool::{Bytes, Chain};
    ///
    /// let mut chain = Chain::<2>::from(Bytes::from_static(b"head"));
    /// chain.push_back(Bytes::from_static(b"body"))?;
    /// assert_eq!(chain.slice(2..6)?, "adbo");
    /// assert!(chain.slice(2..9).is_err());
    /// # Ok::<(), tierpool::Error>(())
    /// ```
    pub fn slice(&self, range: impl RangeBounds<usize>) -> Result<Self, RangeError> {
        let range = resolve(range, self.len)?;
        let (mut skip, mut left) = (range.start, range.len());
        let mut slice = Chain::new();
        for part in self.parts() {
            if skip >= part.len() {
                skip -= part.len();
                continue;
            }
            let bytes = left.min(part.len() - skip);
            slice.put(part.slice(skip..skip + bytes)?);
            (skip, left) = (0, left - bytes);
        }
        Ok(slice)
    }

    // ---- copies

    /// Moves bytes from the front to `target`: all of `target`, or none. The parts that have no
    /// bytes left are dropped.
    ///
    /// Interrupt handler: yes. Cost: the copy, and a drop for each part that goes.
    ///
    /// # Errors
    /// [`RangeError`] if there are fewer bytes. Nothing changes.
    ///
    /// ```
    /// use tierpool::{Bytes, Chain};
    ///
    /// let mut chain = Chain::<2>::from(Bytes::from_static(b"\x00"));
    /// chain.push_back(Bytes::from_static(b"\x05hello"))?;
    /// let mut length = [0; 2];
    /// chain.copy_to_slice(&mut length)?;
    /// assert_eq!(u16::from_be_bytes(length), 5);
    /// assert_eq!(chain, "hello");
    /// # Ok::<(), tierpool::Error>(())
    /// ```
    pub fn copy_to_slice(&mut self, target: &mut [u8]) -> Result<(), RangeError> {
        if target.len() > self.len {
            return Err(RangeError);
        }
        let mut rest = &mut *target;
        for chunk in self.chunks() {
            let bytes = chunk.len().min(rest.len());
            let (now, later) = rest.split_at_mut(bytes);
            now.copy_from_slice(&chunk[..bytes]);
            rest = later;
        }
        self.advance(target.len())
    }

    /// Makes all bytes lie in one piece, and returns them. If they lie in several parts, they are
    /// copied into one buffer of `pool`, which is then the only part of the chain.
    ///
    /// To have the piece as [`Bytes`](crate::Bytes), call [`pop_front`](Self::pop_front) then. If a
    /// part is pool-only ([`Pool::alloc_pooled`]), the copy is so, too.
    ///
    /// Interrupt handler: yes if there is one part; as [`Pool::alloc`] if it has to copy. Cost:
    /// nothing, or an allocation, the copy, and a drop for each part.
    ///
    /// # Errors
    /// The errors of [`Pool::alloc`]. The chain is unchanged.
    ///
    /// ```
    /// use tierpool::{Bytes, Chain};
    ///
    /// tierpool::pool! { static POOL = default; }
    /// let mut chain = Chain::<2>::from(Bytes::from_static(b"key="));
    /// chain.push_back(Bytes::from_static(b"value"))?;
    /// assert_eq!(chain.linearize(&POOL)?, b"key=value");
    /// let whole: Option<Bytes> = chain.pop_front();
    /// assert_eq!(whole, Some("key=value".into()));
    /// # Ok::<(), tierpool::Error>(())
    /// ```
    #[cfg_attr(feature = "track", track_caller)]
    pub fn linearize(&mut self, pool: &'static Pool) -> Result<&[u8], AllocError> {
        if self.parts().len() > 1 {
            let pool_only = self.parts().iter().any(|part| part.0.is_pool_only());
            let mut whole = pool.alloc_in_front(0, self.len, self.len, pool_only)?;
            self.chunks().for_each(|chunk| whole.append(chunk));
            *self = whole.freeze().into();
        }
        Ok(self.first_chunk())
    }
}
