/* SPDX-License-Identifier: BSD-2-Clause */
/* Read-modify-write: arithmetic, logic, shifts, with and without lock. */
#include "tests/guest/lib/form.inc"

.macro every_size op, undef=U_NONE
	form "\op [rdi], al", \undef
	form "\op [rdi], dx", \undef
	form "\op [rdi], ebx", \undef
	form "\op [rdi], rax", \undef
	form "\op byte ptr [rdi], 0x7f", \undef
	form "\op word ptr [rdi], 0x7fff", \undef
	form "\op dword ptr [rdi], -1", \undef
	form "\op qword ptr [rdi], 0x12345678", \undef
.endm

.irp op, add, sub
	every_size "\op"
	every_size "lock \op"
.endr
.irp op, adc, sbb
	every_size "stc; \op"
	every_size "stc; lock \op"
.endr
.irp op, and, or, xor
	every_size "\op", U_A
	every_size "lock \op", U_A
.endr

.irp op, inc, dec, neg, not
.irp size, byte, word, dword, qword
	form "\op \size ptr [rdi]"
	form "lock \op \size ptr [rdi]"
.endr
.endr

.irp size, byte, word, dword, qword
.irp op, rol, ror, shl, shr, sar
	form "\op \size ptr [rdi]", U_A
	form "\op \size ptr [rdi], 3", U_OA
	form "\op \size ptr [rdi], cl", U_OA
.endr
.irp op, rcl, rcr
	form "stc; \op \size ptr [rdi]"
	form "stc; \op \size ptr [rdi], 3", U_OA
	form "stc; \op \size ptr [rdi], cl", U_OA
.endr
.endr
.irp op, shld, shrd
	form "\op word ptr [rdi], ax, 5", U_OA
	form "\op dword ptr [rdi], eax, 5", U_OA
	form "\op qword ptr [rdi], rax, cl", U_OA
.endr
.section .note.GNU-stack, "", @progbits
