//! The configuration of a pool: its tiers and its options. It is checked at compile time if
//! possible.
//!
//! ```text
//!   Config   [(256, 16), (512, 16), (1024, 16)]  align  spill  zero_on_free  fallback  on_free  waiters
//!              │     └ slots
//!              └ bytes; stride = bytes rounded up to `align`
//!   payload  ├ tier 0: 16 · 256 ┼ tier 1: 16 · 512 ┼ tier 2: 16 · 1024 ┤   one region, both ends aligned
//! ```
//!
//! How large all of it is, and where each part lies, is in `layout`.

use core::panic::{RefUnwindSafe, UnwindSafe};

#[cfg(feature = "lanes")]
use crate::limits::MAX_LANES;
use crate::limits::{MAX_ALIGN, MAX_SIZE, MAX_TIERS};
use crate::pool::Pool;
use crate::pool::config_error::{ConfigError, ConstStr};
use crate::pool::fallback::Fallback;
#[cfg(feature = "lanes")]
use crate::pool::lanes::LaneFunction;
use crate::pool::notify::FreeHook;
#[cfg(feature = "reserve")]
use crate::pool::reserve::LowHook;
#[cfg(feature = "wait")]
use crate::pool::waiters::Waiters;
use crate::protocol::free_list::MAX_SLOTS;
#[cfg(feature = "wait")]
use crate::protocol::waker_cell::WakerCell;

/// 256, 512 and 1024 bytes, 16 slots each: the tiers of the C++ `BytesBufferPool`, and of `default`
/// in `pool!`.
pub const DEFAULT_TIERS: &[(usize, usize)] = &[(256, 16), (512, 16), (1024, 16)];

/// Tiers and options of a pool that is made at run time, by [`Pool::leak`] or
/// [`Pool::from_static_parts`]. [`pool!`](crate::pool!) takes the same options with the same names.
///
/// All methods are `const`. Interrupt handler: yes. Cost: no atomic operation.
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
    /// Bytes and slots of each tier, by rising size.
    pub(super) tiers: &'a [(usize, usize)],
    /// The alignment of every slot and of requested headroom, in bytes: a power of two from 1 to
    /// 4096.
    pub(crate) align: usize,
    /// How many of the next larger tiers serve a request whose own tier is exhausted.
    pub(crate) spill: usize,
    /// True if every buffer is wiped when it is freed.
    pub(crate) zero_on_free: bool,
    /// The heap for the requests that no tier can serve.
    pub(crate) fallback: Option<&'static dyn Fallback>,
    /// The hook: called when a slot has come back to a tier that is armed.
    pub(crate) on_free: Option<FreeHook>,
    /// Reserved slots of each tier. A tier behind the end has none.
    #[cfg(feature = "reserve")]
    pub(super) reserve: &'a [usize],
    /// The hook: called when a plain request has found its tier empty.
    #[cfg(feature = "reserve")]
    pub(crate) on_low: Option<LowHook>,
    #[cfg(feature = "lanes")]
    pub(super) lanes: usize,
    #[cfg(feature = "lanes")]
    pub(super) lane: Option<LaneFunction>,
    /// What the statistics call the pool.
    #[cfg(feature = "names")]
    pub(crate) name: Option<&'static str>,
    /// The places in which tasks wait.
    #[cfg(feature = "wait")]
    pub(crate) waiters: &'static [WakerCell],
}

// The reasons are those of `Pool`.
impl UnwindSafe for Config<'_> {}
impl RefUnwindSafe for Config<'_> {}

impl<'a> Config<'a> {
    /// Takes the tiers as `(bytes, slots)`, by rising size: 1 to 16 tiers of 1 to 65 536 bytes and
    /// 1 to 1022 slots. Equal sizes may follow each other. Requests reach the later ones by
    /// [`spill`](Self::spill).
    pub const fn new(tiers: &'a [(usize, usize)]) -> Self {
        Config {
            tiers,
            align: 1,
            spill: 0,
            zero_on_free: false,
            fallback: None,
            on_free: None,
            #[cfg(feature = "reserve")]
            reserve: &[],
            #[cfg(feature = "reserve")]
            on_low: None,
            #[cfg(feature = "lanes")]
            lanes: 1,
            #[cfg(feature = "lanes")]
            lane: None,
            #[cfg(feature = "names")]
            name: None,
            #[cfg(feature = "wait")]
            waiters: &[],
        }
    }

    /// Aligns every slot to `bytes`, a power of two up to 4096. Sizes and requested headroom are
    /// rounded up to it. So payload begins at the boundary that DMA needs. The default is 1: then a
    /// slot is as aligned as its size allows (256-byte slots to 64 bytes), and rounding costs no
    /// byte.
    pub const fn align(mut self, bytes: usize) -> Self {
        self.align = bytes;
        self
    }

    /// How many of the next larger tiers serve a request whose own tier is exhausted. The default
    /// is 0. With 1, idle larger slots serve a burst of small buffers. Without a limit, such a
    /// burst could take all larger slots.
    pub const fn spill(mut self, tiers: usize) -> Self {
        self.spill = tiers;
        self
    }

    /// Overwrites the whole buffer with zeros each time it is freed, for secrets. The default is
    /// `false`: the bytes of an owner stay in memory until the next owner overwrites them. In
    /// either case, safe code never sees them.
    ///
    /// The buffer is wiped after its last use, and before another owner can get it. The compiler
    /// may not leave these writes out (the crate `zeroize`). It is wiped by its last drop, by a raw
    /// free, by [`PoolCache::recycle`](crate::PoolCache::recycle), and, as the old buffer, when it
    /// grows or is copied. A buffer of the fallback is wiped by its last drop, even if it is freed
    /// later. The cost of a drop is then that of writing the whole buffer.
    ///
    /// It does not wipe: buffers that are still held (bytes that were cut off stay in their buffer
    /// until it is freed); buffers that were forgotten; copies that the program has made elsewhere;
    /// values of an [`ObjectPool`](crate::ObjectPool) (their destructors may do it); memory that a
    /// `PoolGlobalAlloc` gets from its other allocator. If memory lies behind a data cache that is
    /// written back later, such as PSRAM, a debugger or a bus master sees the zeros only after
    /// that.
    pub const fn zero_on_free(mut self, on: bool) -> Self {
        self.zero_on_free = on;
        self
    }

    /// The fallback serves the requests that no tier can serve, except those of
    /// [`Pool::alloc_pooled`] and [`Pool::allocate`]. The default is none: these requests fail.
    pub const fn fallback(mut self, fallback: &'static dyn Fallback) -> Self {
        self.fallback = Some(fallback);
        self
    }

    /// Sets the function that is called with the pool when a slot has come back to a tier that was
    /// empty and armed, see [`Pool::arm_free_notify`]. At that time the slot is free already. It
    /// runs in the context of the last drop, which may be an interrupt handler.
    ///
    /// It should not panic. If it does, the panic goes on through the drop, and no slot is lost.
    /// Allocators must not unwind, so there a panic stops the program: `PoolGlobalAlloc`, and
    /// `Allocator` of pools.
    pub const fn on_free(mut self, hook: fn(&'static Pool)) -> Self {
        self.on_free = Some(FreeHook::Rust(hook));
        self
    }

    /// As `on_free`, for the C interface.
    #[cfg(feature = "c-hooks")]
    #[doc(hidden)]
    pub const fn on_free_of_c(mut self, hook: extern "C" fn(&'static Pool)) -> Self {
        self.on_free = Some(FreeHook::C(hook));
        self
    }

    /// Reserved slots: for each tier, from the smallest on, how many slots it has beside those of
    /// [`new`](Self::new), 0 to 1022. Only [`Pool::alloc_reserved`] takes them. The default is
    /// none. A reserve costs what a tier costs.
    ///
    /// In `pool!` the number stands behind the slots: `[256 x 16, 1514 x 12 + 4]`.
    ///
    /// ```
    /// use tierpool::{Config, Pool};
    ///
    /// let pool = Pool::leak(&Config::new(&[(256, 1), (1514, 1)]).reserve(&[0, 1]))?;
    /// let held = pool.alloc(1000);
    /// assert!(pool.alloc(1000).is_err());
    /// assert!(pool.alloc_reserved(1000).is_ok());
    /// # Ok::<(), tierpool::ConfigError>(())
    /// ```
    #[cfg(feature = "reserve")]
    pub const fn reserve(mut self, slots: &'a [usize]) -> Self {
        self.reserve = slots;
        self
    }

    /// As `reserve`, for `pool!`, which writes it in any build.
    #[doc(hidden)]
    pub const fn __reserve(self, _slots: &'a [usize]) -> Self {
        #[cfg(feature = "reserve")]
        return self.reserve(_slots);
        #[cfg(not(feature = "reserve"))]
        self
    }

    /// Sets the function that is called when a plain request finds its tier empty: with the pool,
    /// and the bytes of a slot of the tier. It is called once, and again only when the tier has
    /// served a request in between. So a router can shed load, or a task can drop what it parked.
    ///
    /// It runs in the context of the request, which may be an interrupt handler, before the request
    /// tries larger tiers, the reserve or the fallback. It may use the pool. It should not panic:
    /// then the request fails with it, and no slot is lost. The default is none.
    ///
    /// ```
    /// use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    ///
    /// static LOW: AtomicUsize = AtomicUsize::new(0);
    /// fn low(_: &'static tierpool::Pool, bytes: usize) {
    ///     LOW.fetch_add(bytes, Relaxed);
    /// }
    ///
    /// tierpool::pool! { static RX = [64 x 1, 512 x 1], on_low = low; }
    /// let held = RX.alloc(500)?;
    /// assert!(RX.alloc(500).is_err() && RX.alloc(500).is_err());
    /// assert_eq!(LOW.load(Relaxed), 512, "one call");
    /// # Ok::<(), tierpool::AllocError>(())
    /// ```
    #[cfg(feature = "reserve")]
    pub const fn on_low(mut self, hook: fn(&'static Pool, usize)) -> Self {
        self.on_low = Some(LowHook::Rust(hook));
        self
    }

    /// As `on_low`, for the C interface.
    #[cfg(all(feature = "c-hooks", feature = "reserve"))]
    #[doc(hidden)]
    pub const fn on_low_of_c(mut self, hook: extern "C" fn(&'static Pool, usize)) -> Self {
        self.on_low = Some(LowHook::C(hook));
        self
    }

    /// Divides the slots of each tier into 1 to 64 lanes. Each lane has a free list of its own, so
    /// that cores do not share a head. A request begins in the lane that [`lane`](Self::lane)
    /// names. If that lane is empty, the request goes on to the other lanes of the tier, and only
    /// then to larger tiers. A slot always goes back to its own lane. The default is 1.
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

    /// Names the lane in which a request begins: any number, taken modulo the [lanes](Self::lanes).
    /// The number of the core is best; `std` programs take [`thread_lane`](crate::thread_lane).
    ///
    /// The function is called wherever buffers are allocated, possibly in an interrupt handler, so
    /// it must be quick. It may answer differently at any time, because a task may change its core:
    /// a wrong answer costs speed, and nothing else.
    ///
    /// | chip | core number |
    /// |---|---|
    /// | ESP32, S3 (Xtensa) | `esp_hal::system::Cpu::current() as usize`, or `rsr.prid`, bit 13 |
    /// | RISC-V | `csrr mhartid` |
    /// | RP2040, RP2350 | the register `SIO.CPUID` |
    /// | other Arm, Cortex-A | `mrc p15, 0, r0, c0, c0, 5`, low 2 bits |
    #[cfg(feature = "lanes")]
    pub const fn lane(mut self, lane: fn() -> usize) -> Self {
        self.lane = Some(LaneFunction::Rust(lane));
        self
    }

    /// As `lane`, for the C interface.
    #[cfg(all(feature = "lanes", feature = "c-hooks"))]
    #[doc(hidden)]
    pub const fn lane_of_c(mut self, lane: extern "C" fn() -> usize) -> Self {
        self.lane = Some(LaneFunction::C(lane));
        self
    }

    /// Names the pool: its statistics begin with the name. The default is none. In
    /// [`pool!`](crate::pool!) the name is that of the static.
    ///
    /// ```
    /// use tierpool::{Config, Pool};
    ///
    /// let pool = Pool::leak(&Config::new(&[(256, 16)]).name("uplink"))?;
    /// assert_eq!(pool.stats().to_string(), "uplink requests=0 hits=0 misses=0 fallbacks=0 hit_rate=100% 256=0/16");
    /// # Ok::<(), tierpool::ConfigError>(())
    /// ```
    #[cfg(feature = "names")]
    pub const fn name(mut self, name: &'static str) -> Self {
        self.name = Some(name);
        self
    }

    /// As `name`, for `pool!`, which writes it in any build.
    #[doc(hidden)]
    pub const fn __name(self, _name: &'static str) -> Self {
        #[cfg(feature = "names")]
        return self.name(_name);
        #[cfg(not(feature = "names"))]
        self
    }

    /// Sets the places for tasks that wait in [`Pool::alloc_wait`]. The default is none. Several
    /// pools may share places. Then a free in one pool may wake tasks that wait for another, and
    /// these go on waiting. In `pool!` the option takes the number of places.
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

    /// Checks the tiers and the alignment. `pool!` does it at compile time. The constructors of a
    /// pool do it first.
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
            if self.reserve_of(tier) > MAX_SLOTS {
                return Err(ConfigError::Reserve { tier, slots: self.reserve_of(tier) });
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
}

/// The sizes of a static pool, for its declarations.
#[derive(Clone, Copy, Debug)]
pub struct StaticLayout {
    /// Free lists of all tiers.
    pub lists: usize,
    /// The number of slots of all tiers.
    pub slots: usize,
    /// The bytes of payload.
    pub payload_bytes: usize,
    /// The alignment of the payload, in bytes.
    pub payload_align: usize,
}

impl StaticLayout {
    /// Checks the configuration. If it is wrong, or if an option is given twice, the compilation
    /// stops.
    pub const fn checked(config: &Config<'_>, options: &[&str]) -> Self {
        let mut last = options.len();
        while last > 1 {
            last -= 1;
            let mut first = 0;
            while first < last {
                if equal(options[first], options[last]) {
                    panic!(
                        "{}",
                        ConstStr::new()
                            .text("option `")
                            .text(options[last])
                            .text("` is given twice")
                            .as_str()
                    );
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

/// True if both texts are equal. (`==` does not work in a `const fn`.)
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

    /// `pool!` calls it at compile time, where no test sees an error that is reported by mistake.
    #[test]
    #[cfg_attr(miri, ignore = "numbers without a pointer")]
    fn an_option_given_twice_is_found_anywhere() {
        let config = Config::new(&[(1, 1)]);
        let twice = |options: &[&str]| {
            let check = std::panic::AssertUnwindSafe(|| StaticLayout::checked(&config, options));
            std::panic::catch_unwind(check).is_err()
        };
        for once in [
            &[][..],
            &["align"],
            &["align", "spill", "waiters"],
            &["a", "ab", "abc", "b"],
            &["abc", "ab", "a"],
        ] {
            assert!(!twice(once), "{once:?}");
        }
        for again in
            [&["a", "a"][..], &["ab", "c", "ab"], &["c", "ab", "ab"], &["a", "b", "c", "b"]]
        {
            assert!(twice(again), "{again:?}");
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "numbers without a pointer")]
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
}
