; SPDX-License-Identifier: BSD-2-Clause
; LA57 can change only while paging is off, which 64-bit mode does not allow: the switch goes
; through 32-bit code (SDM vol. 3, "Initializing IA-32e Mode").

CODE32		equ 8
CODE64		equ 16
DATA		equ 24
CR0_PG		equ 1 << 31

section .data
align 8
gdt:		dq 0
		dq 0x00cf9b000000ffff
		dq 0x00af9b000000ffff
		dq 0x00cf93000000ffff
gdt_end:
own_gdtr:	dw gdt_end - gdt - 1
		dq 0
firmware_gdtr:	dw 0
		dq 0
stack:		dq 0

section .text
bits 64

; void la57_switch(UINT64 cr3, UINT64 cr4)
; Interrupts are off meanwhile. Selectors are the firmware's again at the end.
global la57_switch
la57_switch:
	pushfq
	cli
	push	rbx
	push	rbp
	push	r12
	push	r13
	push	r14
	push	r15
	mov	eax, ds
	push	rax
	mov	eax, ss
	push	rax
	mov	eax, cs
	push	rax
	sgdt	[rel firmware_gdtr]
	lea	rax, [rel gdt]
	mov	[rel own_gdtr + 2], rax
	lgdt	[rel own_gdtr]
	mov	[rel stack], rsp
	lea	rbx, [rel in_64_bits]
	lea	rax, [rel in_32_bits]
	push	CODE32
	push	rax
	o64 retf

bits 32
in_32_bits:
	mov	eax, DATA
	mov	ss, eax
	mov	ds, eax
	mov	es, eax
	mov	eax, cr0
	and	eax, ~CR0_PG
	mov	cr0, eax
	mov	cr4, esi
	mov	cr3, edi
	mov	eax, cr0
	or	eax, CR0_PG
	mov	cr0, eax
	push	dword CODE64
	push	ebx
	retf

bits 64
in_64_bits:
	mov	rsp, [rel stack]
	lgdt	[rel firmware_gdtr]
	pop	rcx
	pop	rax
	mov	ss, eax
	pop	rax
	mov	ds, eax
	mov	es, eax
	lea	rax, [rel back]
	push	rcx
	push	rax
	o64 retf
back:
	pop	r15
	pop	r14
	pop	r13
	pop	r12
	pop	rbp
	pop	rbx
	popfq
	ret
