; SPDX-License-Identifier: BSD-2-Clause
; INS and OUTS of every width, upwards and downwards as RFLAGS says; and instructions that fault, RBX
; being no address and RDI one where nothing is mapped. Each 16 bytes from the one before.
bits 64
global string_code, storm_code

%macro string 1+
	align 16
	%1
	ret
%endmacro

section .text
align 16
string_code:
	string rep insb
	string rep insw
	string rep insd
	string a32 rep insb
	string insd
	string rep outsb
	string rep outsw
	string rep outsd
	string a32 rep outsw
	string outsb

%macro storm 1+
	align 16
	sti
	nop
%%again:
	%1
	jmp %%again
%endmacro

align 16
storm_code:
	storm div byte [rel zero]
	storm int3
	storm ud2
	storm mov rax, [rbx]
	storm mov [rdi], rax
	storm push qword [rbx + rsp]
	storm fnop

zero:	db 0
