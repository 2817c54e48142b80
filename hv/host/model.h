/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * What is known about Intel's processors by their signature (CPUID leaf 1, EAX), and what none of
 * their feature bits says. All functions also answer for a processor that is not in the tables.
 */

/* Weaknesses of some models, and immunities of others, before what the processor says itself. */
enum model_trait {
	MODEL_MMIO = 1 << 0,		/* MMIO stale data */
	MODEL_RETBLEED = 1 << 1,	/* returns are predicted as indirect branches */
	MODEL_GDS = 1 << 2,		/* gather data sampling */
	MODEL_SRBDS = 1 << 3,		/* special register buffer data sampling */
	MODEL_RFDS = 1 << 4,		/* register file data sampling */
	MODEL_ITS = 1 << 5,		/* indirect target selection, across VM exits */
	MODEL_NO_L1TF = 1 << 6,		/* no L1 terminal fault */
	MODEL_NO_MDS = 1 << 7,		/* no microarchitectural data sampling */
	MODEL_NO_MULTIHIT = 1 << 8,	/* no machine check by iTLB multihit */
	MODEL_NO_PBRSB = 1 << 9,	/* no post-barrier return prediction */
	MODEL_NO_SIBLING_LEAK = 1 << 10 /* what MDS leaks stays in the thread */
};
uint32_t model_traits(uint32_t signature);

/* "Haswell", "Skylake server"; "unknown model". */
const char *model_name(uint32_t signature);

/* Whether the VMX-preemption timer counts at the rate that IA32_VMX_MISC gives. */
bool model_timer_works(uint32_t signature);

/* The oldest microcode with which the APIC's TSC-deadline timer works; 0: any. */
uint32_t model_deadline_microcode(uint32_t signature);

/*
 * The crystal's frequency where CPUID leaf 0x15 has its ratio to the TSC only; 0: unknown. SDM
 * vol. 3, "Determining the Processor Base Frequency".
 */
uint32_t model_crystal_hz(uint32_t signature);
