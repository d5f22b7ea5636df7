# Start-up and trap entry of both harts.

    .section .init, "ax"
    .global _start
_start:
    csrw mie, zero
    csrr a0, mhartid
    li   t0, 2
    bgeu a0, t0, 9f
    .option push
    .option norelax
    la   gp, __global_pointer$
    .option pop
    la   t0, _trap
    csrw mtvec, t0
    la   sp, __stack_top
    slli t0, a0, 16                 # 64 KiB of stack a hart
    sub  sp, sp, t0
    tail board_start
9:  wfi                             # harts beyond the second sleep
    j 9b

# Saves what a call may change, then board_trap(mcause, mepc).
    .balign 4
_trap:
    addi sp, sp, -64
    sw ra, 0(sp)
    sw t0, 4(sp)
    sw t1, 8(sp)
    sw t2, 12(sp)
    sw a0, 16(sp)
    sw a1, 20(sp)
    sw a2, 24(sp)
    sw a3, 28(sp)
    sw a4, 32(sp)
    sw a5, 36(sp)
    sw a6, 40(sp)
    sw a7, 44(sp)
    sw t3, 48(sp)
    sw t4, 52(sp)
    sw t5, 56(sp)
    sw t6, 60(sp)
    csrr a0, mcause
    csrr a1, mepc
    call board_trap
    lw ra, 0(sp)
    lw t0, 4(sp)
    lw t1, 8(sp)
    lw t2, 12(sp)
    lw a0, 16(sp)
    lw a1, 20(sp)
    lw a2, 24(sp)
    lw a3, 28(sp)
    lw a4, 32(sp)
    lw a5, 36(sp)
    lw a6, 40(sp)
    lw a7, 44(sp)
    lw t3, 48(sp)
    lw t4, 52(sp)
    lw t5, 56(sp)
    lw t6, 60(sp)
    addi sp, sp, 64
    mret
