; SPDX-License-Identifier: BSD-2-Clause
; CPUID with an answer that is always the same: a jump from the plain loop of hv/vmx/entry.asm and
; back into the guest. Few registers are saved, because the answer replaces four of them. Everything
; else is for C: another leaf, a due timer, a request, an interrupt shadow, a single step, and a RIP
; that passes 4 GiB. RIP moves here and in advance_rip() of hv/run/exit.c.

default rel
bits 64

VMCS_EXIT_INST_LEN          equ 0x440c
VMCS_GUEST_INTERRUPTIBILITY equ 0x4824
VMCS_GUEST_RIP              equ 0x681e
VMCS_GUEST_RFLAGS           equ 0x6820

EXIT_CPUID          equ 10
BLOCKING_STI_MOV_SS equ 3
RFLAGS_TF           equ 0x100

; In struct vcpu, which begins with its struct guest_regs; exit.c checks the numbers.
%define REG(n)  8 * n
REGS_REQUESTS   equ 8 * 16
VCPU_LOOK_AT    equ 184
VCPU_N_CPUID    equ 200
VCPU_CPUID      equ 136
; Leaves up to the last one whose answer is constant: cpuid_is_constant().
LAST_LEAF       equ 0x1f
VARIABLE_LEAVES equ 0x80002892

extern vmx_exit_to_c, vmx_failed

section .text

; rdi: the vCPU, with the guest's rdi pushed and its rsi saved. Reads of the VMCS cannot fail after
; an exit. Up to 'to_c' only rax, rdx and rsi change.
global vmx_exited_cpuid:function hidden
align 16
vmx_exited_cpuid:
        mov     [rdi + REG(0)], rax
        mov     [rdi + REG(2)], rdx
        cmp     dword [rdi + REGS_REQUESTS], 0
        jne     to_c
        rdtsc
        cmp     eax, [rdi + VCPU_LOOK_AT]
        jns     to_c

        mov     eax, [rdi + REG(0)]
        cmp     eax, LAST_LEAF
        ja      to_c
        mov     edx, VARIABLE_LEAVES
        bt      edx, eax
        jc      to_c

        mov     esi, VMCS_GUEST_INTERRUPTIBILITY
        vmread  rsi, rsi
        test    esi, BLOCKING_STI_MOV_SS
        jnz     to_c
        mov     esi, VMCS_GUEST_RFLAGS
        vmread  rsi, rsi
        test    esi, RFLAGS_TF
        jnz     to_c

        mov     edx, VMCS_GUEST_RIP
        vmread  rdx, rdx
        mov     esi, VMCS_EXIT_INST_LEN
        vmread  rsi, rsi
        add     rsi, rdx
        cmp     esi, edx
        jb      to_c
        mov     edx, VMCS_GUEST_RIP
        vmwrite rdx, rsi

        add     qword [rdi + VCPU_N_CPUID], 1
        shl     eax, 4                  ; the size of struct cpuid_regs
        add     rax, [rdi + VCPU_CPUID]
        mov     ebx, [rax + 4]
        mov     ecx, [rax + 8]
        mov     edx, [rax + 12]
        mov     eax, [rax]
        mov     rsi, [rdi + REG(6)]
        pop     rdi
        vmresume
        jmp     vmx_failed

to_c:
        mov     rax, [rdi + REG(0)]
        mov     rdx, [rdi + REG(2)]
        mov     esi, EXIT_CPUID
        jmp     vmx_exit_to_c
