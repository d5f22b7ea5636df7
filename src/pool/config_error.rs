//! The errors of a configuration, in texts that a compile error can also show.
//!
//! ```text
//!   Config::check ─► ConfigError ─► ConstStr ─┬─► Display, at run time
//!                                              └─► panic! in a constant: the compile error of `pool!`
//! ```

use core::fmt;

/// An error in the configuration of a pool, or in the memory that it should be built in.
///
/// Tiers are counted from 0. The compile error of `pool!` has the same text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ConfigError {
    /// There is no tier, or there are more than 16.
    Tiers {
        /// How many there are.
        tiers: usize,
    },
    /// A tier has slots of 0 bytes, or of more than 65 536.
    Size {
        /// The tier.
        tier: usize,
        /// Its size in bytes.
        size: usize,
    },
    /// A tier has no slot, or more than 1022.
    Slots {
        /// The tier.
        tier: usize,
        /// How many slots it would have.
        slots: usize,
    },
    /// A tier is smaller than the one before it.
    Descending {
        /// The tier.
        tier: usize,
        /// Its size in bytes.
        size: usize,
    },
    /// The alignment is no power of two, or above 4096.
    Align {
        /// The alignment in bytes.
        align: usize,
    },
    /// No lane at all, or more than 64.
    Lanes {
        /// How many there would be.
        lanes: usize,
    },
    /// A tier with fewer slots than lanes.
    SlotsPerLane {
        /// The tier.
        tier: usize,
        /// How many slots it has.
        slots: usize,
    },
    /// The reserve of a tier is larger than 1022 slots.
    Reserve {
        /// The tier.
        tier: usize,
        /// How many reserved slots it would have.
        slots: usize,
    },
    /// Several lanes, but no function that says which one a request begins in.
    NoLaneFunction,
    /// There are fewer state words than slots.
    StateTooShort {
        /// How many are needed.
        needed: usize,
    },
    /// The payload region is too short.
    PayloadTooShort {
        /// How many bytes are needed.
        needed: usize,
    },
    /// The payload region does not begin at a multiple of the alignment that the pool needs.
    PayloadMisaligned {
        /// The alignment needed, in bytes.
        align: usize,
    },
    /// The storage has room for fewer free lists: one for each tier, or one for each of its lanes.
    PlaceTooSmall {
        /// How many lists there are.
        needed: usize,
    },
    /// A tier has so few slots that a cache takes them all at once
    /// ([`PoolCache::check`](crate::PoolCache::check)).
    Cache {
        /// The tier.
        tier: usize,
        /// How many slots it has.
        slots: usize,
    },
    /// The global allocator had no memory for the pool.
    OutOfMemory,
}

impl ConfigError {
    /// The text of the error.
    pub(crate) const fn message(&self) -> ConstStr {
        let m = ConstStr::new();
        match *self {
            ConfigError::Tiers { tiers } => m.number(tiers).text(" tiers: a pool has 1 to 16"),
            ConfigError::Size { tier, size } => m.tier(tier, size, " bytes): a slot has 1 to 65536 bytes"),
            ConfigError::Slots { tier, slots: 0 } => m.tier(tier, 0, " slots): a tier has 1 to 1022 slots"),
            ConfigError::Slots { tier, slots } => {
                m.tier(tier, slots, " slots): a tier has 1 to 1022 slots; list the same size twice, with spill, for more")
            }
            ConfigError::Descending { tier, size } => {
                m.tier(tier, size, " bytes): smaller than the tier before it; list the tiers by rising size")
            }
            ConfigError::Align { align } => m.text("align ").number(align).text(": the alignment is a power of two from 1 to 4096"),
            ConfigError::Lanes { lanes } => m.number(lanes).text(" lanes: a tier has 1 to 64"),
            ConfigError::SlotsPerLane { tier, slots } => {
                m.tier(tier, slots, " slots): fewer than lanes; declare more slots, or fewer lanes")
            }
            ConfigError::Reserve { tier, slots } => {
                m.tier(tier, slots, " reserved slots): a reserve has at most 1022 slots")
            }
            ConfigError::NoLaneFunction => m.text("several lanes, but no function: add `lane = FUNCTION`, of the type fn() -> usize"),
            ConfigError::StateTooShort { needed } => m.text("too few state words: one a slot, so ").number(needed).text(", are needed"),
            ConfigError::PayloadTooShort { needed } => m.text("payload region too short: ").number(needed).text(" bytes are needed"),
            ConfigError::PayloadMisaligned { align } => {
                m.text("payload region misaligned: it must begin at a multiple of ").number(align).text(" bytes")
            }
            ConfigError::PlaceTooSmall { needed } => {
                m.text("storage too small: it must have room for ").number(needed).text(" free lists, one a tier and lane")
            }
            ConfigError::Cache { tier, slots } => {
                m.tier(tier, slots, " slots): a cache takes them all at once; declare more slots, or a smaller cache")
            }
            ConfigError::OutOfMemory => m.text("the global allocator has no memory for the pool"),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.message().as_str())
    }
}

impl core::error::Error for ConfigError {}

/// A text that is put together at compile time, where formatting does not work.
pub(crate) struct ConstStr {
    /// The text, in UTF-8. Only the first `len` bytes are used.
    bytes: [u8; ConstStr::LONGEST],
    /// The length of the text in bytes.
    len: usize,
}

impl ConstStr {
    /// The bytes of the longest text, with the largest numbers. Bytes beyond it are left out,
    /// because a text that is put together anywhere must not panic.
    const LONGEST: usize = 144;

    /// An empty text.
    pub(crate) const fn new() -> Self {
        ConstStr { bytes: [0; ConstStr::LONGEST], len: 0 }
    }

    /// Appends a text.
    pub(crate) const fn text(mut self, text: &str) -> Self {
        let mut i = 0;
        while i < text.len() {
            self = self.byte(text.as_bytes()[i]);
            i += 1;
        }
        self
    }

    /// Appends a byte, if there is room.
    const fn byte(mut self, byte: u8) -> Self {
        if self.len < ConstStr::LONGEST {
            self.bytes[self.len] = byte;
            self.len += 1;
        }
        self
    }

    /// Appends a number, in decimal digits.
    const fn number(mut self, number: usize) -> Self {
        let mut unit = 1;
        while number / unit > 9 {
            unit *= 10;
        }
        while unit > 0 {
            self = self.byte(b'0' + (number / unit % 10) as u8);
            unit /= 10;
        }
        self
    }

    /// Appends `tier 1 (16`, with these two numbers, and then the text.
    const fn tier(self, tier: usize, number: usize, text: &str) -> Self {
        self.text("tier ").number(tier).text(" (").number(number).text(text)
    }

    /// The text.
    pub(crate) const fn as_str(&self) -> &str {
        match core::str::from_utf8(self.bytes.split_at(self.len).0) {
            Ok(text) => text,
            Err(_) => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ConfigError as E;

    /// Every number may have any value, because the variants are public.
    #[test]
    fn every_message_fits() {
        let n = usize::MAX;
        for (error, end) in [
            (E::Tiers { tiers: n }, "1 to 16"),
            (E::Size { tier: n, size: n }, "1 to 65536 bytes"),
            (E::Slots { tier: n, slots: 0 }, "1 to 1022 slots"),
            (E::Slots { tier: n, slots: n }, "with spill, for more"),
            (E::Descending { tier: n, size: n }, "by rising size"),
            (E::Align { align: n }, "1 to 4096"),
            (E::Lanes { lanes: n }, "1 to 64"),
            (E::SlotsPerLane { tier: n, slots: n }, "fewer lanes"),
            (E::Reserve { tier: n, slots: n }, "at most 1022 slots"),
            (E::NoLaneFunction, "fn() -> usize"),
            (E::StateTooShort { needed: n }, "are needed"),
            (E::PayloadTooShort { needed: n }, "are needed"),
            (E::PayloadMisaligned { align: n }, " bytes"),
            (E::PlaceTooSmall { needed: n }, "tier and lane"),
            (E::Cache { tier: n, slots: n }, "a smaller cache"),
            (E::OutOfMemory, "for the pool"),
        ] {
            let message = error.message();
            assert!(
                message.as_str().ends_with(end) && message.len < super::ConstStr::LONGEST,
                "{}",
                message.as_str()
            );
        }
        assert_eq!(E::Tiers { tiers: 0 }.message().as_str(), "0 tiers: a pool has 1 to 16");
        assert_eq!(
            E::Align { align: 100 }.message().as_str(),
            "align 100: the alignment is a power of two from 1 to 4096"
        );
        let long = super::ConstStr::new().text("long").text(&"er".repeat(1000));
        assert_eq!(long.as_str().len(), super::ConstStr::LONGEST, "cut off");
    }
}
