; SPDX-License-Identifier: BSD-2-Clause
; The start of a processor after a SIPI: real mode, at the first byte of a page below 1 MiB, to
; which hv/host/smp.c has copied this. Switches to 64-bit mode on our page tables in one step.

%define AT(label) (label - trampoline_start)

EFER     equ 0xc0000080
MISC_ENABLE equ 0x1a0
NX_OFF   equ 1 << 2                     ; in the upper half
CR0_LONG equ 1 << 31 | 1 << 16 | 1 << 5 | 1 << 4 | 1 << 0
CR4_PAE  equ 1 << 5

section .rodata

global trampoline_start:data hidden, trampoline_end:data hidden, trampoline_values:data hidden

align 16
bits 16
trampoline_start:
        cli
        cld
        mov     ax, cs
        mov     ds, ax
        o32 lgdt [AT(gdt_pointer)]
        mov     eax, CR4_PAE
        mov     cr4, eax
        mov     eax, [AT(value_cr3)]
        mov     cr3, eax
        cmp     dword [AT(value_unhide_nx)], 0
        je      .efer
        mov     ecx, MISC_ENABLE
        rdmsr
        and     edx, ~NX_OFF
        wrmsr
.efer:  mov     ecx, EFER
        rdmsr
        or      eax, [AT(value_efer)]
        wrmsr
        mov     eax, CR0_LONG           ; protection and paging together; caches on
        mov     cr0, eax
        jmp     dword far [AT(value_far)]

bits 64
in_64_bits:
        xor     eax, eax
        mov     ss, ax
        mov     ds, ax
        mov     es, ax
        jmp     [rel value_entry]

align 8
gdt:
        dq      0
        dq      0x00af9b000000ffff      ; 64-bit code

; struct trampoline_values: hv/host/smp.c adds the page to what is not 0, and fills in the rest.
align 8
trampoline_values:
value_cr3:      dq 0
value_entry:    dq 0
value_far:      dd AT(in_64_bits)
                dw 8
gdt_pointer:    dw 15
                dd AT(gdt)
value_efer:     dd 0
value_unhide_nx: dd 0
                dd 0
trampoline_end:
