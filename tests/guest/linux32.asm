; SPDX-License-Identifier: BSD-2-Clause
; A bzImage without a 64-bit entry point, started by Linux' 32-bit boot protocol. Checks the zero page
; and prints on COM1 as the other payloads do.
COM1	  equ 0x3f8
EXIT	  equ 0xf4
LOAD	  equ 0x100000
SETUP	  equ 0x400		; boot sector and one sector of setup
MAGIC	  equ 0x53726448	; "HdrS"
BOOT_CS	  equ 0x10
BOOT_DS	  equ 0x18
ZERO_E820 equ 0x1e8		; in the zero page: number of entries
ZERO_HEAD equ 0x202
ZERO_LINE equ 0x228

org 0
	times 0x1f1 db 0
	db 1			; sectors of setup
	dw 0
	dd (end - $$ - SETUP + 15) / 16
	dw 0, 0xffff, 0
	dw 0xaa55
	db 0xeb, header_end - $ - 1
	dd MAGIC
	dw 0x20c		; protocol 2.12
	dd 0
	dw 0, 0
	db 0, 1			; loaded high
	dw 0
	dd LOAD			; code32_start
	times 0x22c - ($ - $$) db 0
	dd 0xffffffff		; initrd_addr_max
	dd 0x1000		; alignment
	db 0, 12
	dw 0			; xloadflags: no 64-bit entry
	dd 255			; cmdline_size
	times 0x258 - ($ - $$) db 0
	dq LOAD
	dd 0x10000		; init_size
	dd 0
header_end:
	times SETUP - ($ - $$) db 0

bits 32
%define AT(label) (label - SETUP + LOAD)
start:
	mov esp, LOAD + 0x8000
	mov ebp, AT(is_selectors)
	mov ax, cs
	cmp ax, BOOT_CS
	jne .selectors
	mov ax, ds
	cmp ax, BOOT_DS
.selectors:
	call report
	mov ebp, AT(is_header)
	cmp dword [esi + ZERO_HEAD], MAGIC
	call report
	mov ebp, AT(is_e820)
	cmp byte [esi + ZERO_E820], 3
	call report
	mov ebp, AT(is_line)
	mov eax, [esi + ZERO_LINE]
	cmp dword [eax], "a=b"
	call report
	mov ebp, AT(summary)
	call print
	mov al, [AT(failures)]
	add al, '0'
	mov dx, COM1
	out dx, al
	mov ebp, AT(summary_end)
	call print
	movzx eax, byte [AT(failures)]
	mov dx, EXIT
	out dx, eax
	hlt

; Print PASS if ZF is set, else FAIL, and the text at EBP.
report:
	push ebp
	mov ebp, AT(pass)
	je .print
	mov ebp, AT(fail)
	inc byte [AT(failures)]
.print:
	call print
	pop ebp
print:
	mov dx, COM1
.next:
	mov al, [ebp]
	inc ebp
	test al, al
	jz .done
	out dx, al
	jmp .next
.done:
	ret

failures: db 0
pass: db "PASS: ", 0
fail: db "FAIL: ", 0
is_selectors: db "linux32: __BOOT_CS and __BOOT_DS", 10, 0
is_header: db "linux32: the zero page has the header", 10, 0
is_e820: db "linux32: three ranges of memory", 10, 0
is_line: db "linux32: the command line", 10, 0
summary: db "SUMMARY: 4 tests, ", 0
summary_end: db " failures", 10, 0
end:
