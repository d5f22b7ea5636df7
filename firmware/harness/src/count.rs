//! Instructions of a piece of code. Exact under `-icount` and while the other core only waits.

use crate::board;
use core::hint::black_box;
use core::ptr::NonNull;

/// How often [`instructions`] runs the code: enough that a counter of 2.56 a step rounds to one
/// number.
const ROUNDS: u32 = 100;

/// Instructions from the call of `code` to its return, the call itself and the return included.
///
/// `code` is a plain function, called through a pointer that the compiler cannot see through, so
/// nothing is inlined into the measurement; what calling an empty function costs beyond its call
/// and return is taken off.
pub fn instructions(code: fn()) -> u32 {
    let (code, empty): (fn(), fn()) = black_box((code, || ()));
    EMPTY_CALL + beyond(counts(code), counts(empty))
}

/// Instructions of a function that takes a block and of one that gives it back, each from call to
/// return: as a program uses them, far apart. The block goes from one to the other in a register.
pub fn pair(take: fn() -> Block, give: fn(Block)) -> u32 {
    let (take, give): (fn() -> Block, fn(Block)) = black_box((take, give));
    let (no_take, no_give): (fn() -> Block, fn(Block)) = black_box((|| None, |_| ()));
    // `|| None` is one instruction beside call and return.
    2 * EMPTY_CALL + 1 + beyond(counts(|| give(take())), counts(|| no_give(no_take())))
}

/// A block of memory, if there was one.
pub type Block = Option<NonNull<u8>>;

/// What the counter advanced in `ROUNDS`, beyond what it advances for nothing, as instructions of
/// one round.
fn beyond(counts: u32, nothing: u32) -> u32 {
    let per_instruction = i64::from(board::COUNTS_PER_1000) * i64::from(ROUNDS);
    let beyond = i64::from(counts) - i64::from(nothing);
    ((beyond * 1000 + per_instruction / 2) / per_instruction).max(0) as u32
}

/// The same pointer, of which the compiler knows nothing any more, so that it cannot join what
/// comes before with what comes after. Costs nothing on RV32 and Cortex-M, a store and a load
/// on Xtensa (no inline assembly).
#[inline(always)]
pub fn opaque<T>(pointer: NonNull<T>) -> NonNull<T> {
    #[cfg(not(target_arch = "xtensa"))]
    {
        let mut pointer = pointer.as_ptr();
        // SAFETY: changes nothing.
        unsafe {
            core::arch::asm!("/* {0} */", inout(reg) pointer, options(nomem, nostack, preserves_flags))
        };
        // SAFETY: the pointer that came in.
        unsafe { NonNull::new_unchecked(pointer) }
    }
    #[cfg(target_arch = "xtensa")]
    black_box(pointer)
}

/// Instructions of calling an empty function and returning: `jalr` and `ret`; `callx8`, `entry` and
/// `retw`; `blx`, `push`, `mov` and `pop`, because each function for Arm makes a frame pointer.
const EMPTY_CALL: u32 = if cfg!(target_arch = "riscv32") {
    2
} else if cfg!(target_arch = "xtensa") {
    3
} else {
    4
};

/// What the counter advances in `ROUNDS`.
#[inline(always)]
fn counts(round: impl Fn()) -> u32 {
    round(); // the first may differ: never-used slots, a cold heap
    let start = board::counter();
    for _ in 0..ROUNDS {
        round()
    }
    board::counter().wrapping_sub(start)
}
