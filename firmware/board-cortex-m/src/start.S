@ Vectors and start-up of both cores.

    .section .vectors, "a"
    .long __stack_top
    .long _reset
    .rept 14 + 3                        @ faults, and interrupts that nobody turns on
    .long board_fault
    .endr
    .long board_interrupt               @ timer 0
    .long board_interrupt               @ timer 1

    .section .text._reset, "ax"
    .global _reset
    .type _reset, %function
    .thumb_func
_reset:
    movw r0, #0xf000                    @ CPU_IDENTITY: the number of this core
    movt r0, #0x5001
    ldr  r0, [r0]
    mov  r1, sp
    sub  r1, r1, r0, lsl #16            @ 64 KiB of stack a core
    mov  sp, r1
    b.w  board_start
