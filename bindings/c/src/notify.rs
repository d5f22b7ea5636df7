//! Waiting for a slot: a function of the geometry is called when one comes back.
//!
//! ```text
//!   tierpool_alloc: exhausted ─► tierpool_arm_free_notify: true ─► sleep ── on_free wakes ─► try again
//!                                                          false ─► try again
//! ```

use crate::init::{pool_at, tierpool_pool};

/// Asks for one call of `on_free` of the geometry when a slot comes back that can serve `bytes`
/// bytes.
///
/// Call it after a request that failed with `TIERPOOL_EXHAUSTED`. If it returns true, the next such
/// free calls `on_free`: sleep until then, and try again. If it returns false, a slot has come back
/// meanwhile, so try again at once. It also returns false if there is nothing to wait for: no tier
/// fits, `on_free` is null, the pool is null.
///
/// `on_free` sees all that the caller did before this call. So first note which task is to be
/// woken, and then call it. With `spill`, all tiers that may serve the request are asked, so there
/// may be one call for each. A call is a hint: another task may be faster, and a slot of a tier
/// that is less aligned than the request asked for calls, too. So sleep with a time-out. Reserved
/// slots that come back do not call.
///
/// Interrupt handler: yes. Cost: one compare-and-swap a tier. Frees pay nothing unless they call.
///
/// # Safety
/// `pool` is null or from `tierpool_init`.
///
/// ```c
/// void *memory;
/// while (tierpool_alloc(pool, 500, 1, &memory) == TIERPOOL_EXHAUSTED) {
///     if (tierpool_arm_free_notify(pool, 500)) {
///         // ulTaskNotifyTake(pdTRUE, pdMS_TO_TICKS(100)), which `on_free` ends
///     }
/// }
/// tierpool_free(pool, memory);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tierpool_arm_free_notify(pool: *mut tierpool_pool, bytes: usize) -> bool {
    // SAFETY: null or a pool, by the caller.
    unsafe { pool_at(pool) }.is_ok_and(|pool| pool.arm_free_notify(bytes))
}
