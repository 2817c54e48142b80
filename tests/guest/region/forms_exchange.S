/* SPDX-License-Identifier: BSD-2-Clause */
/* Exchanges and bit instructions: they return the old value, in ROM too. */
#include "tests/guest/lib/form.inc"

.irp reg, al, ax, eax, rax
	form "xchg [rdi], \reg"
	form "xadd [rdi], \reg"
	form "lock xadd [rdi], \reg"
.endr

.macro compare_exchange new, accumulator
	form "cmpxchg [rdi], \new"
	form "lock cmpxchg [rdi], \new"
	form "mov \accumulator, [rdi]; cmpxchg [rdi], \new"
	form "mov \accumulator, [rdi]; lock cmpxchg [rdi], \new"
.endm
	compare_exchange bl, al
	compare_exchange bx, ax
	compare_exchange ebx, eax
	compare_exchange rbx, rax
	form "cmpxchg8b qword ptr [rdi]"
	form "lock cmpxchg8b qword ptr [rdi]"
	form "mov eax, [rdi]; mov edx, [rdi + 4]; cmpxchg8b qword ptr [rdi]"
	form "mov eax, [rdi]; mov edx, [rdi + 4]; lock cmpxchg8b qword ptr [rdi]"
	form "cmpxchg16b [rdi]", align=16, needs=NEEDS_CX16
	form "lock cmpxchg16b [rdi]", align=16, needs=NEEDS_CX16
	form "mov rax, [rdi]; mov rdx, [rdi + 8]; cmpxchg16b [rdi]", align=16, needs=NEEDS_CX16
	form "mov rax, [rdi]; mov rdx, [rdi + 8]; lock cmpxchg16b [rdi]", align=16, needs=NEEDS_CX16

.irp op, bts, btr, btc
.irp size, word, dword, qword
	form "\op \size ptr [rdi], 1", U_BIT
	form "\op \size ptr [rdi], 14", U_BIT
	form "lock \op \size ptr [rdi], 9", U_BIT
.endr
	/* A bit offset in a register reaches beyond the operand, both ways. */
	form "mov eax, 100; \op word ptr [rdi], ax", U_BIT
	form "mov eax, 12345; \op dword ptr [rdi], eax", U_BIT
	form "mov eax, -70; \op dword ptr [rdi], eax", U_BIT
	form "mov rax, 12345; \op qword ptr [rdi], rax", U_BIT
	form "mov rax, -12345; \op qword ptr [rdi], rax", U_BIT
	form "mov rax, -70; lock \op qword ptr [rdi], rax", U_BIT
.endr
.section .note.GNU-stack, "", @progbits
