; SPDX-License-Identifier: BSD-2-Clause
; The first instructions of a processor in 64-bit mode, where trampoline.asm jumps to. They stay
; after start, because a processor may arrive late.

bits 64

%define CPU_STACK_TOP 8                 ; offsets in struct cpu
%define CPU_APIC_ID 20
%define LEAF_TOPOLOGY 0x0b

section .text
default rel

extern arrival_expected, arrival_take

; In 64-bit mode, without a stack. Finds the processor's struct cpu by its APIC ID. Without one, it
; halts.
global arrival_entry:function hidden
arrival_entry:
        xor     eax, eax
        cpuid
        cmp     eax, LEAF_TOPOLOGY
        jb      .short_id
        mov     eax, LEAF_TOPOLOGY      ; EDX: the ID; EBX 0: the leaf is empty
        xor     ecx, ecx
        cpuid
        test    ebx, ebx
        jnz     .find
.short_id:
        mov     eax, 1
        cpuid
        shr     ebx, 24
        mov     edx, ebx
.find:  lea     rsi, [arrival_expected]
.next:  mov     rdi, [rsi]
        add     rsi, 8
        test    rdi, rdi
        jz      .park
        cmp     [rdi + CPU_APIC_ID], edx
        jne     .next
        mov     rsp, [rdi + CPU_STACK_TOP]
        xor     ebp, ebp
        push    rbp                     ; ends backtraces
        jmp     arrival_take
.park:  cli
        hlt
        jmp     .park
