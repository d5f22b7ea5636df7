//! [`ChainMut`]: a chain to fill, which grows by another slot, and how a pool hands it out.
//!
//! ```text
//!   alloc_chain(1000)    [ slot of 512 ][ slot of 512 ][          ]     all its slots, or none
//!   extend_from_slice    [ █████████ 512 ][ ███░░░░░░ ][          ]     fills the last, ...
//!   extend_from_slice    [ █████████ 512 ][ ██████████ ][ █░░░░░░ ]     ... and goes on in another slot
//!   freeze               Chain: the parts that have bytes. The other slots go back.
//! ```

use core::fmt;

use crate::buf::bytes_mut::BytesMut;
use crate::buf::chain::Chain;
use crate::buf::handle::Handle;
use crate::buf::traits::write_literal;
use crate::error::AllocError;
use crate::pool::Pool;

/// Up to `N` slots to fill, one after the other. Where a [`BytesMut`] would move its data to a
/// larger buffer, a `ChainMut` goes on in another slot, and no byte moves.
///
/// [`Pool::alloc_chain`] makes it. [`freeze`](Self::freeze) turns it into a [`Chain`]. Its drop
/// gives all slots back.
///
/// If a method does not say otherwise, it may be called in an interrupt handler, and costs no
/// atomic read-modify-write.
///
/// ```
/// tierpool::pool! { static POOL = [128 x 16]; }
///
/// let mut message = POOL.alloc_chain::<12>(0)?;
/// for _ in 0..100 {
///     message.extend_from_slice(b"a line of text\n")?;
/// }
/// assert_eq!((message.len(), message.parts().len()), (1500, 12));
/// let shared: tierpool::Chain<12> = message.freeze();
/// # assert_eq!(shared.len(), 1500);
/// # Ok::<(), tierpool::AllocError>(())
/// ```
pub struct ChainMut<const N: usize> {
    /// The parts lie at `..used`. The other places hold no buffer.
    parts: [BytesMut; N],
    /// The number of parts: at most `N`.
    used: usize,
    /// The pool that further slots come from.
    pool: &'static Pool,
}

const _: () = {
    const fn goes_anywhere<T: Send + Sync + 'static>() {}
    goes_anywhere::<ChainMut<3>>();
    assert!(size_of::<ChainMut<3>>() == 14 * size_of::<usize>());
    assert!(size_of::<Result<ChainMut<3>, AllocError>>() == size_of::<ChainMut<3>>());
};

/// What lies in a place that holds no slot.
const NO_SLOT: BytesMut = BytesMut(Handle::EMPTY);

impl Pool {
    /// Allocates an empty chain with room for `len` bytes: all slots that it takes, or none.
    ///
    /// The slots are chosen one by one, so that there are few of them:
    ///
    /// 1. If a tier fits what is missing, its slot is the last one. A larger tier serves instead
    ///    only as far as `spill` allows, as for [`alloc`](Self::alloc).
    /// 2. Otherwise, the next slot is the largest free one of the smaller tiers.
    ///
    /// So a chain of 1500 bytes takes one slot of 1536 bytes. If none is free, or if there is no
    /// such tier, it takes twelve slots of 128 bytes. With tiers of 512 and 64 bytes, a chain of
    /// 1050 bytes takes 512 + 512 + 64. A chain for 0 bytes takes no slot until it is filled.
    ///
    /// Slots never come from the fallback. Each slot is a request of its own in the statistics. A
    /// refusal counts once, beside the slots that were taken before it and went back.
    ///
    /// Interrupt handler: yes. Cost: one compare-and-swap for each slot.
    ///
    /// # Errors
    /// [`AllocError::Exhausted`] if too few slots were free. If several contexts ask for chains at
    /// the same time, all of them may fail, although the slots were enough for one.
    /// [`AllocError::ChainFull`] if `N` slots of the largest tier are too few.
    ///
    /// ```
    /// use tierpool::AllocError;
    ///
    /// tierpool::pool! { static POOL = [64 x 2, 512 x 2]; }
    /// let chain = POOL.alloc_chain::<4>(1050)?;
    /// assert!(chain.parts().iter().map(|part| part.capacity()).eq([512, 512, 64]));
    ///
    /// assert_eq!(POOL.alloc_chain::<4>(65).unwrap_err(), AllocError::Exhausted);
    /// assert_eq!(POOL.alloc_chain::<4>(2049).unwrap_err(), AllocError::ChainFull);
    /// assert_eq!(POOL.stats().tiers()[0].in_use, 1); // a refusal keeps nothing
    /// # Ok::<(), AllocError>(())
    /// ```
    #[cfg_attr(feature = "track", track_caller)]
    pub fn alloc_chain<const N: usize>(
        &'static self,
        len: usize,
    ) -> Result<ChainMut<N>, AllocError> {
        let mut chain = ChainMut { parts: [const { NO_SLOT }; N], used: 0, pool: self };
        chain.add_slots(len, 0)?;
        Ok(chain)
    }
}

impl<const N: usize> ChainMut<N> {
    /// The number of bytes.
    ///
    /// Cost: a walk over the parts.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// let mut chain = POOL.alloc_chain::<2>(100)?;
    /// chain.extend_from_slice(b"hello")?;
    /// assert_eq!(chain.len(), 5);
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    pub fn len(&self) -> usize {
        self.parts().iter().map(BytesMut::len).sum()
    }

    /// True if there are no bytes.
    ///
    /// ```
    /// tierpool::pool! { static POOL = default; }
    /// assert!(POOL.alloc_chain::<2>(100)?.is_empty());
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    pub fn is_empty(&self) -> bool {
        self.parts().iter().all(BytesMut::is_empty)
    }

    /// How many bytes there can be without another slot.
    ///
    /// Cost: a walk over the parts.
    ///
    /// ```
    /// tierpool::pool! { static POOL = [64 x 4]; }
    /// assert_eq!(POOL.alloc_chain::<4>(100)?.capacity(), 128);
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    pub fn capacity(&self) -> usize {
        let behind = self.parts().iter().skip(self.last());
        self.len() + behind.map(|part| part.capacity() - part.len()).sum::<usize>()
    }

    /// The slots, from the front. The bytes of the chain are those of its parts, one after the
    /// other.
    ///
    /// ```
    /// tierpool::pool! { static POOL = [64 x 4]; }
    /// assert_eq!(POOL.alloc_chain::<4>(100)?.parts().len(), 2);
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    pub fn parts(&self) -> &[BytesMut] {
        self.parts.get(..self.used).unwrap_or_default()
    }

    /// The slots, for writing: a driver with scatter DMA fills their spare room, and sets their
    /// lengths. More bytes are then appended to the last part that has any.
    ///
    /// ```
    /// tierpool::pool! { static POOL = [64 x 4]; }
    /// let mut frame = POOL.alloc_chain::<4>(100)?;
    /// let mut received = 100;
    /// for part in frame.parts_mut() {
    ///     let bytes = received.min(part.capacity());
    ///     // The peripheral writes so many bytes to `part.as_mut_ptr()`.
    ///     part.resize(bytes, 0xAB)?;
    ///     received -= bytes;
    /// }
    /// assert_eq!(frame.freeze(), [0xAB; 100]);
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    pub fn parts_mut(&mut self) -> &mut [BytesMut] {
        self.parts.get_mut(..self.used).unwrap_or_default()
    }

    /// Appends bytes: fills the slots that it has, and goes on in further slots of its pool. All
    /// bytes are appended, or none.
    ///
    /// The first further slot is as large as the last one, if one of that size is free. Otherwise
    /// the choice is that of [`Pool::alloc_chain`].
    ///
    /// Interrupt handler: yes. Cost: the copy, and one compare-and-swap for each further slot.
    ///
    /// # Errors
    /// [`AllocError::Exhausted`] if too few slots were free, [`AllocError::ChainFull`] if the
    /// chain has too few places. The chain is unchanged, except that the room behind its bytes may
    /// hold some of the new ones.
    ///
    /// ```
    /// tierpool::pool! { static POOL = [8 x 2]; }
    /// let mut chain = POOL.alloc_chain::<3>(8)?;
    /// chain.extend_from_slice(b"0123456789")?;
    /// assert!(chain.parts().iter().map(|part| part.len()).eq([8, 2]));
    /// assert_eq!(chain.extend_from_slice(b"abcdefg"), Err(tierpool::AllocError::Exhausted));
    /// assert_eq!(chain.freeze(), "0123456789");
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[cfg_attr(feature = "track", track_caller)]
    pub fn extend_from_slice(&mut self, bytes: &[u8]) -> Result<(), AllocError> {
        let (last, used) = (self.last(), self.used);
        let len = self.parts().get(last).map_or(0, BytesMut::len);
        let rest = self.fill(last, bytes);
        if rest.is_empty() {
            return Ok(());
        }
        let like_the_last = self.parts().last().map_or(0, BytesMut::footprint);
        if let Err(error) = self.add_slots(rest.len(), like_the_last) {
            // Only these had room: the last part that had bytes, and the empty ones behind it.
            let mut filled = self.parts_mut().iter_mut().skip(last);
            filled.next().into_iter().for_each(|part| part.truncate(len));
            filled.for_each(BytesMut::clear);
            return Err(error);
        }
        self.fill(used, rest);
        Ok(())
    }

    /// Makes the bytes shareable. Slots without bytes go back to their pool.
    ///
    /// Interrupt handler: yes. Cost: no atomic operation, and a drop for each empty slot.
    ///
    /// ```
    /// tierpool::pool! { static POOL = [64 x 4]; }
    /// let mut chain = POOL.alloc_chain::<4>(200)?;
    /// chain.extend_from_slice(b"short")?;
    /// let shared: tierpool::Chain<4> = chain.freeze();
    /// assert_eq!((shared.parts().len(), POOL.stats().tiers()[0].in_use), (1, 1));
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    pub fn freeze(self) -> Chain<N> {
        let mut chain = Chain::new();
        for part in self.parts {
            chain.put(part.freeze());
        }
        chain
    }

    // ---- the way to more room

    /// The place of the last part that has bytes, or else of the first part. Further bytes go there.
    fn last(&self) -> usize {
        self.parts().iter().rposition(|part| !part.is_empty()).unwrap_or(0)
    }

    /// Appends bytes to the parts from place `from` on, as far as they have room. Returns the rest.
    fn fill<'a>(&mut self, from: usize, mut bytes: &'a [u8]) -> &'a [u8] {
        for part in self.parts_mut().iter_mut().skip(from) {
            let (now, later) = bytes.split_at(bytes.len().min(part.capacity() - part.len()));
            part.append(now);
            bytes = later;
            if bytes.is_empty() {
                break;
            }
        }
        bytes
    }

    /// Adds slots with room for `missing` bytes: all of them, or none. The first one has at least
    /// `first` bytes, if such a slot is free.
    #[cold]
    #[inline(never)]
    #[cfg_attr(feature = "track", track_caller)]
    fn add_slots(&mut self, missing: usize, first: usize) -> Result<(), AllocError> {
        let before = self.used;
        if missing > (N - before).saturating_mul(self.pool.largest_slot()) {
            return Err(AllocError::ChainFull);
        }
        let (mut missing, mut size) = (missing, missing.max(first));
        while missing > 0 {
            let Some(capacity) = self.add_slot(size) else {
                self.parts_mut().iter_mut().skip(before).for_each(|part| *part = NO_SLOT);
                self.used = before;
                return Err(AllocError::Exhausted);
            };
            missing = missing.saturating_sub(capacity);
            size = missing;
        }
        Ok(())
    }

    /// Adds a slot for `size` bytes, or a smaller one. Returns its bytes. None if no slot is free,
    /// or if the small slots that were free have taken all places.
    #[cfg_attr(feature = "track", track_caller)]
    fn add_slot(&mut self, size: usize) -> Option<usize> {
        let Some(place) = self.parts.get_mut(self.used) else {
            self.pool.count_part_without_place(size);
            return None;
        };
        let (slot, missed) = match self.pool.take_part(size) {
            Some(slot) => (Some(slot), None),
            None => self.pool.take_part_elsewhere(size),
        };
        let mut added = None;
        if let Some((tier, index, state)) = slot {
            *place = BytesMut(Handle::from_slot(tier, index, state));
            self.used += 1;
            added = Some(tier.stride());
        }
        missed.into_iter().for_each(Pool::count_miss);
        added
    }
}

impl<const N: usize> From<ChainMut<N>> for Chain<N> {
    fn from(chain: ChainMut<N>) -> Self {
        chain.freeze()
    }
}

/// Prints a byte string literal: `b"GET /\r\n"`.
impl<const N: usize> fmt::Debug for ChainMut<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_literal(self.parts().iter().flatten(), f)
    }
}

/// Formats into the chain, which grows as [`extend_from_slice`](ChainMut::extend_from_slice) does.
///
/// ```
/// use core::fmt::Write;
///
/// tierpool::pool! { static POOL = [8 x 4]; }
/// let mut line = POOL.alloc_chain::<4>(0)?;
/// write!(line, "rssi={} snr={}", -71, 9).unwrap();
/// assert_eq!(line.freeze(), "rssi=-71 snr=9");
/// # Ok::<(), tierpool::AllocError>(())
/// ```
impl<const N: usize> fmt::Write for ChainMut<N> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.extend_from_slice(text.as_bytes()).map_err(|_| fmt::Error)
    }
}
