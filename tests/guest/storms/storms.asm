; SPDX-License-Identifier: BSD-2-Clause
; The storms that need single instructions. None returns.

EFER		equ 0xc0000080
EFER_LME	equ 0x100
CR0_PG		equ 0x80000000
CR0_AM		equ 0x40000
EFLAGS_AC	equ 0x40002	; and bit 1, which is always set
VECTOR_AC	equ 17
CODE32		equ 0x08
DATA		equ 0x10
USER_CODE32	equ 0x1b
USER_DATA	equ 0x23

global storm_spin, storm_int, storm_align

section .text
bits 64
storm_spin:
	jmp storm_spin

; Also the handler: what the delivery has pushed is lost in ROM.
storm_int:
	mov rsp, stack_top
	int 0x80

; Leave 64-bit mode, whose stacks are always aligned, for ring 3 with alignment checks.
storm_align:
	cli
	lgdt [gdt_pointer]
	mov rsp, stack_top
	push CODE32
	push .compatible
	retfq
bits 32
.compatible:
	mov eax, DATA
	mov ds, eax
	mov es, eax
	mov ss, eax
	mov eax, cr0
	and eax, ~CR0_PG
	or eax, CR0_AM
	mov cr0, eax
	mov ecx, EFER
	rdmsr
	and eax, ~EFER_LME
	wrmsr
	mov eax, storm_spin
	mov [gate], ax
	shr eax, 16
	mov [gate + 6], ax
	lidt [idt_pointer]
	mov eax, USER_DATA
	mov ds, eax
	push USER_DATA
	push stack_top - 1
	push EFLAGS_AC
	push USER_CODE32
	push .user
	iretd
.user:
	mov eax, [stack_top - 7]
	jmp .user

section .data
align 8
gdt:	dq 0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00cffb000000ffff, 0x00cff3000000ffff
gdt_end:
gdt_pointer:
	dw gdt_end - gdt - 1
	dq gdt
align 8
idt:	times VECTOR_AC dq 0
gate:	dw 0, USER_CODE32, 0x8e00, 0
idt_end:
idt_pointer:
	dw idt_end - idt - 1
	dd idt

section .bss
align 16
	resb 4096
stack_top:
