; SPDX-License-Identifier: BSD-2-Clause
; The start of a processor that received a SIPI. smp.c copies this to AP_PAGE and fills in the
; values at its end. Switches from real mode to the boot processor's 64-bit mode, then calls
; ap_main(cpu).

AP_PAGE		equ 0x8000
CODE64		equ 0x08
DATA		equ 0x10
CODE32		equ 0x18
EFER		equ 0xc0000080
AP_STACK_SIZE	equ 8192
%define AT(label) (AP_PAGE + ((label) - ap_start))

global ap_start, ap_values, ap_end
extern ap_main, ap_stacks

section .text
bits 16
ap_start:
	mov [cs:ap_edx - ap_start], edx
	mov [cs:ap_cs - ap_start], cs
	xor ax, ax
	mov ds, ax
	o32 lgdt [AT(ap_gdt)]
	mov eax, 0x11			; ET, PE
	mov cr0, eax
	jmp dword CODE32:AT(.protected)
bits 32
.protected:
	mov eax, DATA
	mov ds, eax
	mov es, eax
	mov ss, eax
	mov eax, [AT(ap_cr4)]
	mov cr4, eax
	mov eax, [AT(ap_cr3)]
	mov cr3, eax
	mov ecx, EFER
	mov eax, [AT(ap_efer)]
	xor edx, edx
	wrmsr
	mov eax, [AT(ap_cr0)]
	mov cr0, eax
	jmp CODE64:AT(.long)
bits 64
.long:
	xor eax, eax
	mov fs, eax
	mov gs, eax
	mov edi, [AT(ap_cpu)]
	lea eax, [rdi + 1]
	imul eax, eax, AP_STACK_SIZE
	add eax, ap_stacks
	mov esp, eax
	xor ebp, ebp
	mov eax, ap_main
	call rax
.stop:
	cli
	hlt
	jmp .stop

align 8
ap_values:				; struct ap_values of smp.c
ap_gdt:		dw 0			; limit, then base: copied from the boot processor's
		dq 0
		dw 0
ap_cr0:		dd 0
ap_cr3:		dd 0
ap_cr4:		dd 0
ap_efer:	dd 0
ap_cpu:		dd 0
ap_edx:		dd 0			; as the processor started
ap_cs:		dd 0
ap_end:
