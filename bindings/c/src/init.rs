//! A pool in memory that C owns.
//!
//! ```text
//!   control   [ a state word a slot ][ heads, counters, descriptor ]    internal RAM: atomics work on it
//!   payload   [ tier 0 ][ tier 1 ] …                                    anywhere, PSRAM included
//! ```

use core::ffi::c_void;
use core::mem::MaybeUninit;
use core::{ptr, slice};

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

/// # Safety
/// The memory is given up to the pool for ever.
unsafe fn build(
    config: &Config<'_>,
    memory: &tierpool_memory,
) -> Result<&'static Pool, tierpool_error> {
    config.check()?;
    let (start, end) = control(config);
    if memory.control.is_null() || memory.payload.is_null() {
        return Err(TIERPOOL_NULL);
    }
    if memory.control_bytes < end {
        return Err(TIERPOOL_CONTROL_TOO_SHORT);
    }
    if !memory.control.addr().is_multiple_of(TIERPOOL_CONTROL_ALIGN) {
        return Err(TIERPOOL_CONTROL_MISALIGNED);
    }
    // SAFETY: the last whole word, for which `control` has counted room.
    let mark = unsafe {
        memory
            .control
            .byte_add(memory.control_bytes - size_of::<Mark>())
            .map_addr(|end| end & !(align_of::<Mark>() - 1))
    };
    let mark = mark.cast::<Mark>();
    // SAFETY: zero from the start, by the caller, or a mark; nobody writes it meanwhile, since a
    // pool is made by one caller.
    if memory.zeroed && unsafe { mark.read() } != 0 {
        return Err(TIERPOOL_IN_USE);
    }
    // SAFETY: `control` has found room and alignment for both, and the caller gives the memory up.
    let (states, payload, rest) = unsafe {
        (
            slice::from_raw_parts_mut(
                memory.control.cast::<MaybeUninit<SlotState>>(),
                config.slots(),
            ),
            slice::from_raw_parts_mut(
                memory.payload.cast::<MaybeUninit<u8>>(),
                memory.payload_bytes,
            ),
            memory.control.byte_add(start),
        )
    };
    // SAFETY: as above: `control` has counted with the same place.
    let made = unsafe { (place(config).make)(config, states, payload, rest) };
    let made = made?;
    // SAFETY: behind all that the pool has written.
    unsafe { mark.write(1) };
    Ok(made)
}
