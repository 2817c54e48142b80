/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/* One instruction and how it may end; shared by probes.S and probes.c. */

#define MAY_PASS 1
#define MAY_UD	 2
#define MAY_GP	 4

#ifndef __ASSEMBLER__
#include <stdint.h>

struct probe {
	const char *name;
	const void *code;
	uint64_t allowed;
};

extern const struct probe probes_start[], probes_end[];

/* Call arg's code with rdi = some RAM; saves and restores every register. */
void probe_run(void *code);
#endif
