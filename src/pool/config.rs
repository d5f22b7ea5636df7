//! The shape of a pool: which tiers it has, and its options; checked at compile time where it can be.
//!
//! ```text
//!   Config   [(256, 16), (512, 16), (1024, 16)]  align  spill  zero_on_free  fallback  on_free  waiters
//!              │     └ slots
//!              └ bytes; stride = bytes rounded up to `align`
//!   payload  ├ tier 0: 16 · 256 ┼ tier 1: 16 · 512 ┼ tier 2: 16 · 1024 ┤   one region, both ends aligned
//! ```

use core::panic::{RefUnwindSafe, UnwindSafe};

#[cfg(feature = "lanes")]
use crate::limits::MAX_LANES;
use crate::limits::{MAX_ALIGN, MAX_SIZE, MAX_TIERS, REGION_ALIGN};
use crate::pool::Pool;
use crate::pool::config_error::{ConfigError, ConstStr};
use crate::pool::fallback::Fallback;
#[cfg(feature = "wait")]
use crate::pool::waiters::Waiters;
use crate::protocol::free_list::MAX_SLOTS;
#[cfg(feature = "wait")]
use crate::protocol::waker_cell::WakerCell;

/// 256, 512 and 1024 bytes, 16 slots each: those of the C++ `BytesBufferPool`, and `pool!`'s `default`.
pub const DEFAULT_TIERS: &[(usize, usize)] = &[(256, 16), (512, 16), (1024, 16)];

/// Tiers and options of a pool that is made at run time, by [`Pool::leak`] or [`Pool::from_static_parts`].
/// [`pool!`](crate::pool!) takes the same options by the same names. All of it is `const`: no atomic operation, and nothing
/// that an interrupt handler may not do.
///
/// ```
/// use tierpool::{Config, ConfigError};
///
/// const CONFIG: Config = Config::new(&[(64, 32), (512, 16)]).align(32).spill(1);
/// assert_eq!(CONFIG.check(), Ok(()));
/// assert_eq!(CONFIG.slots(), 48);
/// assert_eq!(CONFIG.payload_bytes(), 32 * 64 + 16 * 512);
///
/// let falling = Config::new(&[(512, 16), (256, 16)]).check().unwrap_err();
/// assert_eq!(falling, ConfigError::Descending { tier: 1, size: 256 });
/// assert_eq!(falling.to_string(), "tier 1 (256 bytes): smaller than the tier before it; list the tiers by rising size");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Config<'a> {
    tiers: &'a [(usize, usize)],
    pub(crate) align: usize,
    pub(crate) spill: usize,
    pub(crate) zero_on_free: bool,
    pub(crate) fallback: Option<&'static dyn Fallback>,
    pub(crate) on_free: Option<fn(&'static Pool)>,
    #[cfg(feature = "lanes")]
    lanes: usize,
    #[cfg(feature = "lanes")]
    pub(crate) lane: Option<fn() -> usize>,
    #[cfg(feature = "wait")]
    pub(crate) waiters: &'static [WakerCell],
}

// As a pool.
impl UnwindSafe for Config<'_> {}
impl RefUnwindSafe for Config<'_> {}

impl<'a> Config<'a> {
    /// Tiers as `(bytes, slots)`, by rising size. 1 to 16 tiers of 1 to 65 536 bytes and 1 to 1022 slots. Equal sizes may
    /// follow each other; the later ones are reached by [`spill`](Self::spill).
    pub const fn new(tiers: &'a [(usize, usize)]) -> Self {
        Config {
            tiers,
            align: 1,
            spill: 0,
            zero_on_free: false,
            fallback: None,
            on_free: None,
            #[cfg(feature = "lanes")]
            lanes: 1,
            #[cfg(feature = "lanes")]
            lane: None,
            #[cfg(feature = "wait")]
            waiters: &[],
        }
    }

    /// Aligns every slot to `bytes`, a power of two up to 4096; sizes are rounded up to it, and so is requested
    /// headroom, so that payload begins on the boundary that DMA wants. The default is 1: a slot is then as
    /// aligned as its size allows (256-byte slots to 64 bytes), and no byte is lost to rounding.
    pub const fn align(mut self, bytes: usize) -> Self {
        self.align = bytes;
        self
    }

    /// How many of the next larger tiers serve a request whose own tier is exhausted. The default is 0. With 1 a
    /// burst of small buffers is served from idle larger ones; without a bound it would pin all of them.
    pub const fn spill(mut self, tiers: usize) -> Self {
        self.spill = tiers;
        self
    }

    /// Overwrites the whole buffer with zeros each time it is freed, for secrets. The default is `false`: what an owner has
    /// written stays in memory until the next one overwrites it. Safe code never sees it in either case.
    ///
    /// It is wiped after the last use and before anybody can get it, by writes that the compiler may not leave out (the crate
    /// `zeroize`): by the last drop, raw frees, the old buffer of growth and copies, and
    /// [`PoolCache::recycle`](crate::PoolCache::recycle); a buffer of the fallback by the last drop, also where it is only freed later. A drop
    /// then costs the writing of the whole buffer.
    ///
    /// Not wiped: what is still held (bytes cut off a buffer stay in it until it is freed), what is forgotten, copies that the
    /// program has made elsewhere, values of an [`ObjectPool`](crate::ObjectPool) (their destructors may), what a
    /// `PoolGlobalAlloc` gets from its other allocator. Where memory lies behind a data
    /// cache that is written back later, such as PSRAM, a debugger or a bus master sees the zeros only then.
    pub const fn zero_on_free(mut self, on: bool) -> Self {
        self.zero_on_free = on;
        self
    }

    /// Where requests go that no tier can serve, except those of [`Pool::alloc_pooled`] and [`Pool::allocate`].
    /// The default is nowhere: they fail.
    pub const fn fallback(mut self, fallback: &'static dyn Fallback) -> Self {
        self.fallback = Some(fallback);
        self
    }

    /// Called with the pool when a slot has come back to a tier that was empty and waited for, see
    /// [`Pool::arm_free_notify`]. It runs wherever the last handle was dropped, so possibly in an interrupt handler, and the
    /// slot is free already. It should not panic; if it does, the panic goes on through the drop (allocators,
    /// which must not unwind, stop the program: `PoolGlobalAlloc`, and `Allocator` of pools), and no slot is lost.
    pub const fn on_free(mut self, hook: fn(&'static Pool)) -> Self {
        self.on_free = Some(hook);
        self
    }

    /// Divides the slots of each tier into 1 to 64 lanes. Each lane has a free list of its own, so that cores do not share a
    /// head. A request begins in the lane that [`lane`](Self::lane) names. If that lane is empty, the request goes on to the other
    /// lanes of the tier, and only then to larger tiers. A slot always goes back to its own lane. The default is 1.
    ///
    /// Each lane costs what a tier costs. Each tier needs at least as many slots as lanes.
    ///
    /// ```
    /// use tierpool::{Config, Pool};
    ///
    /// let pool = Pool::leak(&Config::new(&[(64, 16)]).lanes(2).lane(tierpool::thread_lane))?;
    /// let held: Vec<_> = (0..16).map_while(|_| pool.alloc(64).ok()).collect();
    /// assert_eq!(held.len(), 16, "one thread gets the slots of both lanes");
    /// # Ok::<(), tierpool::ConfigError>(())
    /// ```
    #[cfg(feature = "lanes")]
    pub const fn lanes(mut self, lanes: usize) -> Self {
        self.lanes = lanes;
        self
    }

    /// Names the lane in which a request begins: any number, taken modulo the [lanes](Self::lanes). The number of the core is
    /// best; `std` programs take [`thread_lane`](crate::thread_lane).
    ///
    /// The function is called wherever buffers are allocated, possibly in an interrupt handler, so it must be quick. It may
    /// answer differently at any time, because a task may change its core: a wrong answer costs speed, and nothing else.
    ///
    /// | chip | core number |
    /// |---|---|
    /// | ESP32, S3 (Xtensa) | `esp_hal::system::Cpu::current() as usize`, or `rsr.prid`, bit 13 |
    /// | RISC-V | `csrr mhartid` |
    /// | RP2040, RP2350 | the register `SIO.CPUID` |
    /// | other Arm, Cortex-A | `mrc p15, 0, r0, c0, c0, 5`, low 2 bits |
    #[cfg(feature = "lanes")]
    pub const fn lane(mut self, lane: fn() -> usize) -> Self {
        self.lane = Some(lane);
        self
    }

    /// Places for tasks that wait in [`Pool::alloc_wait`]. The default is none. Places may serve several pools; then a
    /// free in one of them may wake tasks that wait for another, which wait on. `pool!` takes their number.
    ///
    /// ```
    /// use tierpool::{Config, Waiters};
    ///
    /// static WAITERS: Waiters<4> = Waiters::new();
    /// const CONFIG: Config = Config::new(&[(256, 16)]).waiters(&WAITERS);
    /// ```
    #[cfg(feature = "wait")]
    pub const fn waiters<const N: usize>(mut self, waiters: &'static Waiters<N>) -> Self {
        self.waiters = waiters.cells();
        self
    }

    /// Number of tiers.
    pub const fn tiers(&self) -> usize {
        self.tiers.len()
    }

    /// Free lists of all tiers together: one for each tier, or with `lanes` one for each lane of each tier. As many as
    /// [`PoolStorage`](crate::PoolStorage) must have room for. A product that overflows, which [`check`](Self::check) refuses, is
    /// `usize::MAX`.
    pub const fn lists(&self) -> usize {
        self.tiers.len().saturating_mul(self.lane_count())
    }

    /// Lanes of each tier.
    pub(crate) const fn lane_count(&self) -> usize {
        #[cfg(feature = "lanes")]
        return self.lanes;
        #[cfg(not(feature = "lanes"))]
        1
    }

    /// Slots of all tiers together: how many [`SlotState`](crate::SlotState)s the pool needs. A sum that overflows, which
    /// [`check`](Self::check) refuses, is `usize::MAX`.
    pub const fn slots(&self) -> usize {
        let (mut tier, mut slots) = (0, 0_usize);
        while tier < self.tiers.len() {
            slots = slots.saturating_add(self.tiers[tier].1);
            tier += 1;
        }
        slots
    }

    /// Bytes of payload of all tiers together: how long the region must be that the pool is put on. A sum that overflows, which
    /// [`check`](Self::check) refuses, is `usize::MAX`.
    pub const fn payload_bytes(&self) -> usize {
        let mut end = 0;
        let mut tier = 0;
        while tier < self.tiers.len() {
            end = self.payload_offset(tier).saturating_add(self.stride(tier).saturating_mul(self.tiers[tier].1));
            tier += 1;
        }
        rounded_up(end, self.payload_align())
    }

    /// What the region must be aligned to, in bytes: the pool's alignment, at least 64.
    pub const fn payload_align(&self) -> usize {
        if self.align > REGION_ALIGN { self.align } else { REGION_ALIGN }
    }

    /// Checks the tiers and the alignment. `pool!` does it at compile time, and the constructors do it first.
    ///
    /// # Errors
    /// The first violation, with the number of its tier, counted from 0.
    pub const fn check(&self) -> Result<(), ConfigError> {
        if !self.align.is_power_of_two() || self.align > MAX_ALIGN {
            return Err(ConfigError::Align { align: self.align });
        }
        if self.tiers.is_empty() || self.tiers.len() > MAX_TIERS {
            return Err(ConfigError::Tiers { tiers: self.tiers.len() });
        }
        #[cfg(feature = "lanes")]
        {
            if self.lanes < 1 || self.lanes > MAX_LANES {
                return Err(ConfigError::Lanes { lanes: self.lanes });
            }
            if self.lanes > 1 && self.lane.is_none() {
                return Err(ConfigError::NoLaneFunction);
            }
        }
        let mut tier = 0;
        while tier < self.tiers.len() {
            let (size, slots) = self.tiers[tier];
            if size < 1 || size > MAX_SIZE {
                return Err(ConfigError::Size { tier, size });
            }
            if slots < 1 || slots > MAX_SLOTS {
                return Err(ConfigError::Slots { tier, slots });
            }
            if slots < self.lane_count() {
                return Err(ConfigError::SlotsPerLane { tier, slots });
            }
            if tier > 0 && size < self.tiers[tier - 1].0 {
                return Err(ConfigError::Descending { tier, size });
            }
            tier += 1;
        }
        Ok(())
    }

    // ---- for the constructors, after `check`; and before it for the sizes above, which must not panic

    pub(crate) const fn slots_of(&self, tier: usize) -> usize {
        self.tiers[tier].1
    }

    /// The first slot of a lane of a tier; of the lane behind the last one, the number of slots.
    pub(crate) const fn lane_start(&self, tier: usize, lane: usize) -> usize {
        self.tiers[tier].1 * lane / self.lane_count()
    }

    pub(crate) const fn stride(&self, tier: usize) -> usize {
        rounded_up(self.tiers[tier].0, self.align)
    }

    /// What every slot of a tier is aligned to: the largest power of two in its stride, as far as the region goes.
    pub(crate) const fn slot_align(&self, tier: usize) -> usize {
        match 1_usize.checked_shl(self.stride(tier).trailing_zeros()) {
            Some(natural) if natural < self.payload_align() => natural,
            _ => self.payload_align(),
        }
    }

    /// Where a tier's payload begins in the region.
    pub(crate) const fn payload_offset(&self, tier: usize) -> usize {
        let (mut before, mut offset) = (0, 0_usize);
        while before < tier {
            offset = offset.saturating_add(self.stride(before).saturating_mul(self.tiers[before].1));
            before += 1;
            offset = rounded_up(offset, self.slot_align(before));
        }
        offset
    }
}

/// The next multiple of `align`, `usize::MAX` where there is none.
const fn rounded_up(bytes: usize, align: usize) -> usize {
    match bytes.checked_next_multiple_of(align) {
        Some(rounded) => rounded,
        None => usize::MAX,
    }
}

/// The sizes of a static pool, for its declarations.
#[derive(Clone, Copy, Debug)]
pub struct StaticLayout {
    /// Free lists of all tiers.
    pub lists: usize,
    /// Slots of all tiers.
    pub slots: usize,
    /// Bytes of payload.
    pub payload_bytes: usize,
    /// What the payload is aligned to, in bytes.
    pub payload_align: usize,
}

impl StaticLayout {
    /// Stops the compilation if the geometry is wrong, or an option is given twice.
    pub const fn checked(config: &Config<'_>, options: &[&str]) -> Self {
        let mut last = options.len();
        while last > 1 {
            last -= 1;
            let mut first = 0;
            while first < last {
                if equal(options[first], options[last]) {
                    panic!("{}", ConstStr::new().text("option `").text(options[last]).text("` is given twice").as_str());
                }
                first += 1;
            }
        }
        if let Err(error) = config.check() {
            panic!("{}", error.message().as_str());
        }
        StaticLayout {
            lists: config.lists(),
            slots: config.slots(),
            payload_bytes: config.payload_bytes(),
            payload_align: config.payload_align(),
        }
    }
}

const fn equal(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut i = 0;
    while i < a.len() && i < b.len() && a[i] == b[i] {
        i += 1;
    }
    i == a.len() && i == b.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ConfigError as E;

    /// `pool!` does it at compile time, where no test sees what is found wrongly.
    #[test]
    fn an_option_given_twice_is_found_anywhere() {
        let config = Config::new(&[(1, 1)]);
        let twice = |options: &[&str]| {
            let check = std::panic::AssertUnwindSafe(|| StaticLayout::checked(&config, options));
            std::panic::catch_unwind(check).is_err()
        };
        for once in [&[][..], &["align"], &["align", "spill", "waiters"], &["a", "ab", "abc", "b"], &["abc", "ab", "a"]] {
            assert!(!twice(once), "{once:?}");
        }
        for again in [&["a", "a"][..], &["ab", "c", "ab"], &["c", "ab", "ab"], &["a", "b", "c", "b"]] {
            assert!(twice(again), "{again:?}");
        }
    }

    #[test]
    fn every_violation_is_named() {
        let check = |tiers: &[(usize, usize)], align| Config::new(tiers).align(align).check();
        assert_eq!(check(&[(1, 1), (65_536, 1022)], 4096), Ok(()));
        assert_eq!(check(&[(256, 8), (256, 8)], 1), Ok(()));
        assert_eq!(check(&[], 1), Err(E::Tiers { tiers: 0 }));
        assert_eq!(check(&[(8, 1); 17], 1), Err(E::Tiers { tiers: 17 }));
        assert_eq!(check(&[(8, 1), (0, 1)], 1), Err(E::Size { tier: 1, size: 0 }));
        assert_eq!(check(&[(65_537, 1)], 1), Err(E::Size { tier: 0, size: 65_537 }));
        assert_eq!(check(&[(8, 0)], 1), Err(E::Slots { tier: 0, slots: 0 }));
        assert_eq!(check(&[(8, 1023)], 1), Err(E::Slots { tier: 0, slots: 1023 }));
        assert_eq!(check(&[(8, 1), (16, 1), (9, 1)], 1), Err(E::Descending { tier: 2, size: 9 }));
        for align in [0, 3, 8192] {
            assert_eq!(check(&[(8, 1)], align), Err(E::Align { align }));
        }
    }

    /// Whoever asks for the sizes before the check, such as with a geometry out of a file, gets numbers.
    #[test]
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
    fn slots_are_as_aligned_as_their_size_allows() {
        let config = Config::new(&[(10, 3), (48, 2), (500, 2), (1024, 1)]);
        let layout = |t| (config.stride(t), config.slot_align(t), config.payload_offset(t));
        assert_eq!([layout(0), layout(1), layout(2), layout(3)], [(10, 2, 0), (48, 16, 32), (500, 4, 128), (1024, 64, 1152)]);
        assert_eq!(config.payload_bytes(), 1152 + 1024);
        let aligned = Config::new(&[(10, 3), (48, 2)]).align(32);
        assert_eq!(aligned.stride(0), 32);
        assert_eq!(aligned.stride(1), 64);
        assert_eq!(aligned.payload_offset(1), 128);
        assert_eq!(aligned.payload_bytes(), 256);
        assert_eq!(aligned.payload_align(), 64);
    }
}
