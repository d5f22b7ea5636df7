//! Two RV32IMAC harts of `qemu-system-riscv32 -M virt -smp 2 -bios none`.
//!
//! | item | here |
//! |---|---|
//! | console | UART at `0x1000_0000` |
//! | exit code | the test finisher at `0x10_0000` |
//! | timer | CLINT, one `mtimecmp` a hart, 10 MHz |
//! | instruction counter | `minstret`: exact under `-icount shift=0`, and then common to both harts |
//! | arguments | words that QEMU's loader device puts at [`ARGUMENTS`] |
//!
//! `board-xtensa` offers the same items, so that the harness is written once. The harness provides
//! `board_main(core)`, called on each hart, and `board_timer()`, called by the timer interrupt.
#![no_std]

use core::arch::{asm, global_asm};

global_asm!(include_str!("start.S"));

unsafe extern "C" {
    fn board_main(core: usize) -> !;
    fn board_timer();
}

/// The name in reports.
pub const NAME: &str = "rv32";
/// What [`counter`] advances in a thousand instructions under `-icount`.
pub const COUNTS_PER_1000: u32 = 1000;
/// Where QEMU's loader device puts the run-time arguments.
pub const ARGUMENTS: usize = 0x80ff_0000;

const UART: *mut u8 = 0x1000_0000 as *mut u8;
const FINISHER: *mut u32 = 0x0010_0000 as *mut u32;
const MSIP: *mut u32 = 0x0200_0000 as *mut u32;
const MTIMECMP: *mut u32 = 0x0200_4000 as *mut u32;
const MTIME: *mut u32 = 0x0200_bff8 as *mut u32;
/// `mie` bits: software and timer interrupt.
const SOFTWARE: u32 = 1 << 3;
const TIMER: u32 = 1 << 7;
/// `mstatus.MIE`: interrupts are on.
const ENABLED: u32 = 1 << 3;
const TIMER_CAUSE: u32 = 0x8000_0007;

/// The number of this core, 0 or 1.
#[inline(always)]
pub fn core() -> usize {
    let id;
    // SAFETY: reads a constant register.
    unsafe { asm!("csrr {}, mhartid", out(reg) id, options(nomem, nostack)) };
    id
}

/// Writes to the console.
pub fn write(text: &str) {
    for byte in text.bytes() {
        // SAFETY: the UART's transmit register; QEMU never makes it wait.
        unsafe { UART.write_volatile(byte) }
    }
}

/// Ends QEMU with this exit code.
pub fn exit(code: u32) -> ! {
    // SAFETY: the finisher's only register.
    unsafe { FINISHER.write_volatile(if code == 0 { 0x5555 } else { 0x3333 | code << 16 }) }
    loop {
        core::hint::spin_loop()
    }
}

/// Run-time argument `index`, 0 if none was given.
pub fn argument(index: usize) -> u32 {
    // SAFETY: inside RAM and outside every section (virt.ld); zero if QEMU put nothing there.
    unsafe { (ARGUMENTS as *const u32).add(index).read_volatile() }
}

/// The instruction counter. See [`COUNTS_PER_1000`].
#[inline(always)]
pub fn counter() -> u32 {
    let count;
    // SAFETY: reads a counter. Not `nomem`: what is counted must stay between two reads.
    unsafe { asm!("csrr {}, minstret", out(reg) count, options(nostack)) };
    count
}

/// Gives the other core a turn: every busy wait calls this, because under `-icount` one host thread
/// runs both cores and changes between them at timers and at `wfi` only.
pub fn turn() {
    let state = interrupts_off();
    // SAFETY: the own software interrupt is always pending (`board_start`) and enabled only here,
    // while interrupts are off: `wfi` falls through at once, but ends QEMU's slice.
    unsafe { asm!("csrs mie, {0}", "wfi", "csrc mie, {0}", in(reg) SOFTWARE) };
    interrupts_restore(state);
}

/// Turns interrupts off on this core; returns what [`interrupts_restore`] needs.
#[inline(always)]
pub fn interrupts_off() -> u32 {
    let state: u32;
    // SAFETY: masks interrupts; a compiler barrier, because it is not `nomem`.
    unsafe { asm!("csrrci {}, mstatus, 8", out(reg) state, options(nostack)) };
    state & ENABLED
}

/// Turns interrupts on on this core.
pub fn interrupts_on() {
    interrupts_restore(ENABLED)
}

/// Restores the state that [`interrupts_off`] returned.
#[inline(always)]
pub fn interrupts_restore(state: u32) {
    // SAFETY: sets `mstatus.MIE` if it was set before.
    unsafe { asm!("csrs mstatus, {}", in(reg) state, options(nostack)) };
}

/// One timer interrupt on this core, if interrupts are on, in about `count` instructions (exact
/// under `-icount` but for a constant).
pub fn timer_after_instructions(count: u32) {
    // `mtime` ticks once in 100 instructions at shift=0; a spin of two instructions a turn makes
    // the rest.
    for _ in 0..count % 100 / 2 {
        // SAFETY: does nothing; keeps the loop.
        unsafe { asm!("", options(nomem, nostack)) };
    }
    timer_after_ticks(count / 100);
}

/// One timer interrupt on this core in about `count` microseconds.
pub fn timer_after_us(count: u32) {
    timer_after_ticks(count * 10)
}

fn timer_after_ticks(ticks: u32) {
    let hart = core();
    // SAFETY: this hart's own compare register. The high word is out of reach while the low one is
    // written, as the privileged specification asks; runs are far shorter than the 430 s of the low
    // word.
    unsafe {
        MTIMECMP.add(2 * hart + 1).write_volatile(u32::MAX);
        MTIMECMP.add(2 * hart).write_volatile(MTIME.read_volatile().wrapping_add(ticks + 1));
        MTIMECMP.add(2 * hart + 1).write_volatile(MTIME.add(1).read_volatile());
        asm!("csrs mie, {}", in(reg) TIMER);
    }
}

/// No timer interrupt on this core any more.
pub fn timer_off() {
    // SAFETY: masks this hart's timer interrupt.
    unsafe { asm!("csrc mie, {}", in(reg) TIMER) };
}

#[unsafe(no_mangle)]
extern "C" fn board_start(hart: usize) -> ! {
    // SAFETY: this hart's software interrupt: pending for good, so that `turn` never sleeps; masked
    // in `mie`.
    unsafe {
        MSIP.add(hart).write_volatile(1);
        board_main(hart)
    }
}

#[unsafe(no_mangle)]
extern "C" fn board_trap(cause: u32, address: u32) {
    if cause == TIMER_CAUSE {
        // SAFETY: provided by the harness.
        return unsafe { board_timer() };
    }
    write("unexpected trap: mcause ");
    write_hex(cause);
    write(", mepc ");
    write_hex(address);
    write("\n");
    exit(102)
}

fn write_hex(value: u32) {
    for shift in (0..8).rev() {
        let digit = b"0123456789abcdef"[(value >> (4 * shift) & 15) as usize];
        // SAFETY: as in `write`.
        unsafe { UART.write_volatile(digit) }
    }
}
