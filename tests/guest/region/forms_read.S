/* SPDX-License-Identifier: BSD-2-Clause */
/* Readers: the load must be the only effect. */
#include "tests/guest/lib/form.inc"

	form "mov rax, [rdi]"
	form "movzx eax, byte ptr [rdi]"
	form "movsx rax, word ptr [rdi]"
	form "movsxd rax, dword ptr [rdi]"
	form "add rax, [rdi]"
	form "cmp [rdi], rax"
	form "cmp byte ptr [rdi], 0x4e"
	form "test [rdi], eax", U_A
	form "bt dword ptr [rdi], 7", U_BIT
	form "mov eax, 12345; bt [rdi], eax", U_BIT
	form "imul rax, [rdi], 3", 0x0d4
	form "mul dword ptr [rdi]", 0x0d4
	form "cmovc rax, [rdi]"
	form "popcnt rax, [rdi]"
	form "bsf rax, [rdi]", 0x895
	form "bsr rax, [rdi]", 0x895
	form "crc32 eax, byte ptr [rdi]"
	form "movups xmm0, [rdi]"
	form "paddb xmm0, [rdi]", align=16
	form "fld qword ptr [rdi]; fstp st(0)"
	form "lea rbx, [rdi]; xlatb; mov ebx, 0"
	form "vmovups ymm1, [rdi]; vmovups [rsi], ymm1; vzeroupper", needs=NEEDS_AVX
.section .note.GNU-stack, "", @progbits
