/* SPDX-License-Identifier: BSD-2-Clause */
/* Stores that do not read first: mov and similar, and stores of system state. */
#include "tests/guest/lib/form.inc"

	form "mov [rdi], al"
	form "mov [rdi], ah"
	form "mov [rdi], bpl"
	form "mov [rdi], r8b"
	form "mov [rdi], ax"
	form "mov [rdi], eax"
	form "mov [rdi], rax"
	form "mov [rdi], r8"
	form "mov byte ptr [rdi], 0x5a"
	form "mov word ptr [rdi], 0x5aa5"
	form "mov dword ptr [rdi], 0x12345678"
	form "mov qword ptr [rdi], -2"
	form "mov [rdi + 0x23], eax"
	form "mov [rdi + 0x234], rax"
	form "mov [rdi + rcx * 8 - 8], rax"
	form "mov [rdi + rcx], bx"
	form "mov [edi], eax"
	form "push rbp; mov rbp, rdi; mov [rbp], rax; pop rbp"
	form "mov r12, rdi; mov [r12], rax"
	form "mov r13, rdi; mov [r13], eax"
	form ".byte 0x26; mov [rdi], eax", name="es: mov [rdi], eax"
	form "movnti [rdi], eax"
	form "movnti [rdi], rax"
	form "movbe [rdi], ax", needs=NEEDS_MOVBE
	form "movbe [rdi], eax", needs=NEEDS_MOVBE
	form "movbe [rdi], rax", needs=NEEDS_MOVBE
	form "movdiri [rdi], eax", needs=NEEDS_MOVDIRI
	form "mov word ptr [rdi], ds"
	form "mov word ptr [rdi], cs"
	form "sgdt [rdi]"
	form "sidt [rdi]"
	form "sldt word ptr [rdi]"
	form "str word ptr [rdi]"
	form "smsw word ptr [rdi]"
	form "clflush [rdi]"
	form "prefetchw [rdi]"

.irp cc, o, no, b, nb, z, nz, be, nbe, s, ns, p, np, l, nl, le, nle
	form "cmp rax, rbx; set\cc byte ptr [rdi]"
.endr
.section .note.GNU-stack, "", @progbits
