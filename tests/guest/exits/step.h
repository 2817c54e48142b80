/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/* Sequences of steps.S, run by debug.c. */

#define SCRATCH 0x3ff
#define LSTAR	0xc0000082

#ifndef __ASSEMBLER__
#include <stdint.h>

struct step {
	const char *name;
	void (*code)(void);
	uint64_t after; /* RIP at the trap */
};
extern const struct step steps_start[], steps_end[];
#endif
