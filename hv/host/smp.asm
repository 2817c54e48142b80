; SPDX-License-Identifier: BSD-2-Clause
; The first instructions of a processor in 64-bit mode, where trampoline.asm jumps to.

bits 64

%define CPU_STACK_TOP 8                 ; offset in struct cpu

section .text
default rel

extern smp_starting, smp_start

; In 64-bit mode, without a stack. Takes the struct cpu in smp_starting. A processor that was not
; started, or starts too late, finds none and halts.
global smp_entry:function hidden
smp_entry:
        xor     eax, eax
        xchg    [smp_starting], rax
        test    rax, rax
        jz      .park
        mov     rdi, rax
        mov     rsp, [rdi + CPU_STACK_TOP]
        xor     ebp, ebp
        push    rbp                     ; ends backtraces
        jmp     smp_start
.park:  cli
        hlt
        jmp     .park
