/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Code to single-step over: one trap is due, after the last instruction of each. r8 = SS,
 * rdi = some RAM, edx = port of the UART's scratch register, ecx = the index
 * of LSTAR. At the end, CPUID with chosen registers.
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

/*
 * void cpuid_registers(uint64_t regs[16]): CPUID with these general registers, which are numbered as
 * in instructions. Stores what they are then. RSP stays as it is.
 */
.text
.global cpuid_registers
cpuid_registers:
	push rbx
	push rbp
	push r12
	push r13
	push r14
	push r15
	push rdi
	mov rax, [rdi]
	mov rcx, [rdi + 8]
	mov rdx, [rdi + 16]
	mov rbx, [rdi + 24]
	mov rbp, [rdi + 40]
	mov rsi, [rdi + 48]
	mov r8, [rdi + 64]
	mov r9, [rdi + 72]
	mov r10, [rdi + 80]
	mov r11, [rdi + 88]
	mov r12, [rdi + 96]
	mov r13, [rdi + 104]
	mov r14, [rdi + 112]
	mov r15, [rdi + 120]
	mov rdi, [rdi + 56]
	cpuid
	push rdi
	mov rdi, [rsp + 8]
	pop [rdi + 56]
	mov [rdi], rax
	mov [rdi + 8], rcx
	mov [rdi + 16], rdx
	mov [rdi + 24], rbx
	mov [rdi + 40], rbp
	mov [rdi + 48], rsi
	mov [rdi + 64], r8
	mov [rdi + 72], r9
	mov [rdi + 80], r10
	mov [rdi + 88], r11
	mov [rdi + 96], r12
	mov [rdi + 104], r13
	mov [rdi + 112], r14
	mov [rdi + 120], r15
	pop rdi
	pop r15
	pop r14
	pop r13
	pop r12
	pop rbp
	pop rbx
	ret
