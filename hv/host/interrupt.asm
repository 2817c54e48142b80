; SPDX-License-Identifier: BSD-2-Clause
; The stubs of all 256 vectors. They push a struct interrupt_frame and call interrupt_dispatch().

default rel
bits 64

extern interrupt_dispatch

section .text

; Vectors for which the processor pushes an error code.
%define HAS_ERROR(v) (v = 8 || v = 10 || v = 11 || v = 12 || v = 13 || v = 14 || v = 17 || v = 21 || v = 29 || v = 30)

; INTERRUPT_STUB_SIZE bytes for each vector: hv/host/idt.c computes their addresses.
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
