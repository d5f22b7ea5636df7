//! Who holds the buffers of a pool, with the feature `track`.
//!
//! ```text
//!   slots      state word says "held" ──► the words beside it ──┐
//!   fallback   list of the pool ────────────────────────────────┴─► HeldBuffer ──► a row for each holder
//! ```

use core::fmt;

use crate::protocol::free_list::FreeList;
use crate::protocol::holder::Holder;

/// A buffer that is out, from [`Pool::held`](crate::Pool::held).
///
/// ```
/// tierpool::pool! { static RX = [256 x 4, 512 x 4]; }
/// let packet = RX.alloc(500)?.freeze();
/// let shared = packet.clone();
/// drop(RX.alloc(500)?);
///
/// let held = RX.held().next().unwrap();
/// assert_eq!((held.tier, held.slot, held.bytes), (Some(1), 0, 512));
/// assert_eq!((held.handles, held.age), (Some(2), 1));
/// # Ok::<(), tierpool::AllocError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HeldBuffer {
    /// Its tier: the place in [`Stats::tiers`](crate::Stats::tiers). None for a buffer of the fallback, and for an object
    /// of an [`ObjectPool`](crate::ObjectPool).
    pub tier: Option<usize>,
    /// The number of its slot in the tier. Reserved slots come behind the others. For a buffer of
    /// the fallback, its place in a list.
    pub slot: usize,
    /// The bytes of the slot, or of the buffer of the fallback.
    pub bytes: usize,
    /// The handles on it. None for a raw slot, and for a buffer of the fallback.
    pub handles: Option<usize>,
    /// Who holds it.
    pub holder: Holder,
    /// How many requests its free list has served since it was allocated, modulo 2^32: with lanes,
    /// the list of its lane. For a buffer of the fallback: how many the fallback has served.
    pub age: u32,
}

/// The slots of a list that are held. `first` is the number of its first slot.
pub(crate) fn of_list<'a>(
    list: FreeList<'a>,
    bytes: usize,
    tier: Option<usize>,
    first: usize,
) -> impl Iterator<Item = HeldBuffer> + 'a {
    list.held().map(move |(index, handles, holder, age)| HeldBuffer {
        tier,
        slot: first + index as usize,
        bytes,
        handles,
        holder,
        age,
    })
}

/// What one holder holds, from [`Stats::holders`](crate::Stats::holders).
///
/// ```
/// tierpool::pool! { static RX = [256 x 4]; }
/// let kept = [RX.alloc(100)?, RX.alloc(100)?];
/// kept.iter().for_each(|packet| packet.mark(&"parked"));
/// drop(RX.alloc(100)?);
///
/// let parked = RX.stats().holders()[0];
/// assert_eq!((parked.buffers, parked.bytes, parked.oldest), (2, 512, 2));
/// assert_eq!(parked.holder.to_string(), "parked");
/// # Ok::<(), tierpool::AllocError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HolderStats {
    /// Who holds them.
    pub holder: Holder,
    /// The buffers that it holds.
    pub buffers: usize,
    /// The bytes of their slots.
    pub bytes: usize,
    /// The age of the oldest one, see [`HeldBuffer::age`].
    pub oldest: u32,
}

/// How many holders a snapshot tells apart.
const ROWS: usize = 16;

/// The holders of one pool, the one with the oldest buffer first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Holders {
    /// Only the first `len` are filled.
    rows: [HolderStats; ROWS],
    len: usize,
    /// The buffers of all other holders.
    others: usize,
}

impl Holders {
    /// Nobody.
    pub(crate) const NONE: Holders = {
        let none = HolderStats { holder: Holder::Unknown, buffers: 0, bytes: 0, oldest: 0 };
        Holders { rows: [none; ROWS], len: 0, others: 0 }
    };

    /// The holders of these buffers.
    pub(crate) fn of(held: impl Iterator<Item = HeldBuffer>) -> Self {
        let mut holders = Holders::NONE;
        held.for_each(|buffer| holders.add(buffer));
        let rows = holders.rows.get_mut(..holders.len).unwrap_or_default();
        rows.sort_unstable_by_key(|row| core::cmp::Reverse(row.oldest));
        holders
    }

    /// Adds a buffer to the row of its holder.
    fn add(&mut self, buffer: HeldBuffer) {
        let known = self.rows().iter().position(|row| row.holder == buffer.holder);
        let Some(row) = self.rows.get_mut(known.unwrap_or(self.len)) else {
            self.others += 1;
            return;
        };
        if known.is_none() {
            self.len += 1;
            row.holder = buffer.holder;
        }
        row.buffers += 1;
        row.bytes += buffer.bytes;
        row.oldest = row.oldest.max(buffer.age);
    }

    /// A row for each holder.
    pub(crate) fn rows(&self) -> &[HolderStats] {
        self.rows.get(..self.len).unwrap_or_default()
    }
}

/// Prints the table of holders, each line with a line break in front; nothing if nobody holds
/// anything.
impl fmt::Display for Holders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.len > 0 {
            write!(f, "\n{:>6} {:>9} {:>13}  held by", "held", "bytes", "oldest")?;
        }
        for HolderStats { holder, buffers, bytes, oldest } in self.rows() {
            write!(f, "\n{buffers:>6} {bytes:>9} {oldest:>13}  {holder}")?;
        }
        if self.others > 0 {
            write!(f, "\n{:>6} {:>9} {:>13}  others", self.others, "", "")?;
        }
        Ok(())
    }
}
