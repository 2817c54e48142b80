; SPDX-License-Identifier: BSD-2-Clause
; An ELF file without a boot protocol: started in 64-bit mode by -device loader, it looks for what other
; -device loader have put into memory. Prints on COM1 as the other payloads do.
COM1   equ 0x3f8
EXIT   equ 0xf4
EFER   equ 0xc0000080
LMA    equ 1 << 10
NUMBER equ 0x300000		; data=0x1234, data-len=2
FILE   equ 0x301000		; the bytes "file"

global start
section .text
bits 64
start:
	mov rsp, stack
	mov ecx, EFER
	rdmsr
	mov rbp, is_long
	and eax, LMA
	cmp eax, LMA
	call report
	mov rbp, is_number
	cmp dword [NUMBER], 0x1234
	call report
	mov rbp, is_file
	cmp dword [FILE], "file"
	call report
	mov rbp, summary
	call print
	mov al, [failures]
	add al, '0'
	mov dx, COM1
	out dx, al
	mov rbp, summary_end
	call print
	movzx eax, byte [failures]
	mov dx, EXIT
	out dx, eax
	hlt

; Print PASS if ZF is set, else FAIL, and the text at RBP.
report:
	push rbp
	mov rbp, pass
	je .print
	mov rbp, fail
	inc byte [failures]
.print:
	call print
	pop rbp
print:
	mov dx, COM1
.next:
	mov al, [rbp]
	inc rbp
	test al, al
	jz .done
	out dx, al
	jmp .next
.done:
	ret

failures: db 0
pass: db "PASS: ", 0
fail: db "FAIL: ", 0
is_long: db "plain: starts in 64-bit mode", 10, 0
is_number: db "plain: a number at its address", 10, 0
is_file: db "plain: a file at its address", 10, 0
summary: db "SUMMARY: 3 tests, ", 0
summary_end: db " failures", 10, 0
align 16
	times 64 db 0
stack:
