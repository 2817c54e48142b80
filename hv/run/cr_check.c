/* SPDX-License-Identifier: BSD-2-Clause */
/* SDM vol. 2, "MOV—Move to/from Control Registers", and vol. 3, "PDPTE Registers". */
#include "hv/run/cr_check.h"

#include "hv/host/msr.h"

bool cr0_may_become(uint64_t old, uint64_t value, const struct cr_state *state)
{
	bool in_64bit_code = (state->efer & EFER_LMA) && state->cs_is_64bit;

	if (value >> 32 || ((value & CR0_PG) && !(value & CR0_PE)) ||
	    ((value & CR0_NW) && !(value & CR0_CD)))
		return false;
	if (!(value & CR0_PG))
		return !(old & CR0_PG) || !(in_64bit_code || (state->cr4 & CR4_PCIDE));
	if (old & CR0_PG || !(state->efer & EFER_LME))
		return true;
	/* No 64-bit code before LMA is set. */
	return (state->cr4 & CR4_PAE) && !state->cs_is_64bit;
}

bool pdptes_may_be(const uint64_t pdpte[4], unsigned phys_bits)
{
	const uint64_t reserved = BITS(2, 1) | BITS(8, 5) | ~(BIT(phys_bits) - 1);

	for (unsigned i = 0; i < 4; i++)
		if ((pdpte[i] & 1) && (pdpte[i] & reserved))
			return false;
	return true;
}
