/* SPDX-License-Identifier: BSD-2-Clause */
/* Instructions that may be missing, refused or intercepted, and how each may end. */
#include "tests/guest/exits/probe.h"

.intel_syntax noprefix

.macro probe code:req, allowed:req
.pushsection .rodata
.Lname\@: .asciz "\code"
.popsection
.pushsection probes, "a"
	.quad .Lname\@, .Lcode\@, \allowed
.popsection
.text
.Lcode\@:
	\code
	ret
.endm

	/* VMX, which the guest does not have. */
	probe "vmxon [rdi]", MAY_UD
	probe "vmxoff", MAY_UD
	probe "vmclear [rdi]", MAY_UD
	probe "vmptrld [rdi]", MAY_UD
	probe "vmptrst [rdi]", MAY_UD
	probe "vmlaunch", MAY_UD
	probe "vmresume", MAY_UD
	probe "vmread rax, rcx", MAY_UD
	probe "vmwrite rax, rcx", MAY_UD
	probe "invept rax, [rdi]", MAY_UD
	probe "invvpid rax, [rdi]", MAY_UD
	probe "xor eax, eax; vmfunc", MAY_UD
	probe "xor eax, eax; vmcall", MAY_PASS + MAY_UD
	/* AMD only. */
	probe "mov rax, rdi; vmrun", MAY_UD
	probe "vmmcall", MAY_PASS + MAY_UD
	probe "vmload", MAY_UD
	probe "stgi", MAY_UD
	/* SMX, SGX, and other privileged ones. */
	probe "xor eax, eax; getsec", MAY_UD
	probe "xor eax, eax; encls", MAY_UD
	probe "xor eax, eax; enclu", MAY_UD
	probe "rsm", MAY_UD
	probe "mov eax, 0; pconfig", MAY_UD
	probe "ud0 eax, eax", MAY_UD
	probe "ud1 eax, eax", MAY_UD
	probe "ud2", MAY_UD
	probe ".byte 0xce", MAY_UD
	/* Waiting and caches. */
	probe "mov rax, rdi; xor ecx, ecx; xor edx, edx; monitor", MAY_PASS + MAY_UD
	probe "xor eax, eax; xor edx, edx; tpause ecx", MAY_PASS + MAY_UD + MAY_GP
	probe "umonitor rdi", MAY_PASS + MAY_UD
	probe "pause", MAY_PASS
	probe "wbinvd", MAY_PASS
	probe "invd", MAY_PASS
	probe "wbnoinvd", MAY_PASS
	probe "clflush [rdi]", MAY_PASS
	probe "invlpg [rdi]", MAY_PASS
	probe "xor eax, eax; invpcid rax, [rdi]", MAY_PASS + MAY_UD + MAY_GP
	/* Counters. */
	probe "xor ecx, ecx; rdpmc", MAY_PASS + MAY_GP
	probe "mov ecx, 0x40000000; rdpmc", MAY_PASS + MAY_GP
	probe "mov ecx, 0x7fffffff; rdpmc", MAY_GP
	probe "rdtsc", MAY_PASS
	probe "rdtscp", MAY_PASS + MAY_UD
	probe "rdpid rax", MAY_PASS + MAY_UD
	probe "rdrand rax", MAY_PASS + MAY_UD
	probe "rdseed rax", MAY_PASS + MAY_UD
	/* Extended states. */
	probe "xor ecx, ecx; xgetbv", MAY_PASS + MAY_UD
	probe "mov ecx, 0x55; xgetbv", MAY_UD + MAY_GP
	probe "mov ecx, 0x55; xor eax, eax; xor edx, edx; xsetbv", MAY_UD + MAY_GP
	probe "xor ecx, ecx; xor eax, eax; xor edx, edx; xsetbv", MAY_UD + MAY_GP
	probe "mov eax, 1; xor edx, edx; xsaves [rdi]", MAY_PASS + MAY_UD
	probe "xor ecx, ecx; rdpkru", MAY_UD
	/* Tables. */
	probe "sgdt [rdi]; lgdt [rdi]", MAY_PASS
	probe "sidt [rdi]; lidt [rdi]", MAY_PASS
	probe "xor eax, eax; lldt ax", MAY_PASS
	probe "smsw rax", MAY_PASS
	probe "clts", MAY_PASS
	probe "swapgs; swapgs", MAY_PASS
	probe "rdgsbase rax", MAY_UD
	probe ".byte 0x0f, 0x35", MAY_GP
	probe "mov rax, cr5", MAY_UD
	probe "mov cr1, rax", MAY_UD
	probe ".byte 0xf0; mov rax, [rdi]", MAY_UD
	/* 16 bytes long: refused in any case. */
	probe ".fill 14, 1, 0x66; add eax, ebx", MAY_GP

.text
.global probe_run
probe_run:
	push rbx
	push rbp
	push r12
	push r13
	push r14
	push r15
	mov rax, rdi
	lea rdi, [rip + ram]
	call rax
	cld
	pop r15
	pop r14
	pop r13
	pop r12
	pop rbp
	pop rbx
	ret

.bss
.balign 4096
ram:	.skip 4096
.section .note.GNU-stack, "", @progbits
