//! A tier list, what it weighs, and how `pool!` writes it.

use std::fmt;

/// The most tiers of a pool.
pub const MAX_TIERS: usize = 16;
/// The most slots of a tier. More of one size are tiers of equal size, one after the other, and a
/// spill between them.
pub const MAX_SLOTS: usize = 1022;
/// The largest slot, in bytes.
pub const MAX_SIZE: usize = 65_536;

/// Metadata of a slot on a 32-bit target, in bytes: its state word.
pub const SLOT_WORDS: usize = 4;
/// Metadata of a tier there: its head and counters.
pub const TIER_WORDS: usize = 16;
/// Payload begins and ends on a multiple of this, and no slot is aligned to more.
pub(crate) const REGION_ALIGN: usize = 64;

/// The tiers of a pool, as `(bytes, slots)` by rising size, and how far requests spill.
///
/// ```
/// use tierpool_traces::fit::Geometry;
///
/// let geometry = Geometry { tiers: vec![(16, 100), (64, 20)], spill: 1 };
/// assert_eq!(geometry.to_string(), "[16 x 100, 64 x 20], spill = 1");
/// assert_eq!(geometry.memory(), 100 * (16 + 4) + 20 * (64 + 4) + 2 * 16);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Geometry {
    /// Bytes and slots of each tier.
    pub tiers: Vec<(usize, usize)>,
    /// How many of the next larger tiers serve a request whose own tier is exhausted.
    pub spill: usize,
}

impl Geometry {
    /// Slots of all tiers.
    pub fn slots(&self) -> usize {
        self.tiers.iter().map(|tier| tier.1).sum()
    }

    /// What the pool takes on a 32-bit target, in bytes: payload with the gaps between tiers, state
    /// words, heads.
    pub fn memory(&self) -> usize {
        let mut payload = 0_usize;
        for &(size, slots) in &self.tiers {
            let align = (1 << size.trailing_zeros()).min(REGION_ALIGN);
            payload = payload.next_multiple_of(align) + size * slots;
        }
        payload.next_multiple_of(REGION_ALIGN)
            + self.slots() * SLOT_WORDS
            + self.tiers.len() * TIER_WORDS
    }

    /// The same tiers with a spill of at least `tiers`.
    pub fn with_spill(&self, tiers: usize) -> Geometry {
        Geometry { spill: self.spill.max(tiers), ..self.clone() }
    }

    /// The spill without which a tier that repeats the size of others before it is not reached.
    pub(crate) fn least_spill(&self) -> usize {
        let runs = self.tiers.chunk_by(|a, b| a.0 == b.0);
        runs.map(|run| run.len() - 1).max().unwrap_or(0)
    }
}

/// As it stands in `pool!`, after the `=`.
impl fmt::Display for Geometry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tiers: Vec<String> =
            self.tiers.iter().map(|(size, slots)| format!("{size} x {slots}")).collect();
        write!(f, "[{}]", tiers.join(", "))?;
        if self.spill > 0 { write!(f, ", spill = {}", self.spill) } else { Ok(()) }
    }
}
