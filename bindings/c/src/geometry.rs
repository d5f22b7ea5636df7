//! Tiers and options of a pool, and how much memory they take.

use core::ffi::{c_char, c_void};
use core::mem::{self, MaybeUninit};

#[cfg(feature = "reserve")]
use core::slice;

use tierpool::__private::StorageParts;
use tierpool::{Config, ConfigError, Pool, PoolStorage, SlotState};

use crate::error::tierpool_error::{self, *};
use crate::fallback::{fallback_of, tierpool_fallback};
use crate::init::tierpool_pool;
use crate::{out, text};

/// The most tiers of one pool.
pub const TIERPOOL_MAX_TIERS: usize = 16;

/// The most lanes of one pool.
pub const TIERPOOL_MAX_LANES: usize = 64;

/// What control memory is aligned to, in bytes.
#[cfg(target_pointer_width = "64")]
pub const TIERPOOL_CONTROL_ALIGN: usize = 128;
/// What control memory is aligned to, in bytes.
#[cfg(target_pointer_width = "32")]
pub const TIERPOOL_CONTROL_ALIGN: usize = 8;

/// Control memory for one slot, in bytes: a cache line where there are caches, else one word.
#[cfg(target_pointer_width = "64")]
pub const TIERPOOL_SLOT_BYTES: usize = 128;
/// Control memory for one slot, in bytes: a cache line where there are caches, else one word.
#[cfg(target_pointer_width = "32")]
pub const TIERPOOL_SLOT_BYTES: usize = 4;

/// Control memory for one free list, in bytes: there is one for each tier, or for each lane of each
/// tier. Their number is rounded up to a power of two, at least 4.
#[cfg(target_pointer_width = "64")]
pub const TIERPOOL_TIER_BYTES: usize = 192;
/// Control memory for one free list, in bytes: there is one for each tier, or for each lane of each
/// tier. Their number is rounded up to a power of two, at least 4.
#[cfg(target_pointer_width = "32")]
pub const TIERPOOL_TIER_BYTES: usize = 56;

/// Control memory for the rest, in bytes.
#[cfg(target_pointer_width = "64")]
pub const TIERPOOL_POOL_BYTES: usize = 256;
/// Control memory for the rest, in bytes.
#[cfg(target_pointer_width = "32")]
pub const TIERPOOL_POOL_BYTES: usize = 128;

/// Control memory that a pool takes besides where the library is built with the feature
/// `histogram`, in bytes.
#[cfg(target_pointer_width = "64")]
pub const TIERPOOL_HISTOGRAM_BYTES: usize = 512;
/// Control memory that a pool takes besides where the library is built with the feature
/// `histogram`, in bytes.
#[cfg(target_pointer_width = "32")]
pub const TIERPOOL_HISTOGRAM_BYTES: usize = 392;

/// Control memory that a free list takes besides where the library is built with the feature
/// `reserve`, in bytes.
#[cfg(target_pointer_width = "64")]
pub const TIERPOOL_RESERVE_TIER_BYTES: usize = 0;
/// Control memory that a free list takes besides where the library is built with the feature
/// `reserve`, in bytes.
#[cfg(target_pointer_width = "32")]
pub const TIERPOOL_RESERVE_TIER_BYTES: usize = 4;

/// Control memory that a pool takes besides where the library is built with the feature `reserve`,
/// in bytes.
#[cfg(target_pointer_width = "64")]
pub const TIERPOOL_RESERVE_BYTES: usize = 128;
/// Control memory that a pool takes besides where the library is built with the feature `reserve`,
/// in bytes.
#[cfg(target_pointer_width = "32")]
pub const TIERPOOL_RESERVE_BYTES: usize = 16;

/// What payload memory is aligned to unless the geometry asks for more, in bytes.
pub const TIERPOOL_PAYLOAD_ALIGN: usize = 64;

// What C declares by these constants is enough for what is put there. A library with the feature
// `track`, for which C has no calls, says that the memory is too short.
const _: () = if !tierpool::__private::TRACK {
    const REST: usize = TIERPOOL_POOL_BYTES
        + if tierpool::__private::HISTOGRAM { TIERPOOL_HISTOGRAM_BYTES } else { 0 }
        + if tierpool::__private::RESERVE { TIERPOOL_RESERVE_BYTES } else { 0 };
    const LIST: usize = TIERPOOL_TIER_BYTES
        + if tierpool::__private::RESERVE { TIERPOOL_RESERVE_TIER_BYTES } else { 0 };
    let mut at = 0;
    while at < PLACES.len() {
        let Place { lists, size, align, .. } = PLACES[at];
        assert!(
            size + size_of::<Mark>() <= lists * LIST + REST && align <= TIERPOOL_CONTROL_ALIGN,
            "raise TIERPOOL_TIER_BYTES or TIERPOOL_POOL_BYTES"
        );
        at += 1;
    }
    assert!(
        size_of::<SlotState>() == TIERPOOL_SLOT_BYTES
            && align_of::<SlotState>() <= TIERPOOL_CONTROL_ALIGN
    );
    assert!(Config::new(DEFAULT_TIERS).payload_align() == TIERPOOL_PAYLOAD_ALIGN);
};

/// One size class.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct tierpool_tier {
    /// Bytes of a slot, 1 to 65 536.
    pub bytes: usize,
    /// Number of slots, 1 to 1022.
    pub slots: usize,
}

/// Tiers and options of a pool. What is left zero is off.
///
/// Where a function takes a geometry, null is the default one: 256, 512 and 1024 bytes, 16 slots
/// each.
///
/// ```c
/// static const tierpool_tier tiers[] = {{64, 32}, {512, 16}};
/// static const tierpool_geometry geometry = {.tiers = tiers, .tier_count = 2, .spill = 1};
/// tierpool_layout layout;
/// tierpool_error error = tierpool_layout_of(&geometry, &layout);
/// ```
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct tierpool_geometry {
    /// By rising size. Read by the function that takes the geometry, and not kept.
    pub tiers: *const tierpool_tier,
    /// 1 to `TIERPOOL_MAX_TIERS`.
    pub tier_count: usize,
    /// Bytes, a power of two up to 4096: every slot is aligned to it, and its size rounded up to
    /// it. With 0 or 1 a slot is as aligned as its size allows: 256-byte slots to 64 bytes, 24-byte
    /// slots to 8.
    pub align: usize,
    /// How many of the next larger tiers serve a request whose own tier is exhausted.
    pub spill: usize,
    /// Overwrite each slot with zeros when it is freed.
    pub zero_on_free: bool,
    /// Free lists for each tier, so that cores do not share one: 1 to `TIERPOOL_MAX_LANES`, and at
    /// most the slots of any tier. With 0 or 1 there is one. More need a library that is built with
    /// its feature `lanes`.
    ///
    /// A request begins in the lane that `lane` names. If that is empty, it goes on to the other
    /// lanes of the tier, and then to larger tiers. A slot goes back to the lane that it is of.
    pub lanes: usize,
    /// The lane of the caller, for more than one: the number of its core or thread. Any number is
    /// taken modulo `lanes`. It may change at any moment, because a wrong answer costs speed alone.
    ///
    /// Called wherever memory or bytes are allocated, possibly in an interrupt handler: it must be
    /// quick, and must not throw.
    ///
    /// ```c
    /// static const tierpool_tier tiers[] = {{512, 16}};
    /// // size_t current_core(void) { return (size_t)xPortGetCoreID(); }
    /// static const tierpool_geometry geometry = {.tiers = tiers, .tier_count = 1, .lanes = 2, .lane = current_core};
    /// ```
    pub lane: Option<extern "C" fn() -> usize>,
    /// Called with the pool when a slot has come back that somebody waits for, see
    /// `tierpool_arm_free_notify`. Null is no function. The slot is free already.
    ///
    /// It runs where the slot was freed, possibly in an interrupt handler: it must be quick, and
    /// must not throw. On an RTOS it wakes a task by a function that handlers may call.
    ///
    /// ```c
    /// static const tierpool_tier tiers[] = {{512, 16}};
    /// // void wake(tierpool_pool *pool) { vTaskNotifyGiveFromISR(receiver, NULL); }
    /// static const tierpool_geometry geometry = {.tiers = tiers, .tier_count = 1, .on_free = wake};
    /// ```
    pub on_free: Option<extern "C" fn(pool: *mut tierpool_pool)>,
    /// Reserved slots of each tier, 0 to 1022, beside those of `tiers`: `tier_count` numbers, read
    /// by the function that takes the geometry, and not kept. Null is no reserve. Only
    /// `tierpool_alloc_reserved` takes such slots. They need a library that is built with its
    /// feature `reserve`.
    ///
    /// A reserve takes as much control memory as a tier, and its slots as much as other slots.
    ///
    /// ```c
    /// static const tierpool_tier tiers[] = {{256, 16}, {1536, 12}};
    /// static const size_t reserved[] = {0, 4};
    /// static const tierpool_geometry geometry = {.tiers = tiers, .tier_count = 2, .reserved = reserved};
    /// ```
    pub reserved: *const usize,
    /// Called with the pool and the bytes of a slot when a plain request finds a tier empty: its own,
    /// or with `spill` a larger one. For each tier it is called once, and again only when the tier
    /// has served a request in between. So a router can shed load. Null is no function. It needs a library that is built with its feature `reserve`.
    ///
    /// It runs where the request was made, possibly in an interrupt handler, before the request tries
    /// larger tiers. It may use the pool, and must not throw.
    ///
    /// ```c
    /// static const tierpool_tier tiers[] = {{512, 16}};
    /// // void low(tierpool_pool *pool, size_t bytes) { shed_load = true; }
    /// static const tierpool_geometry geometry = {.tiers = tiers, .tier_count = 1, .on_low = low};
    /// ```
    pub on_low: Option<extern "C" fn(pool: *mut tierpool_pool, bytes: usize)>,
    /// Where the memory comes from for what no slot serves. It lives for ever. Null is nowhere: such
    /// requests fail.
    pub fallback: *const tierpool_fallback,
}

/// The memory that a pool takes. Sizes and alignments in bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct tierpool_layout {
    /// Size of the control memory.
    pub control_bytes: usize,
    /// What control memory must be aligned to.
    pub control_align: usize,
    /// Size of the payload, a multiple of its alignment.
    pub payload_bytes: usize,
    /// What payload must be aligned to.
    pub payload_align: usize,
}

/// Not 0 where a pool is: the last word of the control memory, whatever the geometry.
pub(crate) type Mark = u32;

const DEFAULT_TIERS: &[(usize, usize)] = &[(256, 16), (512, 16), (1024, 16)];

/// Room for the heads, counters and descriptor of a pool: one of a few sizes.
pub(crate) struct Place {
    /// Of so many free lists.
    lists: usize,
    size: usize,
    align: usize,
    pub(crate) make: Make,
    pub(crate) parts: StorageParts,
}

/// Makes a pool of these states and this payload, with the rest in a place.
///
/// # Safety
/// The place has the size and alignment that its [`Place`] says. It is the pool's alone, for ever.
type Make = unsafe fn(
    &Config<'_>,
    &'static mut [MaybeUninit<SlotState>],
    &'static mut [MaybeUninit<u8>],
    *mut c_void,
) -> Result<&'static Pool, ConfigError>;

impl Place {
    const fn of<const LISTS: usize>() -> Self {
        Place {
            lists: LISTS,
            size: size_of::<PoolStorage<LISTS>>(),
            align: align_of::<PoolStorage<LISTS>>(),
            make: |config, states, payload, place| {
                // SAFETY: the caller's promises.
                let place = unsafe { &mut *place.cast::<MaybeUninit<PoolStorage<LISTS>>>() };
                Pool::from_static_parts(config, states, payload, place)
            },
            parts: PoolStorage::<LISTS>::PARTS,
        }
    }
}

const PLACES: &[Place] = &[
    Place::of::<4>(),
    Place::of::<8>(),
    Place::of::<16>(),
    #[cfg(any(feature = "lanes", feature = "reserve"))]
    Place::of::<32>(),
    #[cfg(feature = "lanes")]
    Place::of::<64>(),
    #[cfg(feature = "lanes")]
    Place::of::<128>(),
    #[cfg(feature = "lanes")]
    Place::of::<256>(),
    #[cfg(feature = "lanes")]
    Place::of::<512>(),
    #[cfg(feature = "lanes")]
    Place::of::<1024>(),
    // All lanes of all tiers, and a reserve for each tier.
    #[cfg(all(feature = "lanes", feature = "reserve"))]
    Place::of::<1040>(),
];

/// The smallest place for a pool. A checked configuration has one.
pub(crate) fn place(config: &Config<'_>) -> &'static Place {
    let lists = config.lists();
    let (largest, smaller) = const { PLACES.split_last().unwrap() };
    smaller.iter().find(|place| lists <= place.lists).unwrap_or(largest)
}

/// Where the slots' states end and the place for the rest of the control memory begins, and where
/// that ends, with room for the mark.
pub(crate) fn control(config: &Config<'_>) -> (usize, usize) {
    let place = place(config);
    let start = (config.slots() * size_of::<SlotState>()).next_multiple_of(place.align);
    (start, start + place.size + size_of::<Mark>())
}

/// Calls `then` with the geometry as the library knows it, not yet checked but for the number of
/// tiers.
///
/// # Safety
/// `geometry` is null, or valid to read with all its tiers and reserves; its fallback is null, or
/// lives for ever and is as its fields ask.
pub(crate) unsafe fn with_config<R>(
    geometry: *const tierpool_geometry,
    then: impl FnOnce(&Config<'_>) -> Result<R, tierpool_error>,
) -> Result<R, tierpool_error> {
    // SAFETY: null or valid, by the caller.
    let Some(geometry) = (unsafe { geometry.as_ref() }) else {
        return then(&Config::new(DEFAULT_TIERS));
    };
    let mut tiers = [(0, 0); TIERPOOL_MAX_TIERS];
    let tiers = tiers.get_mut(..geometry.tier_count).ok_or(TIERPOOL_TIERS)?;
    if geometry.tiers.is_null() {
        return Err(if tiers.is_empty() { TIERPOOL_TIERS } else { TIERPOOL_NULL });
    }
    for (index, tier) in tiers.iter_mut().enumerate() {
        // SAFETY: `tier_count` tiers are valid, by the caller.
        let given = unsafe { &*geometry.tiers.add(index) };
        *tier = (given.bytes, given.slots);
    }
    let config = Config::new(tiers)
        .align(geometry.align.max(1))
        .spill(geometry.spill)
        .zero_on_free(geometry.zero_on_free);
    // SAFETY: null or valid for ever, by the caller.
    let config = match unsafe { fallback_of(geometry) }? {
        Some(fallback) => config.fallback(fallback),
        None => config,
    };
    let config = with_lanes(with_on_free(config, geometry), geometry)?;
    // SAFETY: null or as many numbers as tiers, by the caller.
    then(&unsafe { with_reserve(config, geometry) }?)
}

fn with_on_free<'a>(config: Config<'a>, geometry: &tierpool_geometry) -> Config<'a> {
    let Some(hook) = geometry.on_free else { return config };
    // SAFETY: C sees a pool as a pointer to its descriptor (`pool_at`), and to C a reference is a
    // pointer. So the types of the two functions differ in name alone.
    config.on_free_of_c(unsafe {
        mem::transmute::<extern "C" fn(*mut tierpool_pool), extern "C" fn(&'static Pool)>(hook)
    })
}

/// The reserve and its hook.
///
/// # Safety
/// `reserved` is null, or as many numbers as there are tiers.
#[cfg(feature = "reserve")]
unsafe fn with_reserve<'a>(
    config: Config<'a>,
    geometry: &'a tierpool_geometry,
) -> Result<Config<'a>, tierpool_error> {
    let config = match geometry.on_low {
        // SAFETY: as of `with_on_free`.
        Some(hook) => config.on_low_of_c(unsafe {
            mem::transmute::<
                extern "C" fn(*mut tierpool_pool, usize),
                extern "C" fn(&'static Pool, usize),
            >(hook)
        }),
        None => config,
    };
    if geometry.reserved.is_null() {
        return Ok(config);
    }
    // SAFETY: not null, so the caller's promise. The number of tiers is 1 to 16.
    Ok(config.reserve(unsafe { slice::from_raw_parts(geometry.reserved, geometry.tier_count) }))
}

/// Who asks for a reserve must not get a pool in which plain requests take all slots, nor one that
/// never calls the hook. Numbers that are all 0 ask for none.
///
/// # Safety
/// As of the other one.
#[cfg(not(feature = "reserve"))]
unsafe fn with_reserve<'a>(
    config: Config<'a>,
    geometry: &tierpool_geometry,
) -> Result<Config<'a>, tierpool_error> {
    let some = !geometry.reserved.is_null()
        // SAFETY: not null, so the caller's promise.
        && (0..geometry.tier_count).any(|tier| unsafe { *geometry.reserved.add(tier) } > 0);
    if some || geometry.on_low.is_some() { Err(TIERPOOL_WITHOUT_RESERVE) } else { Ok(config) }
}

#[cfg(feature = "lanes")]
fn with_lanes<'a>(
    config: Config<'a>,
    geometry: &tierpool_geometry,
) -> Result<Config<'a>, tierpool_error> {
    let config = config.lanes(geometry.lanes.max(1));
    Ok(geometry.lane.map_or(config, |lane| config.lane_of_c(lane)))
}

/// Who asks for lanes must not get a pool in which the cores share a list.
#[cfg(not(feature = "lanes"))]
fn with_lanes<'a>(
    config: Config<'a>,
    geometry: &tierpool_geometry,
) -> Result<Config<'a>, tierpool_error> {
    if geometry.lanes > 1 { Err(TIERPOOL_WITHOUT_LANES) } else { Ok(config) }
}

/// How much memory a pool of this geometry takes.
///
/// Interrupt handler: yes. Cost: no atomic operation.
///
/// # Errors
/// `TIERPOOL_NULL`; `TIERPOOL_ALIGN`, `TIERPOOL_TIERS`, `TIERPOOL_SIZE`, `TIERPOOL_SLOTS`,
/// `TIERPOOL_DESCENDING`, `TIERPOOL_LANES`, `TIERPOOL_SLOTS_PER_LANE`, `TIERPOOL_NO_LANE_FUNCTION`,
/// `TIERPOOL_WITHOUT_LANES`, `TIERPOOL_RESERVED`, `TIERPOOL_WITHOUT_RESERVE`, `TIERPOOL_FALLBACK` for a wrong geometry, which `tierpool_geometry_explain` puts into words.
/// `layout` is then all zero.
///
/// # Safety
/// `geometry` is null (the default) or valid to read with its tiers, reserves and fallback; `layout`
/// is null or valid to write.
///
/// ```c
/// tierpool_layout layout;
/// if (tierpool_layout_of(NULL, &layout) == TIERPOOL_OK) {
///     printf("%zu bytes, %zu of them payload\n", layout.control_bytes + layout.payload_bytes, layout.payload_bytes);
/// }
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tierpool_layout_of(
    geometry: *const tierpool_geometry,
    layout: *mut tierpool_layout,
) -> tierpool_error {
    // SAFETY: null or valid, by the caller.
    let Some(layout) = (unsafe { out(layout) }) else { return TIERPOOL_NULL };
    // SAFETY: null or valid, by the caller.
    let found = unsafe {
        with_config(geometry, |config| {
            config.check()?;
            Ok(tierpool_layout {
                control_bytes: control(config).1,
                control_align: TIERPOOL_CONTROL_ALIGN,
                payload_bytes: config.payload_bytes(),
                payload_align: config.payload_align(),
            })
        })
    };
    // After the geometry has been read, wherever that lies.
    layout.write(found.unwrap_or_default());
    found.map(|_| ()).into()
}

/// Says in words what is wrong with a geometry, and which of its tiers is, into a buffer of `bytes`
/// bytes: cut where that ends, always closed by a zero byte. Returns the length of the whole text;
/// 0 if nothing is wrong.
///
/// Interrupt handler: better not (it formats). Cost: no atomic operation.
///
/// # Safety
/// `geometry` as in `tierpool_layout_of`; `text` is null or has `bytes` bytes to write.
///
/// ```c
/// static const tierpool_tier falling[] = {{512, 16}, {256, 16}};
/// static const tierpool_geometry geometry = {.tiers = falling, .tier_count = 2};
/// char text[100];
/// if (tierpool_geometry_explain(&geometry, text, sizeof text) > 0) {
///     puts(text); // tier 1 (256 bytes): smaller than the tier before it; list the tiers by rising size
/// }
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tierpool_geometry_explain(
    geometry: *const tierpool_geometry,
    text: *mut c_char,
    bytes: usize,
) -> usize {
    // SAFETY: null or valid, by the caller.
    let checked = unsafe { with_config(geometry, |config| Ok(config.check())) };
    // SAFETY: the buffer is valid, by the caller.
    unsafe {
        match checked {
            Ok(Ok(())) => text::print(text, bytes, format_args!("")),
            #[cfg(feature = "lanes")]
            Ok(Err(ConfigError::NoLaneFunction)) => {
                text::print(text, bytes, format_args!("several lanes, but lane is null"))
            }
            Ok(Err(error)) => text::print(text, bytes, format_args!("{error}")),
            Err(TIERPOOL_NULL) => text::print(text, bytes, format_args!("tiers is null")),
            Err(TIERPOOL_WITHOUT_LANES) => text::print(
                text,
                bytes,
                format_args!("several lanes, but the library is built without its feature `lanes`"),
            ),
            Err(TIERPOOL_WITHOUT_RESERVE) => text::print(
                text,
                bytes,
                format_args!(
                    "reserved slots or on_low, but the library is built without its feature `reserve`"
                ),
            ),
            Err(TIERPOOL_FALLBACK) => text::print(
                text,
                bytes,
                format_args!("fallback without link, allocate or deallocate"),
            ),
            Err(_) => {
                text::print(text, bytes, format_args!("tier_count: a pool has 1 to 16 tiers"))
            }
        }
    }
}
