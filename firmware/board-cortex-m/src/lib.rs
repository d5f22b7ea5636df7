//! Two Cortex-M33 cores of `qemu-system-arm -M mps2-an521`, in the secure state that they start in.
//!
//! | item | here |
//! |---|---|
//! | console | UART 0 at `0x5020_0000` |
//! | exit code | semihosting |
//! | timer | the board's timer of the core's number, 20 MHz. (SysTick takes QEMU twice as long: a start of it is two events.) |
//! | instruction counter | the board's counter of 20 MHz cycles: 1.28 an instruction under `-icount shift=6`, and then common to both cores |
//! | arguments | words that QEMU's loader device puts at [`ARGUMENTS`] |
//! | second core | waits at reset until core 0 clears its bit of `CPUWAIT` |
//!
//! `board-rv32` offers the same items, so that the harness is written once. The harness provides
//! `board_main(core)`, called on each core, and `board_timer()`, called by the timer interrupt.
#![no_std]

use core::arch::{asm, global_asm};

global_asm!(include_str!("start.S"));

unsafe extern "C" {
    fn board_main(core: usize) -> !;
    fn board_timer();
}

/// The name in reports.
pub const NAME: &str = "cortex-m";
/// What [`counter`] advances in a thousand instructions under `-icount shift=6`: 64 ns each, at
/// 20 MHz.
pub const COUNTS_PER_1000: u32 = 1280;
/// Where QEMU's loader device puts the run-time arguments: RAM beyond the linker script's.
pub const ARGUMENTS: usize = 0x103f_0000;
/// Cycles of the machine's clock in a microsecond.
const CYCLES_PER_US: u32 = 20;
/// No timer is set nearer than this: its handler must be over by then.
const SHORTEST: u32 = 32;

/// Data, state and control of the UART, and its divider.
const UART: *mut u32 = 0x5020_0000 as *mut u32;
const COUNTER: *const u32 = 0x5030_2018 as *const u32;
/// Different on each core: the number of the core that reads it.
const IDENTITY: *const u32 = 0x5001_f000 as *const u32;
/// Where core 1 finds its vectors, and the bits of the cores that wait at reset.
const INITSVTOR1: *mut u32 = 0x5002_1114 as *mut u32;
const CPUWAIT: *mut u32 = 0x5002_1118 as *mut u32;
/// Control, value, reload value and interrupt of timer 0; those of timer 1 follow [`TIMER_STEP`]
/// words behind.
const TIMERS: *mut u32 = 0x5000_0000 as *mut u32;
const TIMER_STEP: usize = 0x1000 / 4;
/// A timer's control: counts, interrupts.
const COUNTS: u32 = 9;
/// The interrupt of timer 0; timer 1 has the next. Each core lets its own through.
const TIMER_INTERRUPT: u32 = 3;
/// Sets of interrupts that this core lets through, and of those to forget.
const ENABLE: *mut u32 = 0xe000_e100 as *mut u32;
const FORGET: *mut u32 = 0xe000_e280 as *mut u32;
/// Which exception is active, and why there was a fault.
const ACTIVE: *const u32 = 0xe000_ed04 as *const u32;
const FAULT: *const u32 = 0xe000_ed28 as *const u32;
/// Where the vectors are.
const VECTORS: *const u32 = 0xe000_ed08 as *const u32;

/// The number of this core, 0 or 1.
#[inline(always)]
pub fn core() -> usize {
    // SAFETY: a register that only reads.
    unsafe { IDENTITY.read_volatile() as usize }
}

/// Writes to the console.
pub fn write(text: &str) {
    for byte in text.bytes() {
        // SAFETY: the UART's state and transmit registers. It is on (`board_start`).
        unsafe {
            while UART.add(1).read_volatile() & 1 != 0 {}
            UART.write_volatile(byte.into())
        }
    }
}

/// Ends QEMU with this exit code.
pub fn exit(code: u32) -> ! {
    let block = [0x2_0026, code]; // the application ends, with this code
    // SAFETY: SYS_EXIT_EXTENDED, with its two words.
    unsafe { asm!("bkpt 0xab", in("r0") 0x20, in("r1") block.as_ptr(), options(readonly)) };
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
    let count;
    // SAFETY: reads a counter. Not `nomem`: what is counted must stay between two reads.
    unsafe { asm!("ldr {0}, [{1}]", out(reg) count, in(reg) COUNTER, options(nostack)) };
    count
}

/// Gives the other core a turn: every busy wait calls this, because under `-icount` one host thread
/// runs both cores and changes between them at timers and at `yield` only.
pub fn turn() {
    // SAFETY: does nothing but end QEMU's slice.
    unsafe { asm!("yield", options(nostack)) };
}

/// Turns interrupts off on this core; returns what [`interrupts_restore`] needs.
#[inline(always)]
pub fn interrupts_off() -> u32 {
    let masked: u32;
    // SAFETY: masks interrupts; a compiler barrier, because it is not `nomem`.
    unsafe { asm!("mrs {}, primask", "cpsid i", out(reg) masked, options(nostack)) };
    masked
}

/// Turns interrupts on on this core.
pub fn interrupts_on() {
    interrupts_restore(0)
}

/// Restores the state that [`interrupts_off`] returned.
#[inline(always)]
pub fn interrupts_restore(masked: u32) {
    // SAFETY: puts back the mask.
    unsafe { asm!("msr primask, {}", in(reg) masked, options(nostack)) };
}

/// One timer interrupt on this core, if interrupts are on, in about `count` instructions (exact
/// under `-icount` but for a constant).
pub fn timer_after_instructions(count: u32) {
    timer_after_cycles(count * COUNTS_PER_1000 / 1000)
}

/// One timer interrupt on this core in about `count` microseconds.
pub fn timer_after_us(count: u32) {
    timer_after_cycles(count * CYCLES_PER_US)
}

/// The registers of this core's timer.
fn timer() -> *mut u32 {
    TIMERS.wrapping_add(TIMER_STEP * core())
}

fn timer_after_cycles(cycles: u32) {
    // SAFETY: this core's own timer, which counts from this value to 0, once: it has no value to
    // reload.
    unsafe { timer().add(1).write_volatile(SHORTEST + cycles) }
}

/// No timer interrupt on this core any more.
pub fn timer_off() {
    // SAFETY: stops this core's timer; forgets that its time was over.
    unsafe {
        timer().add(1).write_volatile(0);
        timer().add(3).write_volatile(1);
        FORGET.write_volatile(1 << TIMER_INTERRUPT << core());
    }
}

#[unsafe(no_mangle)]
extern "C" fn board_start(core: usize) -> ! {
    interrupts_off(); // a reset leaves them on
    if core == 0 {
        // SAFETY: turns the UART's transmitter on; starts core 1 as this core was, whose stack is
        // its own (start.S).
        unsafe {
            UART.add(4).write_volatile(16);
            UART.add(2).write_volatile(1);
            INITSVTOR1.write_volatile(VECTORS.read_volatile());
            CPUWAIT.write_volatile(0);
        }
    }
    timer_after_cycles(u32::MAX / 2); // QEMU does not like a timer that counts nothing
    // SAFETY: this core's timer, and the mask that only this core sees.
    unsafe {
        timer().write_volatile(COUNTS);
        timer_off();
        ENABLE.write_volatile(1 << TIMER_INTERRUPT << core);
        // Provided by the harness.
        board_main(core)
    }
}

/// A core saves what a call may change before it comes here, and restores it.
#[unsafe(no_mangle)]
extern "C" fn board_interrupt() {
    // SAFETY: this core's own timer has counted; what the harness provides.
    unsafe {
        timer().add(3).write_volatile(1);
        board_timer()
    }
}

#[unsafe(no_mangle)]
extern "C" fn board_fault() -> ! {
    // SAFETY: registers that only read: the exception, and why a fault came.
    let (exception, why) = unsafe { (ACTIVE.read_volatile() & 0x1ff, FAULT.read_volatile()) };
    write("unexpected exception ");
    write_hex(exception);
    write(", fault status ");
    write_hex(why);
    write("\n");
    exit(102)
}

fn write_hex(value: u32) {
    for shift in (0..8).rev() {
        let digit = b"0123456789abcdef"[(value >> (4 * shift) & 15) as usize];
        // A digit is ASCII.
        write(core::str::from_utf8(&[digit]).unwrap_or("?"))
    }
}
