; SPDX-License-Identifier: BSD-2-Clause
; The 256 ways into interrupt_dispatch(), the way onto a processor's own stack, and the two
; instructions that may fault. Layout of what is pushed: struct interrupt_frame.

default rel
bits 64

%define CPU_STACK_TOP 8                 ; offset in struct cpu

extern interrupt_dispatch, cpu_main

section .text

; Vectors for which the processor pushes an error code.
%define HAS_ERROR(v) (v = 8 || v = 10 || v = 11 || v = 12 || v = 13 || v = 14 || v = 17 || v = 21 || v = 29 || v = 30)

; INTERRUPT_STUB_SIZE bytes for each vector: hv/host/interrupt.c computes their addresses.
global interrupt_stubs:function hidden
align 16
interrupt_stubs:
%assign vector 0
%rep 256
        align   16
%if !HAS_ERROR(vector)
        push    0
%endif
        push    strict dword vector
        jmp     interrupt_common
%assign vector vector + 1
%endrep

interrupt_common:
        push    rax
        push    rbx
        push    rcx
        push    rdx
        push    rsi
        push    rdi
        push    rbp
        push    r8
        push    r9
        push    r10
        push    r11
        push    r12
        push    r13
        push    r14
        push    r15
        cld
        mov     rdi, rsp                ; a multiple of 16: the processor aligns, then 22 words
        call    interrupt_dispatch
        pop     r15
        pop     r14
        pop     r13
        pop     r12
        pop     r11
        pop     r10
        pop     r9
        pop     r8
        pop     rbp
        pop     rdi
        pop     rsi
        pop     rdx
        pop     rcx
        pop     rbx
        pop     rax
        add     rsp, 16                 ; vector, error code
        iretq

; _Noreturn void cpu_enter(struct cpu *cpu (rdi))
; Nothing of the old stack is used again. The zeros end backtraces.
global cpu_enter:function hidden
cpu_enter:
        mov     rsp, [rdi + CPU_STACK_TOP]
        xor     ebp, ebp
        push    rbp
        jmp     cpu_main

; bool rdmsr_safe(uint32_t msr (edi), uint64_t *ret (rsi))
global rdmsr_safe:function hidden
rdmsr_safe:
        mov     ecx, edi
.try:   rdmsr
        shl     rdx, 32
        or      rax, rdx
        mov     [rsi], rax
        mov     eax, 1
        ret

; bool wrmsr_safe(uint32_t msr (edi), uint64_t value (rsi))
global wrmsr_safe:function hidden
wrmsr_safe:
        mov     ecx, edi
        mov     eax, esi
        mov     rdx, rsi
        shr     rdx, 32
.try:   wrmsr
        mov     eax, 1
        ret

return_false:
        xor     eax, eax
        ret

section .rodata

; struct interrupt_fixup: where #GP may happen, and where to go on then; each relative to
; its own place, and so on a line of its own ($ is the line's).
global interrupt_fixups:data hidden, interrupt_fixups_end:data hidden
align 4
interrupt_fixups:
        dd      rdmsr_safe.try - $
        dd      return_false - $
        dd      wrmsr_safe.try - $
        dd      return_false - $
interrupt_fixups_end:
