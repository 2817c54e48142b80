/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/host/facts.h"

/*
 * What is done about the processors' errata and leaks: decided once, from what the processors say
 * and from the tables of models, and obeyed everywhere else. Pure.
 */

/* What some processors get wrong. A guest can use all of them but the last against another one. */
enum weakness {
	WEAK_MULTIHIT = 1 << 0,	    /* a page that is code at two sizes: machine check */
	WEAK_L1TF = 1 << 1,	    /* absent pages read the L1 data cache */
	WEAK_MDS = 1 << 2,	    /* loads see what is in internal buffers */
	WEAK_TAA = 1 << 3,	    /* the same by an abort of TSX */
	WEAK_MMIO = 1 << 4,	    /* the same by what device registers leave */
	WEAK_RFDS = 1 << 5,	    /* the same of the vector registers */
	WEAK_SIBLING_LEAK = 1 << 6, /* one of these crosses to the other thread of the core */
	WEAK_INDIRECT = 1 << 7,	    /* guests train the host's indirect branches */
	WEAK_RETURN = 1 << 8,	    /* an empty return stack is predicted by them */
	WEAK_BHI = 1 << 9,	    /* guests choose among trained branches by history */
	WEAK_PBRSB = 1 << 10,	    /* the first return after an exit may use the guest's */
	WEAK_ITS = 1 << 11,	    /* branches in half of the lines are trained nevertheless */
	WEAK_SRBDS = 1 << 12,	    /* other cores see RDRAND's results */
	WEAK_GDS = 1 << 13,	    /* gathers see stale vector registers */
	WEAK_TIMER = 1 << 14,	    /* the VMX-preemption timer counts at a wrong rate */
};

/* What can be done. */
enum measure {
	MEASURE_NX_LARGE_PAGES = 1 << 0, /* large EPT pages are not executable, code splits them */
	MEASURE_L1D_FLUSH = 1 << 1,	 /* flush the L1 data cache before each VM entry */
	MEASURE_VERW = 1 << 2,		 /* clear the buffers before each VM entry */
	MEASURE_IBPB = 1 << 3,		 /* forget all predictions when another vCPU is loaded */
	MEASURE_EIBRS = 1 << 4,		 /* SPEC_CTRL.IBRS stays set */
	MEASURE_IBRS = 1 << 5,		 /* SPEC_CTRL.IBRS is set after each VM exit */
	MEASURE_BHI_DIS_S = 1 << 6,	 /* SPEC_CTRL.BHI_DIS_S stays set */
	MEASURE_BHB_CLEAR = 1 << 7,	 /* overwrite the branch history after each VM exit */
	MEASURE_RETPOLINE = 1 << 8,	 /* indirect branches go through a return */
	MEASURE_RSB_FILL = 1 << 9,	 /* fill the return stack after each VM exit */
	MEASURE_RSB_ENTRY = 1 << 10,	 /* push one entry, and wait */
	MEASURE_RNG_MITIGATED = 1 << 11, /* the microcode's defence of RDRAND stays on */
	MEASURE_GATHER_MITIGATED = 1 << 12, /* the microcode's defence of gathers stays on */
	MEASURE_TSX_OFF = 1 << 13,	    /* transactions abort at once */
};
#define N_MEASURES 14

/* host -mitigations */
enum mitigations {
	MITIGATIONS_AUTO, /* what the processors need */
	MITIGATIONS_OFF,  /* none */
	MITIGATIONS_ALL,  /* all that the processors can execute, for tests and measurements */
};

struct policy {
	enum mitigations mode;
	uint32_t measures;	  /* enum measure: what is done */
	uint32_t needs_microcode; /* enum measure: what cannot be done without newer microcode */
	uint32_t weaknesses;	  /* enum weakness, of any of the processors */
	uint32_t microcode;	  /* the boot processor's revision */
	bool shares_cores;	  /* guests run on several threads of one core */

	uint64_t spec_ctrl; /* bits of IA32_SPEC_CTRL that stay set, for guests as well */
	uint64_t guest_arch_capabilities; /* IA32_ARCH_CAPABILITIES as guests read it */
};

/* Of this machine; constant after start. Defined in policy_text.c. */
extern struct policy host_policy;

/* enum weakness of one processor. */
uint32_t policy_weaknesses(const struct cpu_facts *facts);

/*
 * Decide. 'weaknesses' are those of all processors that are used, 'common' is what they have in
 * common.
 */
void policy_decide(uint32_t weaknesses, const struct cpu_facts *common, enum mitigations mode,
		   bool shares_cores, struct policy *ret);
