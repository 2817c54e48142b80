/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Code to single-step over: one trap is due, after the last instruction of each. r8 = SS,
 * rdi = some RAM, edx = port of the UART's scratch register, ecx = the index
 * of LSTAR.
 */
#include "tests/guest/exits/step.h"

.intel_syntax noprefix

.macro step code:req
.pushsection .rodata
.Lname\@: .asciz "\code"
.popsection
.pushsection steps, "a"
	.quad .Lname\@, .Lcode\@, .Lafter\@
.popsection
.text
.Lcode\@:
	push rbx
	mov r8d, ss
	lea rdi, [rip + ram]
	mov edx, SCRATCH
	mov ecx, LSTAR
	mov eax, 0
	pushfq
	or dword ptr [rsp], 0x100
	popfq
	\code
.Lafter\@:
	nop
	nop
	pop rbx
	ret
.endm

	step "nop"
	step "cpuid"
	step "rdmsr"
	step "mov edx, 0"
	step "in al, dx"
	step "out dx, al"
	step "insb"
	step "rdtsc"
	step "pause"
	step "mov rbx, cr0"
	step "mov rbx, cr8"
	step "wbinvd"
	step "xchg [rdi], rax"
	/* MOV SS delays the trap by one instruction. */
	step "mov ss, r8d; nop"
	step "mov ss, r8d; cpuid"
	step "mov ss, r8d; in al, dx"
	step "mov ss, r8d; rdtsc"

.bss
ram:	.skip 64
.section .note.GNU-stack, "", @progbits
