; SPDX-License-Identifier: BSD-2-Clause
; A Multiboot 1 ELF at 0x8000, below the memory that the loader usually takes for itself: it goes back to
; real mode and reads from the BIOS data area where low memory ends.
; Prints on COM1 as the other payloads do.
COM1	 equ 0x3f8
EXIT	 equ 0xf4
CODE16	 equ 0x08
DATA16	 equ 0x10
MAGIC	 equ 0x1badb002
FLAGS	 equ 3
CR0_PE	 equ 1
STACK	 equ 0x7c00		; grows down, below the program

global start
section .text
align 4
	dd MAGIC, FLAGS, -(MAGIC + FLAGS)

bits 32
start:
	lgdt [gdt_pointer]
	lidt [idt_pointer]
	jmp CODE16:.protected16

bits 16
.protected16:
	mov ax, DATA16
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov eax, cr0
	and al, ~CR0_PE
	mov cr0, eax
	jmp 0:.real
.real:
	xor ax, ax
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov sp, STACK
	mov si, is_ebda
	mov ax, [0x40e]
	cmp ax, 0x9fc0
	call report
	mov si, is_ebda_size
	mov es, [0x40e]
	cmp byte [es:0], 1
	call report
	mov si, is_ram
	cmp word [0x413], 639
	call report
	mov si, summary
	call print
	mov al, [failures]
	add al, '0'
	mov dx, COM1
	out dx, al
	mov si, summary_end
	call print
	movzx eax, byte [failures]
	mov dx, EXIT
	out dx, eax
	hlt

; Print PASS if ZF is set, else FAIL, and the text at SI.
report:
	push si
	mov si, pass
	je .print
	mov si, fail
	inc byte [failures]
.print:
	call print
	pop si
print:
	mov dx, COM1
.next:
	lodsb
	test al, al
	jz .done
	out dx, al
	jmp .next
.done:
	ret

align 8
gdt:
	dq 0
	dq 0x00009b000000ffff
	dq 0x000093000000ffff
gdt_pointer:
	dw $ - gdt - 1
	dd gdt
idt_pointer:			; as real mode wants it
	dw 0x3ff
	dd 0
failures: db 0
pass: db "PASS: ", 0
fail: db "FAIL: ", 0
is_ebda: db "low: the EBDA is at 0x9fc00", 10, 0
is_ebda_size: db "low: the EBDA is 1 KiB long", 10, 0
is_ram: db "low: 639 KiB of low memory", 10, 0
summary: db "SUMMARY: 3 tests, ", 0
summary_end: db " failures", 10, 0
