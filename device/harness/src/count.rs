//! Instructions of a piece of code. Exact under `-icount` and while the other core only waits.

use crate::board;
use core::ptr::NonNull;

/// How often [`instructions`] runs the code: enough that a counter of 2.56 a step rounds to one number.
const ROUNDS: u32 = 100;

/// Instructions from the call of `code` to its return, the call itself and the return included.
///
/// `code` is a plain function, called through a pointer that the compiler cannot see through, so nothing is
/// inlined into the measurement; what calling an empty function costs beyond its call and return is taken off.
pub fn instructions(code: fn()) -> u32 {
    let beyond_empty = i64::from(counts(code)) - i64::from(counts(|| ()));
    let per_instruction = i64::from(board::COUNTS_PER_1000) * i64::from(ROUNDS);
    EMPTY_CALL + ((beyond_empty * 1000 + per_instruction / 2) / per_instruction).max(0) as u32
}

/// The same pointer, of which the compiler knows nothing any more, so that it cannot join what comes before with what
/// comes after. Costs nothing on RV32, a store and a load on Xtensa (no inline assembly).
#[inline(always)]
pub fn opaque<T>(pointer: NonNull<T>) -> NonNull<T> {
    #[cfg(target_arch = "riscv32")]
    {
        let mut pointer = pointer.as_ptr();
        // SAFETY: changes nothing.
        unsafe { core::arch::asm!("/* {0} */", inout(reg) pointer, options(nomem, nostack, preserves_flags)) };
        // SAFETY: the pointer that came in.
        unsafe { NonNull::new_unchecked(pointer) }
    }
    #[cfg(not(target_arch = "riscv32"))]
    core::hint::black_box(pointer)
}

/// Instructions of calling an empty function and returning: `jalr` and `ret`; `callx8`, `entry` and `retw`.
const EMPTY_CALL: u32 = if cfg!(target_arch = "riscv32") { 2 } else { 3 };

/// What the counter advances in `ROUNDS` calls.
fn counts(code: fn()) -> u32 {
    let code = core::hint::black_box(code);
    code(); // the first call may differ: never-used slots, a cold heap
    let start = board::counter();
    for _ in 0..ROUNDS {
        code()
    }
    board::counter().wrapping_sub(start)
}
