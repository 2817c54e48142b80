; SPDX-License-Identifier: BSD-2-Clause
; Entry of every payload, from Multiboot 1 and from PVH alike: 32-bit protected
; mode, paging off, EBX the address of the loader's information. Switches to 64-bit
; mode over an identity map of the first 8 GiB by 2 MiB pages and calls guest_main().

CR4_PAE_FXSR	equ 0x620	; PAE, OSFXSR, OSXMMEXCPT
CR0_BITS	equ 0x80010033	; PG, WP, NE, ET, MP, PE
EFER		equ 0xc0000080
EFER_LME	equ 0x100
N_PD		equ 8
CODE64		equ 0x08
DATA		equ 0x10

global start, boot_magic, boot_info, page_pd, page_pml4, boot_gdt
extern guest_main

section .text
bits 32
start:
	cld
	cli
	mov esp, stack_top
	mov [boot_magic], eax
	mov [boot_info], ebx

	xor ecx, ecx
.fill_pd:			; entry n maps n * 2 MiB: present, writable, large
	mov eax, ecx
	shl eax, 21
	or eax, 0x83
	mov [page_pd + ecx * 8], eax
	mov eax, ecx
	shr eax, 11
	mov [page_pd + ecx * 8 + 4], eax
	inc ecx
	cmp ecx, N_PD * 512
	jb .fill_pd

	mov eax, page_pd + 3
	xor ecx, ecx
.fill_pdpt:
	mov [page_pdpt + ecx * 8], eax
	add eax, 0x1000
	inc ecx
	cmp ecx, N_PD
	jb .fill_pdpt
	mov dword [page_pml4], page_pdpt + 3

	mov eax, CR4_PAE_FXSR
	mov cr4, eax
	mov eax, page_pml4
	mov cr3, eax
	mov ecx, EFER
	rdmsr
	or eax, EFER_LME
	wrmsr
	mov eax, CR0_BITS
	mov cr0, eax
	lgdt [gdt_pointer]
	jmp CODE64:.long

bits 64
.long:
	mov eax, DATA
	mov ds, eax
	mov es, eax
	mov ss, eax
	xor eax, eax
	mov fs, eax
	mov gs, eax
	lidt [no_idt]
	mov esp, stack_top
	xor ebp, ebp
	fninit
	call guest_main
.stop:
	cli
	hlt
	jmp .stop

section .data
align 8
boot_gdt:			; the last two entries are the TSS, filled in by trap_init()
	dq 0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0x00cf9b000000ffff, 0, 0
gdt_end:
gdt_pointer:
	dw gdt_end - boot_gdt - 1
	dq boot_gdt
no_idt:
	dw 0
	dq 0

section .bss
align 4096
page_pml4:	resb 4096
page_pdpt:	resb 4096
page_pd:	resb N_PD * 4096
stack:		resb 32768
stack_top:
boot_magic:	resd 1
boot_info:	resd 1
