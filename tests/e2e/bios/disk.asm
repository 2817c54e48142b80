; SPDX-License-Identifier: BSD-2-Clause
; A disk of which two sectors are used. The first is a boot sector for a PC's BIOS, with whose functions it prints, reads the
; second and writes it back with another first byte. Then the VM freezes itself, and each clone does the same: it finds the
; template's byte. It ends the VM with status 1 if something fails.
	bits 16
	org 0x7c00

CONTROL	equ 0x5354
SECOND	equ 0x8000
TICKS	equ 0x46c			; BIOS data area: the clock

start:	xor ax, ax
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov sp, 0x7c00
	mov [drive], dl
	mov si, begin
	call print
	mov ax, [TICKS]
	add ax, 3
	mov [until], ax
tick:	mov ah, 1			; until all that was printed is at COM1: this build of SeaBIOS has no
	int 0x16			; interrupt of the timer, and looks at it while it waits for a key
	mov ax, [until]
	cmp [TICKS], ax
	jne tick

again:	mov ah, 0x42
	call transfer
	mov si, SECOND
	call write
	inc byte [SECOND]
	mov ax, 0x4300
	call transfer

	mov dx, CONTROL + 12		; a clone that was reverted is done
	in eax, dx
	test eax, eax
	jnz done
	cmp byte [frozen], 0
	mov byte [frozen], 1
	mov eax, 1			; freeze
	je command
	mov eax, 2			; revert
command: mov dx, CONTROL
	out dx, eax
	jmp again
done:	mov al, 0
end:	out 0xf4, al
	hlt

; Transfer the second sector by the function in AH.
transfer:
	mov si, packet
	mov dl, [drive]
	int 0x13
	jnc .end
	mov si, failed
	call print
	mov al, 1
	jmp end
.end:	ret

; Print the text at SI.
print:	lodsb
	test al, al
	jz transfer.end
	call put
	jmp print
put:	mov ah, 0x0e
	mov bx, 7
	int 0x10
	ret

; Write the text at SI to COM1. SeaBIOS keeps the end of what INT 10h prints for a while.
write:	mov dx, 0x3f8
	lodsb
	test al, al
	jz transfer.end
	out dx, al
	jmp write

begin:	db "the boot sector runs", 13, 10, 0
failed:	db "FAIL: INT 13h", 13, 10, 0
frozen:	db 0
drive:	db 0
until:	dw 0
packet:	db 16, 0			; length
	dw 1				; sectors
	dw SECOND, 0			; offset and segment
	dq 1				; first sector

	times 510 - ($ - $$) db 0
	dw 0xaa55

	db "0 times the second sector was written", 10, 0
	times 1024 - ($ - $$) db 0
	times 0x100000 - ($ - $$) db 0	; SeaBIOS needs a whole cylinder of 16 heads of 63 sectors
