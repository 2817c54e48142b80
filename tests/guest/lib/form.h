/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/*
 * The record of one instruction form, made by the macro 'form' of form.inc and read by a
 * payload's runner. Constants are shared with the assembler.
 */

/* Flags an instruction leaves undefined. */
#define U_NONE 0x000
#define U_A    0x010 /* AF */
#define U_OA   0x810 /* OF, AF */
#define U_BIT  0x894 /* bts and similar: all flags except CF and ZF */

/* Features that the form needs. */
#define NEEDS_NOTHING 0
#define NEEDS_AVX     1
#define NEEDS_AVX2    2
#define NEEDS_MOVBE   3
#define NEEDS_XSAVE   4
#define NEEDS_XSAVEC  5
#define NEEDS_SSE41   6
#define NEEDS_F16C    7
#define NEEDS_CX16    8
#define NEEDS_MOVDIRI 9

/* How the runner prepares for it. */
#define PLAIN	0
#define ESCAPES 1 /* ends by a vector that leads to form_escape */

#ifndef __ASSEMBLER__
#include <stdint.h>

struct form {
	const char *name;
	const void *code;
	uint32_t undefined; /* flags not to compare */
	uint16_t align;	    /* alignment of the address, in bytes */
	uint8_t needs;
	uint8_t kind;
};

extern const struct form forms_start[], forms_end[];

/* Registers a form starts and ends with; the layout is known to form_run.S. */
struct form_state {
	uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15, rflags;
	uint8_t fx[512] __attribute__((aligned(16)));
};

extern struct form_state form_state;
extern const void *form_code;

/* Run form_code from form_state and leave its registers there. */
void form_run(void *unused);

/* The target of interrupt gates during an ESCAPES form. */
extern const uint8_t form_escape[], form_escape_step[], form_escape_irq[];
#endif
