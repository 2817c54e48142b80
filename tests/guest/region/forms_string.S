/* SPDX-License-Identifier: BSD-2-Clause */
/* String instructions, forwards, backwards and repeated; port input to memory. */
#include "tests/guest/lib/form.inc"

.irp s, b, w, d, q
	form "stos\s"
	form "movs\s"
	form "std; stos\s; cld"
	form "std; movs\s"
	form "rep stos\s"
	form "rep movs\s"
	form "std; rep stos\s"
	form "std; rep movs\s"
	form "xor ecx, ecx; rep stos\s"
	form "xor ecx, ecx; rep movs\s"
	form "mov rsi, r9; movs\s"
	form "mov rsi, r9; rep movs\s"
	/* From the region to RAM: only reads. */
	form "xchg rsi, rdi; rep movs\s"
	form "lea rsi, [rdi + 3]; rep movs\s"
	/* Readers. */
	form "mov rsi, rdi; lods\s"
	form "mov rsi, rdi; rep lods\s"
	form "scas\s"
	form "repne scas\s"
	form "repe scas\s"
	form "cmps\s"
	form "repe cmps\s"
	form "mov rsi, r9; repe cmps\s"
	form "mov rsi, rdi; repe cmps\s"
	form "mov rsi, rdi; mov rdi, r9; repne cmps\s"
.endr
	form "mov ecx, 4096; rep stosb"
	form "mov ecx, 512; rep stosq"
	form "mov ecx, 4096; rep movsb"
	form "mov ecx, 512; rep movsq"
	form "mov ecx, 700; std; rep stosb"
	form "mov ecx, 300; addr32 rep stosd", name="mov ecx, 300; addr32 rep stosd"
	form "fs movsq", name="fs: movsq"

	form "mov edx, r10d; insb"
	form "mov edx, r10d; rep insb"
	form "mov edx, r10d; std; rep insb"
	form "mov edx, r10d; mov rsi, rdi; outsb"
	form "mov edx, r10d; mov rsi, rdi; rep outsb; in al, dx"
.section .note.GNU-stack, "", @progbits
