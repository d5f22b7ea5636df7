//! Where the lists, the slots and the payload of a configuration lie, and how large they are.
//!
//! ```text
//!   lists     [tier 0, lane 0][tier 0, lane 1] … [tier T-1, lane L-1][reserve][reserve] …
//!   blocks    ├ tier 0 ┼ tier 1 ┼ … ┼ tier T-1 ┼ reserve of tier 0 ┼ … ┤   in the payload region
//! ```
//!
//! A block is the slots of one tier, or of its reserve, which may be empty. An empty reserve has no
//! list.

use crate::limits::REGION_ALIGN;
use crate::pool::config::Config;

impl Config<'_> {
    /// The number of tiers.
    pub const fn tiers(&self) -> usize {
        self.tiers.len()
    }

    /// Free lists of all tiers together: one for each tier, or with `lanes` one for each lane of
    /// each tier; and one for each reserve. As many as [`PoolStorage`](crate::PoolStorage) must have room for. A product that
    /// overflows, which [`check`](Self::check) refuses, is `usize::MAX`.
    pub const fn lists(&self) -> usize {
        let (mut tier, mut lists) = (0, self.plain_lists());
        while tier < self.tiers.len() {
            if self.reserve_of(tier) > 0 {
                lists = lists.saturating_add(1);
            }
            tier += 1;
        }
        lists
    }

    /// Free lists that plain requests use.
    pub(crate) const fn plain_lists(&self) -> usize {
        self.tiers.len().saturating_mul(self.lane_count())
    }

    /// Lanes of each tier.
    pub(crate) const fn lane_count(&self) -> usize {
        #[cfg(feature = "lanes")]
        return self.lanes;
        #[cfg(not(feature = "lanes"))]
        1
    }

    /// The number of slots of all tiers together: so many [`SlotState`](crate::SlotState)s the pool
    /// needs. If the sum overflows, which [`check`](Self::check) refuses, it is `usize::MAX`.
    pub const fn slots(&self) -> usize {
        let (mut block, mut slots) = (0, 0_usize);
        while block < self.blocks() {
            slots = slots.saturating_add(self.slots_of(block));
            block += 1;
        }
        slots
    }

    /// The bytes of payload of all tiers together: the payload region must be this long. If the sum
    /// overflows, which [`check`](Self::check) refuses, it is `usize::MAX`.
    pub const fn payload_bytes(&self) -> usize {
        let (mut block, mut end) = (0, 0);
        while block < self.blocks() {
            end = self
                .payload_offset(block)
                .saturating_add(self.stride(block).saturating_mul(self.slots_of(block)));
            block += 1;
        }
        rounded_up(end, self.payload_align())
    }

    /// The alignment of the payload region, in bytes: that of the pool, and at least 64.
    pub const fn payload_align(&self) -> usize {
        if self.align > REGION_ALIGN { self.align } else { REGION_ALIGN }
    }

    // ---- for the constructors, after `check`; and before it for the sizes above, which must not
    // panic

    /// The blocks of the payload region: the tiers, and behind them their reserves.
    const fn blocks(&self) -> usize {
        if cfg!(feature = "reserve") {
            self.tiers.len().saturating_mul(2)
        } else {
            self.tiers.len()
        }
    }

    /// The number of slots of a block.
    pub(crate) const fn slots_of(&self, block: usize) -> usize {
        match block.checked_sub(self.tiers.len()) {
            None => self.tiers[block].1,
            Some(tier) => self.reserve_of(tier),
        }
    }

    /// The number of reserved slots of a tier.
    pub(crate) const fn reserve_of(&self, _tier: usize) -> usize {
        #[cfg(feature = "reserve")]
        if _tier < self.reserve.len() {
            return self.reserve[_tier];
        }
        0
    }

    /// Where list `k` lies: its block, and the first and the last slot of it, plus one.
    pub(crate) const fn list(&self, k: usize) -> (usize, usize, usize) {
        let Some(reserve) = k.checked_sub(self.plain_lists()) else {
            let (tier, lane) = (k / self.lane_count(), k % self.lane_count());
            return (tier, self.lane_start(tier, lane), self.lane_start(tier, lane + 1));
        };
        let (mut tier, mut before) = (0, 0);
        loop {
            if self.reserve_of(tier) > 0 {
                if before == reserve {
                    return (self.tiers.len() + tier, 0, self.reserve_of(tier));
                }
                before += 1;
            }
            tier += 1;
        }
    }

    /// The first slot of a lane of a tier; of the lane behind the last one, the number of slots.
    const fn lane_start(&self, tier: usize, lane: usize) -> usize {
        self.tiers[tier].1 * lane / self.lane_count()
    }

    /// The bytes of a slot of a block: the size of its tier, rounded up to the alignment.
    pub(crate) const fn stride(&self, block: usize) -> usize {
        let tier = if block < self.tiers.len() { block } else { block - self.tiers.len() };
        rounded_up(self.tiers[tier].0, self.align)
    }

    /// The alignment of every slot of a block: the largest power of two that divides its stride, but
    /// not more than that of the region.
    pub(crate) const fn slot_align(&self, block: usize) -> usize {
        match 1_usize.checked_shl(self.stride(block).trailing_zeros()) {
            Some(natural) if natural < self.payload_align() => natural,
            _ => self.payload_align(),
        }
    }

    /// The offset at which a block begins in the region.
    pub(crate) const fn payload_offset(&self, block: usize) -> usize {
        let (mut before, mut offset) = (0, 0_usize);
        while before < block {
            offset =
                offset.saturating_add(self.stride(before).saturating_mul(self.slots_of(before)));
            before += 1;
            offset = rounded_up(offset, self.slot_align(before));
        }
        offset
    }
}

/// The next multiple of `align`, or `usize::MAX` if there is none.
const fn rounded_up(bytes: usize, align: usize) -> usize {
    match bytes.checked_next_multiple_of(align) {
        Some(rounded) => rounded,
        None => usize::MAX,
    }
}

#[cfg(test)]
mod tests {
    use crate::pool::config::Config;

    /// A program may ask for the sizes before the check, for example with a configuration from a
    /// file. It gets numbers.
    #[test]
    #[cfg_attr(miri, ignore = "a million steps without a pointer")]
    fn sizes_of_what_the_check_refuses_are_numbers() {
        const MAX: usize = usize::MAX;
        let sizes = |tiers: &[(usize, usize)], align| {
            let config = Config::new(tiers).align(align);
            assert!(config.check().is_err());
            (config.tiers(), config.slots(), config.payload_bytes(), config.payload_align())
        };
        assert_eq!(sizes(&[(8, 2)], 0), (1, 2, MAX, 64));
        assert_eq!(sizes(&[(8, 2)], MAX), (1, 2, MAX, MAX));
        assert_eq!(sizes(&[(0, 2), (8, 1)], 1), (2, 3, 64, 64));
        assert_eq!(sizes(&[(MAX, MAX), (MAX, MAX)], 4096), (2, MAX, MAX, 4096));
        assert_eq!(sizes(&[(8, MAX), (8, 1)], 1), (2, MAX, MAX, 64));
        assert_eq!(sizes(&[(MAX, 1), (8, 1)], 1), (2, 2, MAX, 64));
        assert_eq!(sizes(&[], 3), (0, 0, 0, 64));
        assert_eq!(sizes(&[(1, 1); 1000], 1), (1000, 1000, 1024, 64));
    }

    #[test]
    #[cfg_attr(miri, ignore = "numbers without a pointer")]
    fn slots_are_as_aligned_as_their_size_allows() {
        let config = Config::new(&[(10, 3), (48, 2), (500, 2), (1024, 1)]);
        let layout = |t| (config.stride(t), config.slot_align(t), config.payload_offset(t));
        assert_eq!(
            [layout(0), layout(1), layout(2), layout(3)],
            [(10, 2, 0), (48, 16, 32), (500, 4, 128), (1024, 64, 1152)]
        );
        assert_eq!(config.payload_bytes(), 1152 + 1024);
        let aligned = Config::new(&[(10, 3), (48, 2)]).align(32);
        assert_eq!(aligned.stride(0), 32);
        assert_eq!(aligned.stride(1), 64);
        assert_eq!(aligned.payload_offset(1), 128);
        assert_eq!(aligned.payload_bytes(), 256);
        assert_eq!(aligned.payload_align(), 64);
    }
}
