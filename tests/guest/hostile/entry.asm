; SPDX-License-Identifier: BSD-2-Clause
; Entry stubs on stacks that lead to their actor, the way back from a step, and code from tables.
%include "tests/guest/lib/registers.inc"
bits 64
global vector_escape, vector_return_error, hostile_stubs, actor_attempt, actor_landing, run_code, run_user
extern hostile_trap

ACTOR_SIZE	equ 0x10000	; hostile.h knows these
CATCH_RSP	equ 0
IS_TRYING	equ 8
USER_CODE	equ 0x33
USER_DATA	equ 0x2b

section .text
align 16
hostile_stubs:
%assign v 0
%rep 256
	align 16
	push qword v
	jmp near to_trap
%assign v v + 1
%endrep

; Each stack is a page of its own. So RSP says whether there is an error code, which depends on
; more than the vector: INT n pushes none.
to_trap:
	test esp, 8
	jnz .has_error
	push qword [rsp]
	mov qword [rsp + 8], 0
.has_error:
	push_frame
	mov rdi, rsp
	mov rsi, rsp
	and rsi, -ACTOR_SIZE
	cld
	call hostile_trap
	pop_frame
	add rsp, 16
	iretq

; int actor_attempt(struct actor *a, void (*step)(struct actor *))
actor_attempt:
	push_saved
	push rdi
	mov [rdi + CATCH_RSP], rsp
	mov qword [rdi + IS_TRYING], 1
	call rsi
	mov eax, -1
actor_landing:			; hostile_trap() returns here with RSP and RAX
	pop rdi
	mov qword [rdi + IS_TRYING], 0
	pop_saved
	ret

%macro load_registers 0		; from R15, itself last; not RFLAGS and RSP
	mov rax, [r15]
	mov rbx, [r15 + 8]
	mov rcx, [r15 + 16]
	mov rdx, [r15 + 24]
	mov rsi, [r15 + 32]
	mov rdi, [r15 + 40]
	mov rbp, [r15 + 48]
	mov r8, [r15 + 56]
	mov r9, [r15 + 64]
	mov r10, [r15 + 72]
	mov r11, [r15 + 80]
	mov r12, [r15 + 88]
	mov r13, [r15 + 96]
	mov r14, [r15 + 104]
	mov r15, [r15 + 112]
%endmacro

; void run_code(const void *code, const struct registers *r)
run_code:
	push_saved
	push rdi
	mov r15, rsi
	push qword [r15 + 120]
	popfq
	load_registers
	call [rsp]
	pop rdi
	cli
	cld
	pop_saved
	ret

; void run_user(uint64_t rip, uint64_t rsp, const struct registers *r)
run_user:
	mov r15, rdx
	push qword USER_DATA
	push rsi
	push qword [r15 + 120]
	push qword USER_CODE
	push rdi
	load_registers
	iretq

; The frame cannot be read back from everywhere.
vector_escape:
	mov rsp, r15
	jmp r13

vector_return_error:
	add rsp, 8
	iretq
