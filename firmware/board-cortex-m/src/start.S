@ Vectors and start-up of both cores.

    .section .vectors, "a"
    .long __stack_top
    .long _reset
    .rept 13                            @ faults, and what nobody calls for
    .long board_fault
    .endr
    .long board_systick

    .section .text._reset, "ax"
    .global _reset
    .type _reset, %function
    .thumb_func
_reset:
    ldr  r0, =0x5001f000                @ CPU_IDENTITY: the number of this core
    ldr  r0, [r0]
    mov  r1, sp
    sub  r1, r1, r0, lsl #16            @ 64 KiB of stack a core
    mov  sp, r1
    b.w  board_start
    .ltorg
