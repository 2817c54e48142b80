/* SPDX-License-Identifier: BSD-2-Clause */
/* The arithmetic of hv/host/tsc_calibrate.c. */
#include "hv/host/tsc_leaf.h"

#include "hv/host/model.h"

uint64_t tsc_hz_of_leaves(const struct cpuid_regs *leaf15, const struct cpuid_regs *leaf16,
			  uint32_t signature)
{
	uint64_t numerator = leaf15->ebx, denominator = leaf15->eax, crystal = leaf15->ecx;

	if (numerator == 0 || denominator == 0)
		return 0;
	if (crystal == 0)
		crystal = model_crystal_hz(signature);
	/* Without a crystal, base frequency = crystal * ratio = the TSC's. */
	if (crystal == 0)
		return (leaf16->eax & 0xffff) * UINT64_C(1000000);
	return crystal * numerator / denominator;
}

uint64_t tsc_hz_of_count(uint64_t ticks, uint64_t count, uint64_t hz, uint64_t nominal)
{
	uint64_t measured = (ticks * hz + count / 2) / count;
	uint64_t distance = measured > nominal ? measured - nominal : nominal - measured;

	return distance <= nominal / 100 ? nominal : measured;
}
