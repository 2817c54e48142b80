; SPDX-License-Identifier: BSD-2-Clause
; INS and OUTS of every width, upwards and downwards as RFLAGS says: each 16 bytes from the one before.
bits 64
global string_code

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
