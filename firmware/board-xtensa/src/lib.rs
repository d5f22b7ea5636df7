//! Two Xtensa cores of `qemu-system-xtensa -M sim -smp 2`, running code generated for the ESP32
//! (windowed ABI, `S32C1I`).
//!
//! | item | here |
//! |---|---|
//! | console, exit code | SIMCALL |
//! | timer | `CCOMPARE0`, level-1 interrupt |
//! | instruction counter | `CCOUNT`: 2.56 counts an instruction on `de233_fpu` under `-icount shift=6` |
//! | arguments | words that QEMU's loader device puts at [`ARGUMENTS`] |
//!
//! `board-rv32` offers the same items, so that the harness is written once. The harness provides
//! `board_main(core)`, called on each core, and `board_timer()`, called by the timer interrupt.
//! What needs assembly is in `start.S`.
#![no_std]

unsafe extern "C" {
    fn board_main(core: usize) -> !;
    safe fn board_prid() -> usize;
    safe fn board_ccount() -> u32;
    safe fn board_timer_set(cycles: u32);
    safe fn board_timer_off();
    safe fn board_turn();
    safe fn board_mask() -> u32;
    safe fn board_unmask() -> u32;
    safe fn board_restore(state: u32);
    fn board_simcall(number: u32, a: u32, b: u32, c: u32) -> u32;
}

/// The name in reports.
pub const NAME: &str = "xtensa";
/// What [`counter`] advances in a thousand instructions under `-icount shift=6`.
pub const COUNTS_PER_1000: u32 = 2560;
/// Where QEMU's loader device puts the run-time arguments: RAM beyond the linker script's.
pub const ARGUMENTS: usize = 0x0060_0000;
/// Cycles of `de233_fpu` in a microsecond.
const CYCLES_PER_US: u32 = 40;
/// No timer is set nearer than this: setting it must be over by then.
const SHORTEST: u32 = 64;

/// The number of this core, 0 or 1.
#[inline(always)]
pub fn core() -> usize {
    board_prid()
}

/// Writes to the console.
pub fn write(text: &str) {
    // SAFETY: SYS_write to standard output of bytes that are there.
    unsafe { board_simcall(4, 1, text.as_ptr() as u32, text.len() as u32) };
}

/// Ends QEMU with this exit code.
pub fn exit(code: u32) -> ! {
    // SAFETY: SYS_exit.
    unsafe { board_simcall(1, code, 0, 0) };
    loop {
        core::hint::spin_loop()
    }
}

/// Run-time argument `index`, 0 if none was given.
pub fn argument(index: usize) -> u32 {
    // SAFETY: RAM that the linker script leaves alone; zero if QEMU put nothing there.
    unsafe { (ARGUMENTS as *const u32).add(index).read_volatile() }
}

/// The cycle counter. See [`COUNTS_PER_1000`].
#[inline(always)]
pub fn counter() -> u32 {
    board_ccount()
}

/// Gives the other core a turn: every busy wait calls this, because under `-icount` one host thread
/// runs both cores and changes between them at timers only.
pub fn turn() {
    board_turn()
}

/// Turns interrupts off on this core; returns what [`interrupts_restore`] needs.
#[inline(always)]
pub fn interrupts_off() -> u32 {
    board_mask()
}

/// Turns interrupts on on this core.
pub fn interrupts_on() {
    board_unmask();
}

/// Restores the state that [`interrupts_off`] returned.
#[inline(always)]
pub fn interrupts_restore(state: u32) {
    board_restore(state)
}

/// One timer interrupt on this core, if interrupts are on, in about `count` instructions (exact
/// under `-icount` but for a constant).
pub fn timer_after_instructions(count: u32) {
    board_timer_set(SHORTEST + count * COUNTS_PER_1000 / 1000)
}

/// One timer interrupt on this core in about `count` microseconds.
pub fn timer_after_us(count: u32) {
    board_timer_set(SHORTEST + count * CYCLES_PER_US)
}

/// No timer interrupt on this core any more.
pub fn timer_off() {
    board_timer_off()
}

#[unsafe(no_mangle)]
extern "C" fn board_start(core: usize) -> ! {
    // SAFETY: provided by the harness.
    unsafe { board_main(core) }
}
