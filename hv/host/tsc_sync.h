/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/host/cpu.h"

/*
 * Whether the TSCs of two processors agree: guests move between processors, and their time must not
 * go backwards. After tsc_init().
 */

/*
 * On the boot processor, for each processor that has arrived, one after the other. Returns by how
 * many ticks the TSC of one was seen behind the other's; 0: they agree. Takes two milliseconds.
 */
uint64_t tsc_sync_check(struct cpu *cpu);

/*
 * On the other processor: give the TSC the boot processor's offset (IA32_TSC_ADJUST), where
 * firmware has left another one, and wait for the check. False: the TSCs do not agree.
 */
bool tsc_sync_follow(struct cpu *cpu);

/* On the boot processor, before the others arrive. */
void tsc_sync_setup(void);
