//! What every function that can fail returns.

use core::ffi::{CStr, c_char, c_uint};

use tierpool::{AllocError, ConfigError, FreeError, RangeError};

/// The result of a function. The values are part of the interface and stay as they are.
///
/// Every error leaves the caller all it had, unless its function says otherwise.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum tierpool_error {
    /// Done.
    TIERPOOL_OK = 0,
    /// All slots that may serve the request are in use. Worth trying again later.
    TIERPOOL_EXHAUSTED = 1,
    /// Larger than the largest tier, or more strictly aligned than any. Waiting will not help.
    TIERPOOL_OVERSIZED = 2,
    /// The bytes belong to no pool (they are static, or empty from the start): name one.
    TIERPOOL_NO_POOL = 3,
    /// The range goes beyond the bytes that there are.
    TIERPOOL_RANGE = 4,
    /// The pointer does not lie in this pool.
    TIERPOOL_FOREIGN = 5,
    /// The pointer lies inside a slot, not at its start.
    TIERPOOL_INTERIOR = 6,
    /// The slot is not allocated: freed already, or owned by handles.
    TIERPOOL_NOT_ALLOCATED = 7,
    /// A pointer is null that must not be.
    TIERPOOL_NULL = 8,
    /// The alignment is no power of two, or, in a geometry, above 4096.
    TIERPOOL_ALIGN = 9,
    /// No tier, or more than 16.
    TIERPOOL_TIERS = 10,
    /// A tier of 0 bytes, or of more than 65 536.
    TIERPOOL_SIZE = 11,
    /// A tier without a slot, or with more than 1022; list the same size twice, with spill, for
    /// more.
    TIERPOOL_SLOTS = 12,
    /// A tier smaller than the one before it; list them by rising size.
    TIERPOOL_DESCENDING = 13,
    /// The control memory is too short: `tierpool_layout_of` says what is needed.
    TIERPOOL_CONTROL_TOO_SHORT = 14,
    /// The control memory does not begin at a multiple of `TIERPOOL_CONTROL_ALIGN`.
    TIERPOOL_CONTROL_MISALIGNED = 15,
    /// The payload memory is too short: `tierpool_layout_of` says what is needed.
    TIERPOOL_PAYLOAD_TOO_SHORT = 16,
    /// The payload memory is misaligned: `tierpool_layout_of` says what is needed.
    TIERPOOL_PAYLOAD_MISALIGNED = 17,
    /// The memory holds a pool already, which would have been reset.
    TIERPOOL_IN_USE = 18,
    /// More than 64 lanes.
    TIERPOOL_LANES = 19,
    /// A tier has fewer slots than lanes.
    TIERPOOL_SLOTS_PER_LANE = 20,
    /// Several lanes, but no `lane` that says where a request begins.
    TIERPOOL_NO_LANE_FUNCTION = 21,
    /// Several lanes, but the library is built without its feature `lanes`.
    TIERPOOL_WITHOUT_LANES = 22,
    /// A tier with more than 1022 reserved slots.
    TIERPOOL_RESERVED = 23,
    /// Reserved slots or `on_low`, but the library is built without its feature `reserve`.
    TIERPOOL_WITHOUT_RESERVE = 24,
    /// A fallback without `link`, `allocate` or `deallocate`.
    TIERPOOL_FALLBACK = 25,
    /// The size or alignment is not that of the allocation: another tier serves it.
    TIERPOOL_WRONG_SIZE = 26,
    /// An error that this version of the C interface has no name for.
    TIERPOOL_UNKNOWN = 255,
}

use tierpool_error::*;

impl From<AllocError> for tierpool_error {
    fn from(error: AllocError) -> Self {
        match error {
            AllocError::Exhausted => TIERPOOL_EXHAUSTED,
            AllocError::Oversized => TIERPOOL_OVERSIZED,
            AllocError::NoPool => TIERPOOL_NO_POOL,
            _ => TIERPOOL_UNKNOWN,
        }
    }
}

impl From<FreeError> for tierpool_error {
    fn from(error: FreeError) -> Self {
        match error {
            FreeError::Foreign => TIERPOOL_FOREIGN,
            FreeError::Interior => TIERPOOL_INTERIOR,
            FreeError::NotAllocated => TIERPOOL_NOT_ALLOCATED,
            _ => TIERPOOL_UNKNOWN,
        }
    }
}

impl From<RangeError> for tierpool_error {
    fn from(_: RangeError) -> Self {
        TIERPOOL_RANGE
    }
}

impl From<ConfigError> for tierpool_error {
    fn from(error: ConfigError) -> Self {
        match error {
            ConfigError::Tiers { .. } => TIERPOOL_TIERS,
            ConfigError::Size { .. } => TIERPOOL_SIZE,
            ConfigError::Slots { .. } => TIERPOOL_SLOTS,
            ConfigError::Descending { .. } => TIERPOOL_DESCENDING,
            ConfigError::Align { .. } => TIERPOOL_ALIGN,
            ConfigError::PayloadTooShort { .. } => TIERPOOL_PAYLOAD_TOO_SHORT,
            ConfigError::PayloadMisaligned { .. } => TIERPOOL_PAYLOAD_MISALIGNED,
            ConfigError::Lanes { .. } => TIERPOOL_LANES,
            ConfigError::SlotsPerLane { .. } => TIERPOOL_SLOTS_PER_LANE,
            ConfigError::NoLaneFunction => TIERPOOL_NO_LANE_FUNCTION,
            ConfigError::Reserve { .. } => TIERPOOL_RESERVED,
            _ => TIERPOOL_UNKNOWN,
        }
    }
}

impl From<Result<(), tierpool_error>> for tierpool_error {
    fn from(result: Result<(), tierpool_error>) -> Self {
        result.err().unwrap_or(TIERPOOL_OK)
    }
}

/// What an error means, and what to do about it, as a string that lives for ever. Never null; takes
/// any number.
///
/// Interrupt handler: yes. Cost: no atomic operation.
///
/// ```c
/// puts(tierpool_error_text(tierpool_free(pool, &pool)));
/// ```
#[unsafe(no_mangle)]
pub extern "C" fn tierpool_error_text(error: c_uint) -> *const c_char {
    let text: &CStr = match error {
        0 => c"done",
        1 => c"pool exhausted: every slot that fits is in use; free some, try again later, or declare more slots",
        2 => c"request too large, or too strictly aligned, for every tier of the pool: declare a larger tier",
        3 => c"the bytes belong to no pool: name one in the call",
        4 => c"the range goes beyond the bytes that there are: pass a shorter one",
        5 => c"the pointer does not lie in this pool: give it back where it came from",
        6 => c"the pointer lies inside a slot: pass the one that the allocation returned",
        7 => c"the slot is not allocated: free it once, and release handles instead",
        8 => c"a pointer is null that must not be: see the function's comment",
        9 => c"the alignment must be a power of two, in a geometry at most 4096",
        10 => c"a pool has 1 to 16 tiers",
        11 => c"a slot has 1 to 65536 bytes",
        12 => c"a tier has 1 to 1022 slots; list the same size twice, with spill, for more",
        13 => c"a tier is smaller than the one before it; list the tiers by rising size",
        14 => c"control memory too short: tierpool_layout_of says what is needed",
        15 => c"control memory misaligned: it must begin at a multiple of TIERPOOL_CONTROL_ALIGN",
        16 => c"payload memory too short: tierpool_layout_of says what is needed",
        17 => c"payload memory misaligned: tierpool_layout_of says what is needed",
        18 => c"the memory holds a pool already: make it once, and keep the pointer to it",
        19 => c"a pool has 1 to 64 lanes",
        20 => c"a tier has fewer slots than lanes; declare more slots, or fewer lanes",
        21 => c"several lanes, but no function: set `lane` to one that returns the number of the core",
        22 => c"several lanes, but the library is built without them: build it with --features lanes",
        23 => c"a tier has at most 1022 reserved slots",
        24 => c"reserved slots or on_low, but the library is built without them: build it with --features reserve",
        25 => c"a fallback needs link (tierpool_fallback_link), allocate and deallocate",
        26 => c"the size or alignment is not that of the allocation: free with what was asked for",
        _ => c"an error that this version of the C interface has no name for",
    };
    text.as_ptr()
}
