/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/* How an instruction that is stepped by RFLAGS.TF shows or changes that flag. */
enum step_kind {
	STEP_PLAIN,   /* not at all */
	STEP_PUSHF,   /* stores the flags on the stack */
	STEP_LOADS,   /* POPF, IRET: loads the flags, including TF */
	STEP_SYSCALL, /* stores the flags in R11 */
};

/* The kind of the instruction at 'bytes', of which n bytes may be read. Prefixes are skipped. */
enum step_kind step_kind(const uint8_t *bytes, size_t n, bool code64);
