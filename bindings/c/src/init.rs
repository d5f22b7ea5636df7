//! A pool in memory that C owns.
//!
//! ```text
//!   control   [ a state word a slot ][ heads, counters, descriptor ]    internal RAM: atomics work on it
//!   payload   [ tier 0 ][ tier 1 ] …                                    anywhere, PSRAM included
//! ```

use core::ffi::c_void;
use core::mem::MaybeUninit;
use core::ptr::{self, NonNull};
use core::slice;

use tierpool::{Config, Pool, SlotState};

use crate::error::tierpool_error::{self, *};
use crate::geometry::{
    Mark, TIERPOOL_CONTROL_ALIGN, control, place, tierpool_geometry, with_config,
};
use crate::out;

/// A pool. Lock-free: all functions on it may be called from any core, task or interrupt handler at
/// any time, where they do not say otherwise.
#[derive(Debug)]
pub struct tierpool_pool {
    _opaque: (),
}

/// Memory for a pool, for `tierpool_init`. The macros `TIERPOOL_DEFAULT_MEMORY` and
/// `TIERPOOL_MEMORY` declare some.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct tierpool_memory {
    /// Heads, states and descriptor: in RAM where atomic instructions work, so not in PSRAM on
    /// ESP32, S2 and S3.
    pub control: *mut c_void,
    /// Its size in bytes.
    pub control_bytes: usize,
    /// The slots: in any memory.
    pub payload: *mut c_void,
    /// Its size in bytes.
    pub payload_bytes: usize,
    /// The control memory was all zero when the program started, as static memory is that lies in
    /// no section of its own. Then `tierpool_init` refuses to make a second pool in it. Memory of a
    /// heap may hold anything, so there it is not checked.
    pub zeroed: bool,
}

/// The pool behind a pointer from C.
///
/// # Safety
/// `pool` is null, or comes from `tierpool_init`.
#[inline(always)]
pub(crate) unsafe fn pool_at(pool: *const tierpool_pool) -> Result<&'static Pool, tierpool_error> {
    // SAFETY: null, or a pool that lives for ever.
    unsafe { pool.cast::<Pool>().as_ref() }.ok_or(TIERPOOL_NULL)
}

/// Makes a pool in memory of the caller. Call it once for each pool, at start. There is no function
/// that ends a pool.
///
/// Interrupt handler: no. Cost: writes the control memory; payload is not touched.
///
/// # Errors
/// Those of `tierpool_layout_of`; `TIERPOOL_CONTROL_TOO_SHORT`, `TIERPOOL_CONTROL_MISALIGNED`,
/// `TIERPOOL_PAYLOAD_TOO_SHORT`, `TIERPOOL_PAYLOAD_MISALIGNED`. `TIERPOOL_IN_USE` if there is a
/// pool in the memory already, and `memory` says `zeroed`, as that of the macros does: that pool is
/// unchanged. `*pool` is then null.
///
/// # Safety
/// `geometry` as in `tierpool_layout_of`. The memory that `memory` names is the pool's alone from
/// now on and for ever: it is static, or never freed. `pool` is null or valid to write.
///
/// ```c
/// TIERPOOL_DEFAULT_MEMORY(memory);
/// tierpool_pool *packets;
/// tierpool_error error = tierpool_init(NULL, &memory, &packets);
/// if (error != TIERPOOL_OK) {
///     puts(tierpool_error_text(error));
/// }
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tierpool_init(
    geometry: *const tierpool_geometry,
    memory: *const tierpool_memory,
    pool: *mut *mut tierpool_pool,
) -> tierpool_error {
    // SAFETY: null or valid, by the caller.
    let (Some(memory), Some(pool)) = (unsafe { (memory.as_ref(), out(pool)) }) else {
        return TIERPOOL_NULL;
    };
    // SAFETY: the caller's promises.
    let made = unsafe { with_config(geometry, |config| build(config, memory)) };
    // After geometry and memory have been read, wherever they lie.
    pool.write(made.map_or(ptr::null_mut(), |made| ptr::from_ref(made).cast_mut().cast()));
    made.map(|_| ()).into()
}

/// The pool of a `TIERPOOL_STATIC_POOL`, which calls this: built by whoever uses it first, and found
/// by all others. Null if the geometry is wrong or the memory too short; then every function says
/// `TIERPOOL_NULL`, and `tierpool_geometry_explain` says why.
///
/// No lock, and nobody waits. Several callers may build the pool at the same time, on several cores,
/// or one in an interrupt handler that has interrupted the other. All of them write the same words
/// into memory that was zero, each word is written once, and the pool is used by whoever has written
/// or seen all of them. What changes in a pool is zero while it is fresh, so a caller that is late
/// resets nothing.
///
/// `*made` is null at start, and belongs to the library.
///
/// Interrupt handler: yes, also before `main`. Cost: one load; while the pool is not built, up to
/// about 40 compare-and-swaps, and 10 more for each tier.
///
/// # Safety
/// `geometry` as in `tierpool_layout_of`. `made` and `memory` are null or valid; `made` lives for
/// ever, and was null at start. The memory that `memory` names is the pool's alone, static, and its
/// control memory was zero when the program started. All calls for one `made` bring the same.
///
/// ```c
/// TIERPOOL_DEFAULT_MEMORY(memory);
/// static tierpool_pool *made;
/// assert(tierpool_static(&made, NULL, &memory) == tierpool_static(&made, NULL, &memory));
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tierpool_static(
    made: *mut *mut tierpool_pool,
    geometry: *const tierpool_geometry,
    memory: *const tierpool_memory,
) -> *mut tierpool_pool {
    let Some(made) = NonNull::new(made.cast::<*mut Pool>()) else { return ptr::null_mut() };
    // SAFETY: null or valid, by the caller.
    let memory = unsafe { memory.as_ref() };
    // SAFETY: the caller's promises.
    unsafe {
        Pool::once(made, || {
            let memory = memory.ok_or(TIERPOOL_NULL)?;
            with_config(geometry, |config| build_in_zeros(config, memory))
        })
    }
    .map_or(ptr::null_mut(), |pool| ptr::from_ref(pool).cast_mut().cast())
}

/// # Safety
/// As `tierpool_static`.
unsafe fn build_in_zeros(
    config: &Config<'_>,
    memory: &tierpool_memory,
) -> Result<&'static Pool, tierpool_error> {
    // SAFETY: the caller's promise.
    let Parts { states, payload, rest, .. } = unsafe { parts(config, memory)? };
    // SAFETY: `parts` has found room and alignment, the rest is the caller's promise.
    Ok(unsafe { Pool::in_zeros_at(config, states, payload, rest.cast(), &place(config).parts) }?)
}

/// # Safety
/// The memory is given up to the pool for ever.
unsafe fn build(
    config: &Config<'_>,
    memory: &tierpool_memory,
) -> Result<&'static Pool, tierpool_error> {
    // SAFETY: the caller's promise.
    let Parts { states, mut payload, rest, mark } = unsafe { parts(config, memory)? };
    // SAFETY: zero from the start, by the caller, or a mark; nobody writes it meanwhile, since a
    // pool is made by one caller.
    if memory.zeroed && unsafe { mark.read() } != 0 {
        return Err(TIERPOOL_IN_USE);
    }
    // SAFETY: `parts` has found room and alignment for both, and the caller gives the memory up.
    let (states, payload) = unsafe {
        (slice::from_raw_parts_mut(states.as_ptr().cast(), config.slots()), payload.as_mut())
    };
    // SAFETY: as above: `control` has counted with the same place.
    let made = unsafe { (place(config).make)(config, states, payload, rest.as_ptr()) };
    let made = made?;
    // SAFETY: behind all that the pool has written.
    unsafe { mark.write(1) };
    Ok(made)
}

/// Where the parts of a pool lie in the memory of the caller.
struct Parts {
    states: NonNull<SlotState>,
    payload: NonNull<[MaybeUninit<u8>]>,
    /// The place for the heads, counters and descriptors.
    rest: NonNull<c_void>,
    mark: NonNull<Mark>,
}

/// Checks the configuration and the control memory. The payload is checked by whoever builds.
///
/// # Safety
/// The memory is as long as it says.
// Inlined, for a program mostly builds pools in one way alone.
#[inline(always)]
unsafe fn parts(config: &Config<'_>, memory: &tierpool_memory) -> Result<Parts, tierpool_error> {
    config.check()?;
    let (start, end) = control(config);
    let (Some(control), Some(payload)) =
        (NonNull::new(memory.control), NonNull::new(memory.payload))
    else {
        return Err(TIERPOOL_NULL);
    };
    if memory.control_bytes < end {
        return Err(TIERPOOL_CONTROL_TOO_SHORT);
    }
    if !control.addr().get().is_multiple_of(TIERPOOL_CONTROL_ALIGN) {
        return Err(TIERPOOL_CONTROL_MISALIGNED);
    }
    let mark = (memory.control_bytes - size_of::<Mark>()) & !(align_of::<Mark>() - 1);
    // SAFETY: the last whole word, for which `control` has counted room, and the place before it.
    let (rest, mark) = unsafe { (control.byte_add(start), control.byte_add(mark).cast()) };
    Ok(Parts {
        states: control.cast(),
        payload: NonNull::slice_from_raw_parts(payload.cast(), memory.payload_bytes),
        rest,
        mark,
    })
}
