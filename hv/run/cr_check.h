/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/* Checks of control registers that the processor makes where it executes the instruction. Pure. */

/* What else decides. */
struct cr_state {
	uint64_t cr4, efer;
	bool cs_is_64bit; /* CS.L, which counts in long mode only */
};

/* Whether MOV to CR0 changes it from 'old' to 'value', both as the guest sees them, or raises #GP.
 */
bool cr0_may_become(uint64_t old, uint64_t value, const struct cr_state *state);

/* Whether the four entries may be loaded when PAE paging begins. phys_bits: as the guest's CPUID.
 */
bool pdptes_may_be(const uint64_t pdpte[4], unsigned phys_bits);
