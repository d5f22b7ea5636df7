//! The critical section of two cores, as esp-hal makes it: interrupts off, and a lock that the
//! owner may re-enter.

use core::sync::atomic::{AtomicU32, Ordering::*};
use harness::board;

struct TwoCores;
critical_section::set_impl!(TwoCores);

/// The owning core + 1; 0 is free.
static OWNER: AtomicU32 = AtomicU32::new(0);
/// Marks a section inside another of the same core. No board uses this bit of its interrupt state.
const NESTED: u32 = 1 << 31;

// SAFETY: one core at a time gets past the swap, and its interrupts are off until it stores 0.
unsafe impl critical_section::Impl for TwoCores {
    unsafe fn acquire() -> u32 {
        let state = board::interrupts_off();
        let me = board::core() as u32 + 1;
        if OWNER.load(Relaxed) == me {
            return state | NESTED;
        }
        while OWNER.compare_exchange_weak(0, me, Acquire, Relaxed).is_err() {
            core::hint::spin_loop()
        }
        state
    }

    unsafe fn release(state: u32) {
        if state & NESTED == 0 {
            OWNER.store(0, Release);
            board::interrupts_restore(state);
        }
    }
}
