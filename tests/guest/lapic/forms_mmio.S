/* SPDX-License-Identifier: BSD-2-Clause */
/* Instructions on a device's register: rdi is the timer's initial count, 32 bits. */
#include "tests/guest/lib/form.inc"

	form "mov [rdi], eax"
	form "mov [rdi], r8d"
	form "mov dword ptr [rdi], 0x12345678"
	form "mov eax, [rdi]"
	form "mov r9d, [rdi]"
	form "mov [rdi + rcx * 4 - 20], eax"
	form "mov rbx, rdi; mov [rbx], edx"
	form "lea r12, [rdi - 0x380]; mov [r12 + 0x380], edx"
	form "mov [edi], eax"
	form "movabs [0xfee00380], eax"
	form "movabs eax, [0xfee00380]"
	form "movsxd rax, dword ptr [rdi]"
	form "stosd"
	form "mov ecx, 1; rep stosd"
	form "std; stosd"
	form "movsd"
	form "xchg rsi, rdi; movsd"
	form "mov rsi, rdi; lodsd"
	form "scasd"
	form "cmpsd"
.irp op, add, or, adc, sbb, and, sub, xor, cmp
	form "stc; \op [rdi], eax", U_A
	form "stc; \op eax, [rdi]", U_A
	form "stc; \op dword ptr [rdi], 0x7f", U_A
	form "stc; \op dword ptr [rdi], 0x12345678", U_A
.endr
	form "test [rdi], eax", U_A
	form "test dword ptr [rdi], 0x100", U_A
	form "inc dword ptr [rdi]"
	form "dec dword ptr [rdi]"
	form "not dword ptr [rdi]"
	form "neg dword ptr [rdi]"
	form "lock or [rdi], eax", U_A
	form "lock inc dword ptr [rdi]"
	form "xchg [rdi], eax"
	form "xadd [rdi], eax"
	form "cmpxchg [rdi], ebx"
	form "mov eax, [rdi]; cmpxchg [rdi], ebx"
	form "bt dword ptr [rdi], 3", U_BIT
	form "bts dword ptr [rdi], 3", U_BIT
	form "btr dword ptr [rdi], 4", U_BIT
	form "btc dword ptr [rdi], 5", U_BIT
	form "shl dword ptr [rdi]", U_A
	form "ror dword ptr [rdi], 7", U_OA
	form "shld [rdi], eax, 5", U_OA
	form "shrd [rdi], eax, cl", U_OA
	/* Executed by the processor, which reads the register in a page of ones. */
	form "imul eax, [rdi], 3", 0x0d4
	form "mul dword ptr [rdi]", 0x0d4
	form "xor edx, edx; div dword ptr [rdi]", 0xcd5
	form "popcnt eax, [rdi]"
	form "bsf eax, [rdi]", 0x895
	form "bsr eax, [rdi]", 0x895
	form "movd xmm0, [rdi]; movd eax, xmm0"
	by_step "mov [rdi], eax", "mov [rdi], eax, single step"
	by_step "add [rdi], eax", "add [rdi], eax, single step"
.section .note.GNU-stack, "", @progbits
