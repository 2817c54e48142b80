/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs one form between two known states of all registers. */
.intel_syntax noprefix
.set fx, 128
.global form_run, form_escape, form_escape_step, form_escape_irq
.global form_state, form_code

.macro general op
	\op rbx, 8
	\op rcx, 16
	\op rdx, 24
	\op rsi, 32
	\op rdi, 40
	\op rbp, 48
	\op r8, 56
	\op r9, 64
	\op r10, 72
	\op r11, 80
	\op r12, 88
	\op r13, 96
	\op r14, 104
	\op r15, 112
.endm
.macro load reg, at
	mov \reg, [rip + form_state + \at]
.endm
.macro save reg, at
	mov [rip + form_state + \at], \reg
.endm

.text
form_run:
	push rbx
	push rbp
	push r12
	push r13
	push r14
	push r15
	mov [rip + form_rsp], rsp
	fxrstor [rip + form_state + fx]
	general load
	push [rip + form_state + 120]
	popfq
	load rax, 0
	call [rip + form_code]
	save rax, 0
	mov rsp, [rip + form_rsp]
	pushfq
	pop [rip + form_state + 120]
	cld
	general save
	fxsave [rip + form_state + fx]
	fninit
	pop r15
	pop r14
	pop r13
	pop r12
	pop rbp
	pop rbx
	ret

form_escape_irq:		/* the interrupt is ended first */
	mov r12d, 0xfee000b0
	mov dword ptr [r12], 0
form_escape:			/* only the frame's address can be read back */
	mov r14, rsp
	mov rsp, r15
	jmp r13
form_escape_step:		/* the frame is in RAM: RIP and flags count too */
	mov r14, [rsp]
	mov r12, [rsp + 16]
	and r12, -0x10001	/* except RF: processors differ within REP */
	mov r11, dr6
	mov rsp, r15
	jmp r13

.bss
.balign 16
form_state:	.skip 128 + 512
form_code:	.skip 8
form_rsp:	.skip 8
.section .note.GNU-stack, "", @progbits
