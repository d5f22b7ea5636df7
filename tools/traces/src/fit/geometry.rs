//! A tier list, what it weighs, and how `pool!` writes it.

use std::fmt;
use std::str::FromStr;

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

/// Why a text is no tier list, and how one looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeometryError(String);

impl fmt::Display for GeometryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: write the tiers as in `pool!`: [256 x 16, 512 x 8], spill = 1", self.0)
    }
}

impl std::error::Error for GeometryError {}

/// Reads what stands in `pool!` after the `=`: tiers, or `default`, and perhaps a spill.
impl FromStr for Geometry {
    type Err = GeometryError;

    fn from_str(text: &str) -> Result<Self, GeometryError> {
        let wrong = |what: String| Err(GeometryError(what));
        let text = text.trim().trim_end_matches(';').trim_end();
        let (tiers, options) = if let Some(options) = text.strip_prefix("default") {
            (vec![(256, 16), (512, 16), (1024, 16)], options)
        } else {
            let Some((list, options)) =
                text.strip_prefix('[').and_then(|list| list.split_once(']'))
            else {
                return wrong(format!("`{text}` has no tiers in `[` and `]`"));
            };
            let list = list.trim().trim_end_matches(',');
            (list.split(',').map(tier).collect::<Result<Vec<_>, _>>()?, options)
        };
        let options = options.trim().trim_start_matches(',').trim();
        let spill = options.strip_prefix("spill").map(|rest| rest.trim_start_matches([' ', '=']));
        let spill = match spill {
            None if options.is_empty() => 0,
            Some(number) if number.parse::<usize>().is_ok_and(|spill| spill < MAX_TIERS) => {
                number.parse().unwrap_or_default()
            }
            _ => return wrong(format!("`{options}` is no `spill = TIERS`, of 0 to 15 tiers")),
        };
        if tiers.len() > MAX_TIERS {
            return wrong(format!("{} tiers, but a pool has at most {MAX_TIERS}", tiers.len()));
        }
        match tiers.windows(2).find(|pair| pair[0].0 > pair[1].0) {
            Some(pair) => wrong(format!("{} stands before {}: sizes rise", pair[0].0, pair[1].0)),
            None => Ok(Geometry { tiers, spill }),
        }
    }
}

/// Reads `256 x 16`.
fn tier(text: &str) -> Result<(usize, usize), GeometryError> {
    let text = text.trim();
    let numbers = text.split_once('x').and_then(|(size, slots)| {
        Some((size.trim().parse::<usize>().ok()?, slots.trim().parse::<usize>().ok()?))
    });
    match numbers {
        Some((1..=MAX_SIZE, 1..=MAX_SLOTS)) => Ok(numbers.unwrap_or_default()),
        Some(_) => Err(GeometryError(format!(
            "`{text}`: a slot has 1 to {MAX_SIZE} bytes, and a tier 1 to {MAX_SLOTS} slots"
        ))),
        None => Err(GeometryError(format!("`{text}` is no `BYTES x SLOTS`"))),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for text in
            ["[256 x 16]", "[16 x 100, 64 x 20], spill = 1", "[8 x 750, 8 x 750], spill = 1"]
        {
            assert_eq!(text.parse::<Geometry>().unwrap().to_string(), text);
        }
        let loose = "  [256x16,512 x 8,] ,spill=2 ; ".parse::<Geometry>().unwrap();
        assert_eq!(loose.to_string(), "[256 x 16, 512 x 8], spill = 2");
        assert_eq!("default".parse::<Geometry>().unwrap().slots(), 48);
    }

    #[test]
    fn what_is_no_tier_list_is_named() {
        let error = |text: &str| text.parse::<Geometry>().unwrap_err().0;
        assert_eq!(error("256 x 16"), "`256 x 16` has no tiers in `[` and `]`");
        assert_eq!(error("[]"), "`` is no `BYTES x SLOTS`");
        assert_eq!(error("[256 x 12 + 4]"), "`256 x 12 + 4` is no `BYTES x SLOTS`");
        assert_eq!(error("[512 x 1, 256 x 1]"), "512 stands before 256: sizes rise");
        assert_eq!(
            error("[8 x 1], align = 4"),
            "`align = 4` is no `spill = TIERS`, of 0 to 15 tiers"
        );
        assert!(error("[65537 x 1]").contains("1 to 65536 bytes"));
        assert!(error("[8 x 1023]").contains("1 to 1022 slots"));
        assert!(error(&format!("[{}]", ["8 x 1"; 17].join(", "))).contains("at most 16"));
        assert!("[".parse::<Geometry>().unwrap_err().to_string().contains("as in `pool!`"));
    }
}
