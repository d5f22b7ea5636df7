// Windowed-ABI start-up, vectors and primitives for `qemu-system-xtensa -M sim -smp 2` (dc233c, de233_fpu).
// Assembled with llvm-mc: this rustc has no inline assembly for Xtensa.
// Literals are written by hand: each `.long` lies before its `l32r`, which reaches back only.

// SIMCALL, which llvm-mc does not know.
.macro simcall
    .byte   0x00, 0x51, 0x00
.endm

// Saves the interrupted code's registers in the frame at a0; its own a0 waits in EXCSAVE1. Leaves EPC1 in a2.
.macro save_registers
    .irp n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    s32i    a\n, a0, 4 * \n
    .endr
    rsr     a2, excsave1
    s32i    a2, a0, 0
    rsr     a2, epc1
.endm

// Goes back to the interrupted code, with its registers out of the frame at a1.
.macro restore_registers
    .irp n, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 0
    l32i    a\n, a1, 4 * \n
    .endr
    l32i    a1, a1, 4
    rfe
.endm

// ------------------------------------------------ reset vector, 0xfe000000, all cores start here
    .section .init, "ax"
    .global _reset
_reset:
    j       .Lreset
    .align  4
.Lstart_addr:
    .long   _start
.Lreset:
    l32r    a2, .Lstart_addr
    jx      a2

// ------------------------------------------------ window vectors at VECBASE (0x2000 at reset)
    .section .vectors, "ax"
    .global _vectors
_vectors:
    .org    0x000                       // overflow 4
    s32e    a0, a5, -16
    s32e    a1, a5, -12
    s32e    a2, a5, -8
    s32e    a3, a5, -4
    rfwo
    .org    0x040                       // underflow 4
    l32e    a0, a5, -16
    l32e    a1, a5, -12
    l32e    a2, a5, -8
    l32e    a3, a5, -4
    rfwu
    .org    0x080                       // overflow 8
    s32e    a0, a9, -16
    l32e    a0, a1, -12
    s32e    a1, a9, -12
    s32e    a2, a9, -8
    s32e    a3, a9, -4
    s32e    a4, a0, -32
    s32e    a5, a0, -28
    s32e    a6, a0, -24
    s32e    a7, a0, -20
    rfwo
    .org    0x0c0                       // underflow 8
    l32e    a0, a9, -16
    l32e    a1, a9, -12
    l32e    a2, a9, -8
    l32e    a7, a1, -12
    l32e    a3, a9, -4
    l32e    a4, a7, -32
    l32e    a5, a7, -28
    l32e    a6, a7, -24
    l32e    a7, a7, -20
    rfwu
    .org    0x100                       // overflow 12
    s32e    a0, a13, -16
    l32e    a0, a1, -12
    s32e    a1, a13, -12
    s32e    a2, a13, -8
    s32e    a3, a13, -4
    s32e    a4, a0, -48
    s32e    a5, a0, -44
    s32e    a6, a0, -40
    s32e    a7, a0, -36
    s32e    a8, a0, -32
    s32e    a9, a0, -28
    s32e    a10, a0, -24
    s32e    a11, a0, -20
    rfwo
    .org    0x140                       // underflow 12
    l32e    a0, a13, -16
    l32e    a1, a13, -12
    l32e    a2, a13, -8
    l32e    a11, a1, -12
    l32e    a3, a13, -4
    l32e    a4, a11, -48
    l32e    a5, a11, -44
    l32e    a6, a11, -40
    l32e    a7, a11, -36
    l32e    a8, a11, -32
    l32e    a9, a11, -28
    l32e    a10, a11, -24
    l32e    a11, a11, -20
    rfwu
// Kernel vector (not used: PS.UM is always set), user vector, double exception.
    .org    0x300
    j       .Lfatal
    .org    0x340
    j       .Luser
    .org    0x3c0
    movi    a3, 127
    movi    a2, 1
    simcall
    .org    0x400
.Ltimer_handler:
    .long   board_timer

// EXCM is set here: no window exception and no interrupt can happen, a0..a15 are the interrupted code's.
.Luser:
    wsr     a0, excsave1
    rsr     a0, exccause
    beqz    a0, .Lillegal               // 0 = illegal instruction
    beqi    a0, 4, .Linterrupt          // 4 = level-1 interrupt: the timer
    j       .Lfatal

// ---- timer interrupt: save everything, spill all other windows, call board_timer()
// The frame lies below the base save area of the interrupted function (16 bytes under its a1).
.Linterrupt:
    addi    a0, a1, -128
    addi    a0, a0, -16
    save_registers
    s32i    a2, a0, 64
    rsr     a2, ps
    s32i    a2, a0, 68
    rsr     a2, sar
    s32i    a2, a0, 72
    rsr     a2, lbeg
    s32i    a2, a0, 76
    rsr     a2, lend
    s32i    a2, a0, 80
    rsr     a2, lcount
    s32i    a2, a0, 84
    rsr     a2, scompare1               // part of a compare-and-swap that was interrupted
    s32i    a2, a0, 88
// Spill: with EXCM clear each touch of a register that belongs to another frame raises the overflow exception
// that writes it to that frame's stack.  32 physical registers: 3 + 3 + 2 quads is once round.  Only then may
// a1 change, for the frames above are saved relative to it.
    movi    a2, 1
    slli    a2, a2, 18                  // WOE
    addi    a2, a2, 0x23                // UM, INTLEVEL = 3
    wsr     a2, ps
    rsync
    and     a12, a12, a12
    rotw    3
    and     a12, a12, a12
    rotw    3
    and     a4, a4, a4
    rotw    2
    mov     a1, a0
    l32r    a4, .Ltimer_handler
    callx4  a4                          // call4: only a0..a3 of this frame need a save area
    l32i    a2, a1, 68                  // the PS at entry, EXCM set: masked from here on
    wsr     a2, ps
    rsync
    l32i    a2, a1, 64
    wsr     a2, epc1
    l32i    a2, a1, 72
    wsr     a2, sar
    l32i    a2, a1, 76
    wsr     a2, lbeg
    l32i    a2, a1, 80
    wsr     a2, lend
    l32i    a2, a1, 84
    wsr     a2, lcount
    l32i    a2, a1, 88
    wsr     a2, scompare1
    restore_registers

// ---- MULUH and MULSH, which the ESP32 has and no core of QEMU: emulated, so that unchanged esp32 code runs
.Lillegal:
    addi    a0, a1, -128                // below the base save area of this frame
    save_registers
    l8ui    a3, a2, 0                   // t, op0
    l8ui    a4, a2, 1                   // r, s
    l8ui    a5, a2, 2                   // op2, op1
    extui   a6, a3, 0, 4
    bnez    a6, .Lfatal
    movi    a15, 0xa2                   // MULUH
    beq     a5, a15, .Lmulh
    movi    a15, 0xb2                   // MULSH
    beq     a5, a15, .Lmulh
    j       .Lfatal
.Lmulh:
    extui   a6, a4, 0, 4
    addx4   a6, a6, a0
    l32i    a6, a6, 0                   // x = AR[s]
    extui   a7, a3, 4, 4
    addx4   a7, a7, a0
    l32i    a7, a7, 0                   // y = AR[t]
    extui   a8, a6, 0, 16
    extui   a9, a6, 16, 16
    extui   a10, a7, 0, 16
    extui   a11, a7, 16, 16
    mull    a12, a8, a10
    mull    a13, a9, a10
    mull    a14, a8, a11
    mull    a3, a9, a11
    extui   a12, a12, 16, 16
    add     a13, a13, a12
    extui   a12, a13, 0, 16
    add     a14, a14, a12
    extui   a13, a13, 16, 16
    extui   a14, a14, 16, 16
    add     a3, a3, a13
    add     a3, a3, a14                 // unsigned high word
    movi    a15, 0xb2
    bne     a5, a15, .Lstore
    bgez    a6, .Ly
    sub     a3, a3, a7
.Ly:
    bgez    a7, .Lstore
    sub     a3, a3, a6
.Lstore:
    extui   a4, a4, 4, 4
    addx4   a4, a4, a0
    s32i    a3, a4, 0                   // AR[r]
    addi    a2, a2, 3
    wsr     a2, epc1
    mov     a1, a0
    restore_registers

// ---- anything else: exit(64 + EXCCAUSE)
.Lfatal:
    rsr     a3, exccause
    rsr     a4, epc1                    // for a debugger
    addi    a3, a3, 64
    movi    a2, 1
    simcall
.Lhang:
    j       .Lhang

// ------------------------------------------------ per-core start
    .section .text._start, "ax"
    .align  4
.Lstack_top:
    .long   _stack_top
.Lps:
    .long   0x4002f                     // WOE | UM | INTLEVEL=15, EXCM=0
.Lvecbase:
    .long   _vectors
.Lmain:
    .long   board_start
    .global _start
_start:
    movi    a0, 0
    wsr     a0, intenable
    wsr     a0, windowbase
    rsync
    movi    a0, 1
    wsr     a0, windowstart
    rsync
    movi    a0, 0x15                    // ATOMCTL: S32C1I done internally for WB, WT and bypass
    wsr     a0, atomctl
    l32r    a0, .Lvecbase
    wsr     a0, vecbase
    l32r    a0, .Lps
    wsr     a0, ps
    rsync
    rsr     a10, prid                   // core number = argument of board_start
    l32r    a1, .Lstack_top
    slli    a2, a10, 16                 // 64 KiB of stack a core
    sub     a1, a1, a2
    mov     a2, a1                      // base save area of a caller that is not there
    addi    a1, a1, -64
    s32i    a2, a1, 0
    addi    a3, a1, -12
    s32i    a2, a3, 0
    movi    a0, 0
    l32r    a4, .Lmain
    callx8  a4
.Lend:
    j       .Lend

// ------------------------------------------------ primitives, extern "C"
.macro function name
    .section .text.\name, "ax"
    .align  4
    .global \name
\name:
    entry   a1, 32
.endm

// board_simcall(number, a, b, c) -> result: the arguments arrive where SIMCALL wants them.
function board_simcall
    simcall
    retw

function board_prid
    rsr     a2, prid
    retw

function board_ccount
    rsr     a2, ccount
    retw

// One timer interrupt in a2 cycles: timer 0 is interrupt 6, level 1.  Writing the compare register clears it.
function board_timer_set
    rsr     a3, ccount
    add     a3, a3, a2
    wsr     a3, ccompare0
    movi    a3, 64
    wsr     a3, intenable
    rsync
    retw

function board_timer_off
    movi    a3, 0
    wsr     a3, intenable
    rsync
    retw

// Another compare register, never enabled, set 2^32 - 1 cycles ahead: writing one makes QEMU leave its CPU loop,
// and under -icount the next core runs.
function board_turn
    rsr     a2, ccount
    addi    a2, a2, -1
    wsr     a2, ccompare1
    rsync
    retw

// The old PS, interrupts now masked.
function board_mask
    rsil    a2, 15
    retw

// The old PS, interrupts now on.
function board_unmask
    rsil    a2, 0
    retw

function board_restore
    wsr     a2, ps
    rsync
    retw

// llvm.trap becomes a call of abort.
function abort
    movi    a3, 134
    movi    a2, 1
    simcall
.Labort:
    j       .Labort

    .section .note.GNU-stack, "", @progbits
