; SPDX-License-Identifier: BSD-2-Clause
; From 5-level to 4-level paging. CR4.LA57 can change only while paging is off, which 64-bit mode
; does not allow, so the way leads through 32-bit code. SDM vol. 3, "IA-32e Mode Initialization".
; boot/levels.c copies this to a page below 4 GiB.

CODE_32  equ 0x08
CODE_64  equ 0x10
DATA     equ 0x18
CR0_PG   equ 1 << 31
CR4_LA57 equ 1 << 12

section .rodata

global levels_start:data hidden, levels_end:data hidden

; void code(uint64_t root (rdi)): 'root', of 4 levels, maps the code and the stack at the same
; addresses. PCIDs are off. The GDT is this one afterwards. Compatibility mode does not keep the
; upper halves of registers.
align 16
bits 64
levels_start:
        push    rbx
        push    rbp
        push    r12
        push    r13
        push    r14
        push    r15
        mov     [rel saved_rsp], rsp
        lea     rsp, [rel stack_end]
        lea     rax, [rel gdt]
        mov     [rel gdt_base], rax
        lgdt    [rel gdt_pointer]
        lea     rsi, [rel in_64_bits]
        lea     rax, [rel in_32_bits]
        push    CODE_32
        push    rax
        o64 retf

bits 32
in_32_bits:
        mov     eax, DATA
        mov     ss, eax
        mov     ds, eax
        mov     es, eax
        mov     eax, cr0
        and     eax, ~CR0_PG
        mov     cr0, eax
        mov     eax, cr4
        and     eax, ~CR4_LA57
        mov     cr4, eax
        mov     cr3, edi
        mov     eax, cr0
        or      eax, CR0_PG
        mov     cr0, eax
        push    dword CODE_64
        push    esi
        retf

bits 64
in_64_bits:
        mov     rsp, [rel saved_rsp]
        pop     r15
        pop     r14
        pop     r13
        pop     r12
        pop     rbp
        pop     rbx
        ret

align 8
gdt:
        dq      0
        dq      0x00cf9b000000ffff      ; 32-bit code
        dq      0x00af9b000000ffff      ; 64-bit code
        dq      0x00cf93000000ffff      ; data
gdt_pointer:
        dw      gdt_pointer - gdt - 1
gdt_base:
        dq      0
align 8
saved_rsp:
        dq      0
        times 4 dq 0
stack_end:
levels_end:
