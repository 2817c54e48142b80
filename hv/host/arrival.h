/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/host/cpu.h"

/*
 * Where a processor arrives that smp.c has started. It may do so at any time, also long after
 * the boot processor has given up on it, and then finds all it needs to halt in good order.
 */
enum arrival {
	ARRIVAL_HELD, /* before an INIT: the processor must not continue */
	ARRIVAL_AWAITED,
	ARRIVAL_DONE,
	ARRIVAL_LEFT_OUT, /* too late */
};

/*
 * The processors to be started, each with stacks, in any order, up to a NULL. Constant before the
 * first is started.
 */
extern struct cpu *arrival_expected[CPU_MAX + 1];

/* What processors that arrive in time run. Set before the first is started. */
extern cpu_entry *arrival_main;

/* Change cpu->arrival; false, and no change, if it was not 'from'. */
bool arrival_change(struct cpu *cpu, enum arrival from, enum arrival to);

/* arrival.asm: the first instruction in 64-bit mode. */
extern const char arrival_entry[];
