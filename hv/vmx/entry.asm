; SPDX-License-Identifier: BSD-2-Clause
; The loop of VM entries and exits. It saves C's registers once, not at every exit. See entry.h
; for the C side. The code makes no decisions; after an entry it treats all
; registers except rsp as the guest's.

default rel
bits 64

VMCS_HOST_RSP   equ 0x6c14

%define REG(n)  8 * n                   ; offset of gpr[n] in struct guest_regs
REGS_REQUESTS   equ 8 * 16              ; its requests, 4 bytes
REGS_LAUNCHED   equ 8 * 16 + 4          ; its launched, 1 byte

%macro load_guest 0                     ; rdi: regs
        mov     rax, [rdi + REG(0)]
        mov     rcx, [rdi + REG(1)]
        mov     rdx, [rdi + REG(2)]
        mov     rbx, [rdi + REG(3)]
        mov     rbp, [rdi + REG(5)]
        mov     rsi, [rdi + REG(6)]
        mov     r8,  [rdi + REG(8)]
        mov     r9,  [rdi + REG(9)]
        mov     r10, [rdi + REG(10)]
        mov     r11, [rdi + REG(11)]
        mov     r12, [rdi + REG(12)]
        mov     r13, [rdi + REG(13)]
        mov     r14, [rdi + REG(14)]
        mov     r15, [rdi + REG(15)]
        mov     rdi, [rdi + REG(7)]     ; last: it was the pointer
%endmacro

extern vmx_exited

section .text

; enum vmx_result vmx_run(struct guest_regs *regs (rdi))
;
; VM entry loads rip and rsp from the VMCS, VM exit restores ours: HOST_RIP is
; vmx_exit below, HOST_RSP is written here. This code switches all other registers.

global vmx_run:function hidden, vmx_exit:function hidden
vmx_run:
        push    rbx
        push    rbp
        push    r12
        push    r13
        push    r14
        push    r15
        push    rdi                     ; regs, found again at [rsp]; rsp is now a multiple of 16

        mov     eax, VMCS_HOST_RSP
        vmwrite rax, rsp
        jbe     vmx_failed

        cmp     byte [rdi + REGS_LAUNCHED], 0
        jne     vmx_resume
        mov     byte [rdi + REGS_LAUNCHED], 1
        load_guest
        vmlaunch
        jmp     vmx_failed
align 16
vmx_resume:
        load_guest
        vmresume

        ; Entry was refused. rsp is still ours; every other register is the
        ; guest's and must not be used.
vmx_failed:
        setc    al                      ; CF: VMfailInvalid, ZF: VMfailValid
        movzx   eax, al
        inc     eax
        jmp     vmx_leave

align 16
vmx_exit:
        push    rdi
        mov     rdi, [rsp + 8]          ; regs
        pop     qword [rdi + REG(7)]
        mov     [rdi + REG(0)], rax
        mov     [rdi + REG(1)], rcx
        mov     [rdi + REG(2)], rdx
        mov     [rdi + REG(3)], rbx
        mov     [rdi + REG(5)], rbp
        mov     [rdi + REG(6)], rsi
        mov     [rdi + REG(8)], r8
        mov     [rdi + REG(9)], r9
        mov     [rdi + REG(10)], r10
        mov     [rdi + REG(11)], r11
        mov     [rdi + REG(12)], r12
        mov     [rdi + REG(13)], r13
        mov     [rdi + REG(14)], r14
        mov     [rdi + REG(15)], r15

        ; Clear the registers, so that speculation cannot use values that the guest has
        ; chosen. The call needs rax immediately.
        xor     ecx, ecx
        xor     edx, edx
        xor     ebx, ebx
        xor     ebp, ebp
        xor     esi, esi
        xor     r8d, r8d
        xor     r9d, r9d
        xor     r10d, r10d
        xor     r11d, r11d
        xor     r12d, r12d
        xor     r13d, r13d
        xor     r14d, r14d
        xor     r15d, r15d
        call    vmx_exited
        mov     rdi, [rsp]
        cmp     dword [rdi + REGS_REQUESTS], 0
        je      vmx_resume
        xor     eax, eax                ; VMX_LEFT

vmx_leave:
        xor     ecx, ecx
        xor     edx, edx
        xor     esi, esi
        xor     edi, edi
        xor     r8d, r8d
        xor     r9d, r9d
        xor     r10d, r10d
        xor     r11d, r11d
        add     rsp, 8                  ; regs
        pop     r15
        pop     r14
        pop     r13
        pop     r12
        pop     rbp
        pop     rbx
        ret
