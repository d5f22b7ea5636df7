//! How a pool is built, and where its words and its payload lie.
//!
//! ```text
//!                     static (`pool!`)      at run time
//!   descriptors       .rodata               PoolStorage    ┐
//!   heads, counters   .bss     Metadata        PoolStorage    ├ internal RAM
//!   state words       .bss     Metadata        SlotState┘
//!   payload           .bss     Payload      a region: anywhere, PSRAM included
//! ```

#[cfg(feature = "alloc")]
use core::alloc::Layout;
use core::cell::UnsafeCell;
use core::fmt;
#[cfg(feature = "alloc")]
use core::mem::ManuallyDrop;
use core::mem::MaybeUninit;
use core::ptr::{self, NonNull};
use core::slice;

#[cfg(feature = "alloc")]
use crate::limits::MAX_TIERS;
use crate::pool::Pool;
use crate::pool::config::Config;
use crate::pool::config_error::ConfigError;
#[cfg(feature = "lanes")]
use crate::pool::lanes::Lanes;
use crate::pool::pool_state::PoolState;
use crate::pool::tier::Tier;
use crate::protocol::free_list::{Head, HeadCell};
use crate::protocol::slot_state::{StateCell, StateWord, UNIQUE_SLOT, WIPE};

/// All words of a static pool that change. All are zero at start.
#[derive(Debug)]
pub struct Metadata<const LISTS: usize, const SLOTS: usize> {
    /// The words that belong to no tier.
    pool: PoolState,
    heads: [HeadCell; LISTS],
    /// The state words of all tiers, one per slot, tier by tier.
    states: [StateCell; SLOTS],
}

#[cfg(not(loom))]
impl<const LISTS: usize, const SLOTS: usize> Metadata<LISTS, SLOTS> {
    /// All words are zero.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        Metadata {
            pool: PoolState::new(),
            heads: [const { HeadCell::new(Head::new()) }; LISTS],
            states: [const { StateCell::new(StateWord::new(0)) }; SLOTS],
        }
    }
}

/// The payload region of a static pool: uninitialised memory. Its start and its end are aligned as
/// `A`.
pub struct Payload<const BYTES: usize, A> {
    /// It has no size, and aligns the region.
    _align: [A; 0],
    /// The memory of the slots, tier by tier.
    bytes: UnsafeCell<MaybeUninit<[u8; BYTES]>>,
}

// SAFETY: only slots lead to the region, and the free lists hand each slot to one owner at a time.
unsafe impl<const BYTES: usize, A> Sync for Payload<BYTES, A> {}

impl<const BYTES: usize, A> Payload<BYTES, A> {
    /// Creates an uninitialised region.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        Payload { _align: [], bytes: UnsafeCell::new(MaybeUninit::uninit()) }
    }
}

impl<const BYTES: usize, A> fmt::Debug for Payload<BYTES, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Payload").field("bytes", &BYTES).finish_non_exhaustive()
    }
}

/// Names the type with an alignment of `N` bytes.
#[derive(Debug)]
pub struct Align<const N: usize>;

/// The alignments that a payload region can have.
pub trait Alignment {
    /// A type of size zero with this alignment.
    type Aligned;
}

macro_rules! alignments {
    ($($bytes:literal $aligned:ident),+) => {
        $(
            #[derive(Debug)]
            #[repr(align($bytes))]
            pub struct $aligned;
            impl Alignment for Align<$bytes> {
                type Aligned = $aligned;
            }
        )+
    };
}

alignments!(64 A64, 128 A128, 256 A256, 512 A512, 1024 A1024, 2048 A2048, 4096 A4096);

/// The descriptors of a static pool's tiers.
///
/// # Safety
/// `words` and `payload` belong to this pool alone, and have the sizes that `config` asks for.
pub const unsafe fn static_tiers<const LISTS: usize, const SLOTS: usize, const BYTES: usize, A>(
    config: &Config<'_>,
    words: &'static Metadata<LISTS, SLOTS>,
    payload: &'static Payload<BYTES, A>,
    pool: &'static Pool,
) -> [Tier; LISTS] {
    // SAFETY: a reference is not null. (`NonNull::from_ref` is younger than our oldest Rust.)
    let pool = unsafe { NonNull::new_unchecked(ptr::from_ref(pool).cast_mut()) };
    // SAFETY: as above.
    let states = unsafe { NonNull::new_unchecked(ptr::from_ref(&words.states).cast_mut()) }.cast();
    // SAFETY: the pointer of a cell is not null.
    let payload: NonNull<u8> = unsafe { NonNull::new_unchecked(payload.bytes.get()) }.cast();
    // SAFETY: the caller's promise, for this and all other tiers.
    let mut tiers = [unsafe { tier(config, 0, &words.heads[0], states, payload, pool) }; LISTS];
    let mut k = 1;
    while k < LISTS {
        // SAFETY: as above.
        tiers[k] = unsafe { tier(config, k, &words.heads[k], states, payload, pool) };
        k += 1;
    }
    tiers
}

/// A static pool's descriptor.
///
/// # Safety
/// `tiers` are those that [`static_tiers`] has made with the same `config` and `words`, and the
/// address of what is returned.
pub const unsafe fn static_pool<const LISTS: usize, const SLOTS: usize>(
    config: &Config<'_>,
    tiers: &'static [Tier],
    words: &'static Metadata<LISTS, SLOTS>,
) -> Pool {
    pool(config, tiers, &words.pool)
}

/// Makes the descriptor of a pool: the options of `config`, on these tiers and words.
// Inlined, as `tier`.
#[inline(always)]
pub(super) const fn pool(
    config: &Config<'_>,
    tiers: &'static [Tier],
    state: &'static PoolState,
) -> Pool {
    // A fallback buffer is as aligned as any primitive type, as it would be in a heap.
    let align = if config.align > align_of::<u64>() { config.align } else { align_of::<u64>() };
    #[cfg(feature = "reserve")]
    let (tiers, reserves) = tiers.split_at(config.plain_lists());
    Pool {
        tiers,
        #[cfg(feature = "reserve")]
        reserves,
        #[cfg(feature = "reserve")]
        on_low: config.on_low,
        state,
        initial_state: if config.zero_on_free { UNIQUE_SLOT | WIPE } else { UNIQUE_SLOT },
        spill: config.spill,
        align,
        headroom_align: config.align,
        fallback: config.fallback,
        on_free: config.on_free,
        #[cfg(feature = "lanes")]
        lanes: Lanes::new(config.lane_count(), config.lane),
        #[cfg(feature = "names")]
        name: config.name,
        #[cfg(feature = "wait")]
        waiters: config.waiters,
    }
}

/// Makes the descriptor of list `k`: that of a tier, of one lane of a tier, or of a reserve.
///
/// # Safety
/// `config` has been checked, and `k` is one of its lists. `head`, the state words at `states` and
/// the region at `payload` live for ever, and belong to this pool alone. They are as long as
/// `config` asks for, and the region is as aligned. `pool` is as [`Tier::new`] asks.
// Inlined, for a program mostly builds pools in one way alone. A call would return the descriptor
// through memory, and link `memcpy`.
#[inline(always)]
pub(super) const unsafe fn tier(
    config: &Config<'_>,
    k: usize,
    head: &'static HeadCell,
    states: NonNull<StateCell>,
    payload: NonNull<u8>,
    pool: NonNull<Pool>,
) -> Tier {
    let (block, start, end) = config.list(k);
    let (mut before, mut first) = (0, 0);
    while before < block {
        first += config.slots_of(before);
        before += 1;
    }
    let offset = config.payload_offset(block) + start * config.stride(block);
    // SAFETY: both offsets lie within what the caller promises.
    let (states, payload) = unsafe { (states.add(first + start), payload.add(offset)) };
    // SAFETY: the caller's promise, and the geometry has been checked.
    unsafe {
        let (stride, align) = (config.stride(block), config.slot_align(block));
        Tier::new(head, states, end - start, payload, stride, align, pool)
    }
}

/// Memory for the state of one slot, for [`Pool::from_static_parts`]. It must lie in internal RAM,
/// because atomic instructions work on it. It takes 4 bytes on 32-bit targets, and a cache line on
/// 64-bit hosts.
#[derive(Debug)]
#[repr(transparent)]
pub struct SlotState(StateCell);

/// Memory for the descriptor, heads and counters of a pool of up to `LISTS` free lists, for
/// [`Pool::from_static_parts`]. A pool has one list per tier, or with the feature `lanes` one per
/// lane of each tier. The memory must lie in internal RAM, as [`SlotState`].
#[derive(Debug)]
pub struct PoolStorage<const LISTS: usize> {
    /// The words that belong to no tier.
    pub(super) words: PoolState,
    pub(super) heads: [HeadCell; LISTS],
    pub(super) tiers: [MaybeUninit<Tier>; LISTS],
    /// The descriptor of the pool.
    pub(super) pool: MaybeUninit<Pool>,
}

impl Pool {
    /// Builds a pool in memory that is known only at run time: payload in PSRAM, or memory that C
    /// owns.
    ///
    /// `config` tells how much of each is needed: [`Config::slots`], [`Config::payload_bytes`] at a
    /// multiple of [`Config::payload_align`], and [`Config::lists`] at most `LISTS`. Only `payload`
    /// may lie where atomics do not work. Call it once, at start, not in an interrupt handler; no
    /// memory is allocated.
    ///
    /// # Errors
    /// A wrong geometry, or memory too short or misaligned.
    ///
    /// ```
    /// use core::mem::MaybeUninit;
    /// use tierpool::{Config, PoolStorage, Pool, SlotState};
    ///
    /// const CONFIG: Config = Config::new(&[(256, 16), (1024, 4)]);
    ///
    /// fn pool_in(psram: &'static mut [MaybeUninit<u8>]) -> Result<&'static Pool, tierpool::ConfigError> {
    ///     static mut PLACE: MaybeUninit<PoolStorage<2>> = MaybeUninit::uninit();
    ///     static mut STATES: [MaybeUninit<SlotState>; CONFIG.slots()] = [const { MaybeUninit::uninit() }; CONFIG.slots()];
    ///     // SAFETY: this function is called once.
    ///     let (place, states) = unsafe { (&mut *(&raw mut PLACE), &mut *(&raw mut STATES)) };
    ///     Pool::from_static_parts(&CONFIG, states, psram, place)
    /// }
    /// # #[repr(align(64))] struct Region([MaybeUninit<u8>; CONFIG.payload_bytes()]);
    /// # let psram = &mut Box::leak(Box::new(Region([const { MaybeUninit::uninit() }; CONFIG.payload_bytes()]))).0;
    ///
    /// let pool = pool_in(psram)?;
    /// assert!(pool.alloc(1000).is_ok());
    /// # Ok::<(), tierpool::ConfigError>(())
    /// ```
    pub fn from_static_parts<const LISTS: usize>(
        config: &Config<'_>,
        states: &'static mut [MaybeUninit<SlotState>],
        payload: &'static mut [MaybeUninit<u8>],
        place: &'static mut MaybeUninit<PoolStorage<LISTS>>,
    ) -> Result<&'static Pool, ConfigError> {
        let place = place.as_mut_ptr();
        // SAFETY: these are all fields of the place, which belongs to the pool for ever.
        unsafe {
            let place = Place {
                lists: LISTS,
                heads: (&raw mut (*place).heads).cast(),
                tiers: (&raw mut (*place).tiers).cast(),
                words: &raw mut (*place).words,
                pool: (&raw mut (*place).pool).cast(),
            };
            place.build(config, states, payload)
        }
    }

    /// Builds a pool in memory of the global allocator, and never gives that memory back. For
    /// tests, simulators and services.
    ///
    /// Interrupt handler: no. Cost: three allocations of the global allocator; it writes all words
    /// of the pool.
    ///
    /// # Errors
    /// [`ConfigError`]: the configuration is wrong, or there is no memory.
    ///
    /// ```
    /// use tierpool::{Config, Pool};
    ///
    /// let pool = Pool::leak(&Config::new(&[(64, 100), (1500, 20)]))?;
    /// assert_eq!(pool.alloc(60).unwrap().capacity(), 64);
    /// # Ok::<(), tierpool::ConfigError>(())
    /// ```
    #[cfg(feature = "alloc")]
    pub fn leak(config: &Config<'_>) -> Result<&'static Pool, ConfigError> {
        config.check()?;
        #[cfg(feature = "lanes")]
        if config.lists() > MAX_TIERS {
            const FEW: usize = 8 * MAX_TIERS;
            const ALL: usize = crate::limits::MAX_LANES * MAX_TIERS;
            return if config.lists() > FEW {
                Pool::leak_with_room_for::<ALL>(config)
            } else {
                Pool::leak_with_room_for::<FEW>(config)
            };
        }
        Pool::leak_with_room_for::<MAX_TIERS>(config)
    }

    /// As `leak`, of a checked configuration that has at most `LISTS` lists.
    #[cfg(feature = "alloc")]
    fn leak_with_room_for<const LISTS: usize>(
        config: &Config<'_>,
    ) -> Result<&'static Pool, ConfigError> {
        let payload = Layout::from_size_align(config.payload_bytes(), config.payload_align())
            .map_err(|_| ConfigError::OutOfMemory)?;
        let states =
            Layout::array::<SlotState>(config.slots()).map_err(|_| ConfigError::OutOfMemory)?;
        let (payload, states) = (Memory::new(payload)?, Memory::new(states)?);
        let storage = Memory::new(Layout::new::<PoolStorage<LISTS>>())?;
        // SAFETY: memory of these lengths and alignments, which is nobody else's, and need not be
        // initialised.
        let (states, payload, storage) = unsafe {
            let states =
                NonNull::slice_from_raw_parts(states.leak().cast(), config.slots()).as_mut();
            let payload =
                NonNull::slice_from_raw_parts(payload.leak().cast(), config.payload_bytes())
                    .as_mut();
            (states, payload, storage.leak().cast::<MaybeUninit<PoolStorage<LISTS>>>().as_mut())
        };
        Pool::from_static_parts(config, states, payload, storage)
    }
}

/// Checks a configuration, and that the memory for it is enough: a place of so many lists, so many
/// state words, and the payload.
// Inlined, as `tier`.
#[inline(always)]
pub(super) fn check_parts(
    config: &Config<'_>,
    lists: usize,
    states: usize,
    payload: *const [MaybeUninit<u8>],
) -> Result<(), ConfigError> {
    config.check()?;
    if config.lists() > lists {
        return Err(ConfigError::PlaceTooSmall { needed: config.lists() });
    }
    if states < config.slots() {
        return Err(ConfigError::StateTooShort { needed: config.slots() });
    }
    if payload.len() < config.payload_bytes() {
        return Err(ConfigError::PayloadTooShort { needed: config.payload_bytes() });
    }
    if !payload.cast::<u8>().addr().is_multiple_of(config.payload_align()) {
        return Err(ConfigError::PayloadMisaligned { align: config.payload_align() });
    }
    Ok(())
}

/// Where the parts of a [`PoolStorage`] lie. It is not generic, so that storage of several sizes
/// shares the code.
struct Place {
    /// Room for so many heads and tiers.
    lists: usize,
    heads: *mut HeadCell,
    tiers: *mut Tier,
    words: *mut PoolState,
    pool: *mut Pool,
}

impl Place {
    /// Checks and builds the pool.
    ///
    /// # Safety
    /// The memory of the place lives for ever, and belongs to this pool alone. It need not be
    /// initialised.
    unsafe fn build(
        self,
        config: &Config<'_>,
        states: &'static mut [MaybeUninit<SlotState>],
        payload: &'static mut [MaybeUninit<u8>],
    ) -> Result<&'static Pool, ConfigError> {
        check_parts(config, self.lists, states.len(), payload)?;
        let lists = config.lists();
        for state in &mut *states {
            state.write(SlotState(StateCell::new(StateWord::new(0))));
        }
        let Place { heads, tiers, words, pool, .. } = self;
        // SAFETY: the caller promises it, and all sizes have been checked. Each part is written
        // before a reference to it is made, and is not written after that. The tiers have a pointer
        // to the pool, and nothing follows that pointer before the pool is written.
        unsafe {
            let (states, payload) = (NonNull::from(states).cast(), NonNull::from(payload).cast());
            words.write(PoolState::new());
            for k in 0..lists {
                let head = heads.add(k);
                head.write(HeadCell::new(Head::new()));
                tiers.add(k).write(tier(
                    config,
                    k,
                    &*head,
                    states,
                    payload,
                    NonNull::new_unchecked(pool),
                ));
            }
            pool.write(self::pool(config, slice::from_raw_parts(tiers, lists), &*words));
            Ok(&*pool)
        }
    }
}

/// Memory of the global allocator for one part of a pool. Its drop frees it, if there is no memory
/// for the next part.
#[cfg(feature = "alloc")]
struct Memory {
    /// The start of the memory.
    start: NonNull<u8>,
    /// The layout that it was allocated with.
    layout: Layout,
}

#[cfg(feature = "alloc")]
impl Memory {
    fn new(layout: Layout) -> Result<Self, ConfigError> {
        // SAFETY: every part of a checked configuration has at least one byte.
        let start =
            NonNull::new(unsafe { alloc::alloc::alloc(layout) }).ok_or(ConfigError::OutOfMemory)?;
        Ok(Memory { start, layout })
    }

    /// Keeps the memory for ever.
    fn leak(self) -> NonNull<u8> {
        ManuallyDrop::new(self).start
    }
}

#[cfg(feature = "alloc")]
impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: the memory comes from `new`, with this layout.
        unsafe { alloc::alloc::dealloc(self.start.as_ptr(), self.layout) }
    }
}
