; SPDX-License-Identifier: BSD-2-Clause
; A processor in real mode that raises #GP with its stack in a page which nothing has touched yet. main.c
; copies this to REAL_PAGE, and reads at the end what the handler has found.

REAL_PAGE	equ 0x9000
STACK_SEGMENT	equ 0x3000
STACK		equ 0x1000
VECTOR_GP	equ 13
%define AT(label) (REAL_PAGE + ((label) - real_start))

global real_start, real_pushed, real_end

section .text
bits 16
real_start:
	xor ax, ax
	mov ds, ax
	mov word [4 * VECTOR_GP], AT(.handler)
	mov word [4 * VECTOR_GP + 2], 0
	mov ax, STACK_SEGMENT
	mov ss, ax
	mov sp, STACK
	mov ax, [0xffff]		; a word across the segment's limit
.stop:
	cli
	hlt
	jmp .stop
.handler:
	mov ax, STACK
	sub ax, sp
	mov [AT(real_pushed)], ax
	jmp .stop
real_pushed:	dw 0			; bytes that the exception has pushed
real_end:
