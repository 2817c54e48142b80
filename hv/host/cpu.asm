; SPDX-License-Identifier: BSD-2-Clause
; The switch to a processor's own stack, and the wait for an interrupt.

bits 64

%define CPU_STACK_TOP 8                 ; offset in struct cpu

section .text

; _Noreturn void cpu_enter(struct cpu *cpu (rdi), cpu_entry *entry (rsi))
; Nothing of the old stack is used again. The zeros end backtraces.
global cpu_enter:function hidden
cpu_enter:
        mov     rsp, [rdi + CPU_STACK_TOP]
        xor     ebp, ebp
        push    rbp
        jmp     rsi

; void cpu_wait(void)
; The shadow of STI covers HLT: an interrupt in between wakes it. An NMI in between ends the shadow;
; its handler skips HLT then.
global cpu_wait:function hidden
global cpu_wait_halt:data hidden
cpu_wait:
        sti
cpu_wait_halt:
        hlt
        cli
        ret
