//! What must not unwind: the functions of an allocator, and what they call of a program.

use core::mem;

use crate::protocol::atomics::trap;

/// Calls `run`. If it panics, the program stops.
#[inline(always)]
pub(super) fn without_unwinding(run: impl FnOnce()) {
    struct Unwinding;
    impl Drop for Unwinding {
        fn drop(&mut self) {
            trap()
        }
    }
    let unwinding = Unwinding;
    run();
    mem::forget(unwinding);
}
