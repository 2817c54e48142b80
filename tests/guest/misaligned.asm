; SPDX-License-Identifier: BSD-2-Clause
; An interrupt and an NMI whose delivery raises #AC: both come when the stack is aligned again.
; Only 32-bit code can do that: the handlers run in ring 3, on the stack of the code they interrupt.
; Exit status 0 if all is well, otherwise the vector of another exception, or 255: an event is lost.

EXIT_PORT	equ 0xf4
APIC_SVR	equ 0xfee000f0
APIC_ICR	equ 0xfee00300
APIC_ICR_HIGH	equ 0xfee00310
EFER		equ 0xc0000080
KERNEL_CODE	equ 0x08
KERNEL_DATA	equ 0x10
USER_CODE	equ 0x1b
USER_DATA	equ 0x23
TSS		equ 0x28
VECTOR_NMI	equ 2
VECTOR_AC	equ 17
VECTOR_IRQ	equ 0x48
COMPAT_CODE	equ 0x18	; in the library's GDT
CR0_PG		equ 0x80000000
CR0_AM		equ 0x40000
USER_FLAGS	equ 0x43202	; AC, IOPL 3, IF

global payload

section .text
bits 64
payload:
	cli
	push COMPAT_CODE
	push legacy
	o64 retf

bits 32
legacy:				; from compatibility mode to protected mode without paging
	mov eax, cr0
	and eax, ~CR0_PG
	or eax, CR0_AM
	mov cr0, eax
	mov ecx, EFER
	xor eax, eax
	xor edx, edx
	wrmsr
	lgdt [gdt_pointer]
	jmp KERNEL_CODE:.flat
.flat:
	mov eax, KERNEL_DATA
	mov ss, eax
	mov esp, stack_top
	mov eax, USER_DATA
	mov ds, eax
	mov es, eax
	mov eax, tss
	mov [gdt.tss + 2], ax
	shr eax, 16
	mov [gdt.tss + 4], al
	mov [gdt.tss + 7], ah
	mov eax, TSS
	ltr ax

	mov edi, 31		; all exceptions end the test, except these two
.fill:
	lea eax, [unexpected + edi * 8]
	mov ebx, KERNEL_CODE
	call set_gate
	dec edi
	jns .fill
	mov edi, VECTOR_AC
	mov eax, on_alignment
	call set_gate
	mov ebx, USER_CODE
	mov edi, VECTOR_NMI
	mov eax, on_nmi
	call set_gate
	mov edi, VECTOR_IRQ
	mov eax, on_interrupt
	call set_gate
	lidt [idt_pointer]

	mov dword [APIC_SVR], 0x1ff
	mov dword [APIC_ICR], 0x44000 | VECTOR_IRQ	; to itself
	push USER_DATA
	push user_stack - 2
	push USER_FLAGS
	push USER_CODE
	push spin
	iret

; Gate EDI leads to EAX, in code segment EBX.
set_gate:
	mov [idt + edi * 8], ax
	mov [idt + edi * 8 + 2], bx
	shr eax, 16
	mov word [idt + edi * 8 + 4], 0x8e00
	mov [idt + edi * 8 + 6], ax
	ret

on_alignment:			; align the stack, and go back; the event comes again
	inc dword [n_faults]
	and dword [esp + 16], ~3
	add esp, 4
	iret

; Ring 3
spin:
	mov ecx, 10000000
.loop:
	pause
	loop .loop
	mov eax, 255
	out EXIT_PORT, eax

on_interrupt:
	cmp dword [n_faults], 1
	jne lost
	mov esp, user_stack - 2
	mov dword [APIC_ICR_HIGH], 0
	mov dword [APIC_ICR], 0x4400	; an NMI to itself
	jmp spin

on_nmi:
	cmp dword [n_faults], 2
	jne lost
	mov dword [esp], .end
	iret			; NMIs are not blocked any more
.end:
	xor eax, eax
	out EXIT_PORT, eax

lost:
	mov eax, 255
	out EXIT_PORT, eax

align 8
unexpected:
%assign vector 0
%rep 32
	align 8
	push byte vector
	jmp .end_of_stub
%assign vector vector + 1
%endrep
.end_of_stub:
	pop eax
	out EXIT_PORT, eax

section .data
align 8
gdt:
	dq 0
	dq 0x00cf9b000000ffff, 0x00cf93000000ffff
	dq 0x00cffb000000ffff, 0x00cff3000000ffff
.tss:
	dq 0x0000890000000067
gdt_end:
gdt_pointer:
	dw gdt_end - gdt - 1
	dd gdt
idt_pointer:
	dw 256 * 8 - 1
	dd idt
tss:
	dd 0, stack_top, KERNEL_DATA
	times 104 - 12 db 0

section .bss
align 16
idt:		resb 256 * 8
stack:		resb 4096
stack_top:
		resb 4096
user_stack:
n_faults:	resd 1
