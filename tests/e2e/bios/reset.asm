; SPDX-License-Identifier: BSD-2-Clause
; Firmware of 64 KiB: looks at what a processor has after a reset, resets it once, and ends the VM.
; In real mode. The low copy of the firmware is RAM, and another one than that below 4 GiB.
	bits 16
	org 0

COM1	equ 0x3f8
COUNT	equ 0x600			; how often the firmware has begun, in RAM

; pass TEXT: the flags say "equal", or the test has failed.
%macro expect 1
	mov si, %%text
	call say
	jmp %%end
%%text:	db %1, 10, 0
%%end:
%endmacro

start:	mov esp, 0x7000			; MOV leaves the flags alone, and all segments but CS begin at 0
	mov [0x610], edx
	mov eax, cr0
	mov [0x614], eax
	inc byte [COUNT]

	mov ax, cs
	cmp ax, 0xf000
	expect "CS is 0xf000"
	cmp dword [0x614], 0x60000010
	expect "CR0 is that of a reset"
	mov eax, 1
	cpuid
	cmp [0x610], eax
	expect "EDX is the signature of the processor"

	mov ax, 0xf000
	mov ds, ax
	cmp byte [mark], 0
	expect "the low copy is the firmware's"
	mov byte [mark], 1
	cmp byte [cs:mark], 0		; CS has the base of the reset until a far jump
	expect "the first instruction is below 4 GiB"
	jmp 0xf000:low

low:	cmp byte [cs:mark], 1
	expect "the low copy is RAM"
	xor ax, ax
	mov ds, ax
	cmp byte [COUNT], 2
	je done
	mov al, 0xfe			; the keyboard controller's line to RESET
	out 0x64, al
	hlt
done:	expect "it begins again after a reset"
	mov al, 0
	out 0xf4, al
	hlt

; Write "PASS: " or "FAIL: ", as ZF says, and the text at cs:si.
say:	mov bx, pass
	je .text
	mov bx, fail
.text:	call write
	mov bx, si
write:	mov al, [cs:bx]
	test al, al
	jz .end
	mov dx, COM1
	out dx, al
	inc bx
	jmp write
.end:	ret

pass:	db "PASS: ", 0
fail:	db "FAIL: ", 0
mark:	db 0

	times 0xfff0 - ($ - $$) db 0
	jmp start
	times 0x10000 - ($ - $$) db 0
