; SPDX-License-Identifier: BSD-2-Clause
; Entry stubs of all 256 vectors, 16 bytes apart, and the return into a function that
; expects a fault (catch_fault() in lib.h).
%include "tests/guest/lib/registers.inc"
bits 64
global vector_stubs, catch_fault, catch_landing, catch_rsp
extern trap, last_fault

section .text
; Vectors for which the processor pushes an error code.
%define HAS_ERROR(v) (((v) == 8) | ((v) == 17) | ((v) == 21) | (((v) >= 10) & ((v) <= 14)))

align 16
vector_stubs:
%assign v 0
%rep 256
	align 16
%if !HAS_ERROR(v)
	push qword 0
%endif
	push qword v
	jmp near to_trap
%assign v v + 1
%endrep

to_trap:
	push_frame
	mov rdi, rsp
	mov rbx, rsp
	and rsp, -16
	cld
	call trap
	mov rsp, rbx
	pop_frame
	add rsp, 16
	iretq

; int catch_fault(void (*fn)(void *), void *arg)
catch_fault:
	push_saved
	pushfq
	push qword [catch_rsp]
	mov [catch_rsp], rsp
	mov rax, rdi
	mov rdi, rsi
	sub rsp, 8
	call rax
	mov eax, -1
	jmp catch_end
catch_landing:			; trap() returns here
	mov eax, [last_fault]
catch_end:
	mov rsp, [catch_rsp]
	pop qword [catch_rsp]
	popfq
	pop_saved
	ret

section .bss
align 8
catch_rsp:	resq 1
