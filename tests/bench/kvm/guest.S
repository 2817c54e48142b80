/* SPDX-License-Identifier: BSD-2-Clause */
/* The guests' code, see guest.h. Position independent; uses no stack. */
#include "tests/bench/kvm/guest.h"

	.section .rodata
	.code32

	.macro entry name
	.globl	\name
\name:
	.endm

	.macro measure name, instruction:vararg
	entry	\name
	rdtsc
	mov	%eax, %esi
	mov	%ebx, %edi
	xor	%eax, %eax
	xor	%ecx, %ecx
	\instruction
	mov	%edi, %ebx
	rdtsc
	sub	%esi, %eax
	out	%eax, $PORT_VALUE
	add	%ebp, %ebx
	jmp	\name
	.endm

	entry	guest_code
	measure	guest_nothing
	measure	guest_cpuid, cpuid
	measure	guest_out, out %al, $PORT_DEVICE
	measure	guest_in, in $PORT_DEVICE, %al
	measure	guest_in_kernel, in $PORT_KERNEL, %al
	measure	guest_store, mov %eax, (%ebx)
	measure	guest_load, mov (%ebx), %eax

	entry	guest_clone
	rdtsc
	out	%eax, $PORT_VALUE
1:	mov	%eax, (%ebx)
	add	$4096, %ebx
	loop	1b
	rdtsc
	out	%eax, $PORT_VALUE
	hlt

	entry	guest_read
	jecxz	2f
1:	mov	(%ebx), %eax
	add	$4096, %ebx
	loop	1b
2:	out	%eax, $PORT_VALUE
	hlt
	entry	guest_code_end

	.section .note.GNU-stack, "", @progbits
