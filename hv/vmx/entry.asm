; SPDX-License-Identifier: BSD-2-Clause
; The loop of VM entries and exits. It saves C's registers once, not at every exit. See entry.h
; for the C side. After an entry the code treats all registers except rsp as the guest's. The exit
; reason is read here, because the first loop answers most CPUIDs without a call of C.
;
; There are two loops. The first makes no decisions. On processors that leak, or whose predictions a
; guest can make, vmx_guard() replaces it by the second one, which does what vmx_guards
; says: the first loop costs nothing for it.

default rel
bits 64

VMCS_HOST_RSP    equ 0x6c14
VMCS_EXIT_REASON equ 0x4402
EXIT_CPUID       equ 10

%define REG(n)  8 * n                   ; offset of gpr[n] in struct guest_regs
REGS_REQUESTS   equ 8 * 16              ; its requests, 4 bytes
REGS_LAUNCHED   equ 8 * 16 + 4          ; its launched, 1 byte
REGS_SPEC_CTRL  equ 8 * 16 + 6          ; its spec_ctrl, 2 bytes

; enum vmx_guard
GUARD_L1D_FLUSH equ 1
GUARD_VERW      equ 2
GUARD_IBRS      equ 4
GUARD_RSB_FILL  equ 8
GUARD_RSB_ENTRY equ 16
GUARD_BHB_CLEAR equ 32

IA32_SPEC_CTRL  equ 0x48
IA32_FLUSH_CMD  equ 0x10b
SPEC_CTRL_IBRS  equ 1

; Branches of the loop that overwrites the branch history: more than any processor remembers that
; lacks BHI_DIS_S.
BHB_LOOPS       equ 96

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

%macro read_reason 0                    ; rdi: to regs, esi: the exit reason
        push    rdi
        mov     rdi, [rsp + 8]          ; regs
        mov     [rdi + REG(6)], rsi
        mov     esi, VMCS_EXIT_REASON
        vmread  rsi, rsi                ; cannot fail after an exit
%endmacro

%macro save_guest 0                     ; after read_reason
        pop     qword [rdi + REG(7)]
        mov     [rdi + REG(0)], rax
        mov     [rdi + REG(1)], rcx
        mov     [rdi + REG(2)], rdx
        mov     [rdi + REG(3)], rbx
        mov     [rdi + REG(5)], rbp
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
        xor     r8d, r8d
        xor     r9d, r9d
        xor     r10d, r10d
        xor     r11d, r11d
        xor     r12d, r12d
        xor     r13d, r13d
        xor     r14d, r14d
        xor     r15d, r15d
%endmacro

; Skip to %2 unless the guard %1 is on. Changes flags only.
%macro unless_guard 2
        test    dword [vmx_guards], %1
        jz      %2
%endmacro

extern vmx_exited, vmx_exited_cpuid

section .text

; enum vmx_result vmx_run(struct guest_regs *regs (rdi))
;
; VM entry loads rip and rsp from the VMCS, VM exit restores ours: HOST_RIP is
; vmx_exit below, HOST_RSP is written here. This code switches all other registers.

global vmx_run:function hidden, vmx_exit:function hidden
global vmx_exit_to_c:function hidden, vmx_failed:function hidden
global vmx_run_here:data hidden, vmx_run_here_end:data hidden
vmx_run:
        push    rbx
        push    rbp
        push    r12
        push    r13
        push    r14
        push    r15
        push    rdi                     ; regs, found again at [rsp]; rsp is now a multiple of 16

vmx_run_here:                           ; vmx_guard() makes this a jump to vmx_run_guarded
        mov     eax, VMCS_HOST_RSP
vmx_run_here_end:
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
        read_reason
        cmp     esi, EXIT_CPUID
        je      vmx_exited_cpuid
vmx_exit_to_c:
        save_guest
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

; The second loop. A mispredicted branch of it may skip a measure, until the LFENCE before C.
global vmx_run_guarded:data hidden, vmx_exit_guarded:data hidden
align 16
vmx_run_guarded:
        mov     eax, VMCS_HOST_RSP
        vmwrite rax, rsp
        jbe     vmx_failed

guarded_enter:
        unless_guard GUARD_IBRS, .no_ibrs
        mov     ecx, IA32_SPEC_CTRL
        movzx   eax, word [rdi + REGS_SPEC_CTRL]
        xor     edx, edx
        wrmsr
.no_ibrs:
        unless_guard GUARD_L1D_FLUSH, .no_l1d_flush
        mov     ecx, IA32_FLUSH_CMD
        mov     eax, 1
        xor     edx, edx
        wrmsr
.no_l1d_flush:
        cmp     byte [rdi + REGS_LAUNCHED], 0
        jne     .resume
        mov     byte [rdi + REGS_LAUNCHED], 1
        load_guest
        unless_guard GUARD_VERW, .launch
        verw    [data_selector]
.launch:
        vmlaunch
        jmp     vmx_failed
.resume:
        load_guest
        unless_guard GUARD_VERW, .no_verw
        verw    [data_selector]         ; last: nothing of the host's enters the buffers any more
.no_verw:
        vmresume
        jmp     vmx_failed

align 16
vmx_exit_guarded:
        read_reason
        save_guest

        unless_guard GUARD_RSB_FILL, .no_rsb_fill
        mov     ecx, 16                 ; 32 entries, before the first return
.fill:  call    .second
        int3
.second:
        call    .filled
        int3
.filled:
        add     rsp, 16
        dec     ecx
        jnz     .fill
.no_rsb_fill:
        unless_guard GUARD_RSB_ENTRY, .no_rsb_entry
        call    .pushed
        int3
.pushed:
        add     rsp, 8
.no_rsb_entry:
        unless_guard GUARD_IBRS, .no_ibrs
        mov     ecx, IA32_SPEC_CTRL
        movzx   eax, word [rdi + REGS_SPEC_CTRL]
        or      eax, SPEC_CTRL_IBRS
        xor     edx, edx
        wrmsr
.no_ibrs:
        unless_guard GUARD_BHB_CLEAR, .no_bhb_clear
        mov     ecx, BHB_LOOPS
.taken: jmp     .taken_too
align 16
.taken_too:
        dec     ecx
        jnz     .taken
.no_bhb_clear:
        lfence
        call    vmx_exited
        mov     rdi, [rsp]
        cmp     dword [rdi + REGS_REQUESTS], 0
        je      guarded_enter
        xor     eax, eax                ; VMX_LEFT
        jmp     vmx_leave

section .data
global vmx_guards:data hidden
align 4
vmx_guards:     dd 0                    ; enum vmx_guard; constant after vmx_guard()
data_selector:  dw 0x10                 ; CPU_SELECTOR_DATA: VERW needs one that may be written
