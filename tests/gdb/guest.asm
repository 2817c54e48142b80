; SPDX-License-Identifier: BSD-2-Clause
; The guest of tests/gdb/machine.h, whose processor knows these instructions only, as 32-bit code. The first processor
; starts the second one, and freezes; gdb sends clones to the places below 'waits'.

APIC_BASE	equ 0x1b
X2APIC_ICR	equ 0x830
CONTROL_PORT	equ 0x5354
EXIT_PORT	equ 0xf4

%macro write_msr 2
	mov ecx, %1
	mov eax, %2
	mov edx, 0
	wrmsr
%endmacro

%macro control 1
	mov eax, %1
	mov edx, CONTROL_PORT
	out dx, eax
%endmacro

bits 32
global header, start, second, freezes, cloned, waits, traps, wide, reverts, resets, ends, has_run
global turns, generation, seen

; Multiboot, without addresses of an ELF.
header:
	dd 0x1badb002, 0x10000, -(0x1badb002 + 0x10000)
	dd header, header, 0, 0, start

start:
	mov dword [0], 0xe9		; a jump to 'second', where a SIPI with vector 0 begins
	mov dword [1], second - 5
	write_msr APIC_BASE, 0xfee00d00
	write_msr X2APIC_ICR, 0xc4500	; INIT, to all others
	write_msr X2APIC_ICR, 0xc4600	; SIPI
freezes:
	control 1
cloned:
	inc dword [generation]
has_run:
	nop
waits:
	nop
	jmp waits

second:
	inc dword [turns]
	jmp second

; The guest's own breakpoint and debug registers.
traps:
	int3
	mov eax, 0x1234
	mov dr0, eax
	mov eax, 0
	mov eax, dr0
	mov [seen], eax
	jmp waits

wide:
	jmp 0x33:waits

reverts:
	control 2
	jmp waits

resets:
	mov eax, 6
	mov edx, 0xcf9
	out dx, al
	jmp waits

ends:
	mov eax, 0
	mov edx, EXIT_PORT
	out dx, al
	jmp waits

align 4
generation: dd 0
turns: dd 0
seen: dd 0
