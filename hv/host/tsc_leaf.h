/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/host/io.h"
#include "hv/lib/types.h"

/*
 * The TSC's frequency from CPUID: leaf 0x15 (ratio and crystal). If it has no crystal, the model's;
 * if that is unknown, the base frequency of leaf 0x16, which is rounded. 0 if they do not give it.
 * Callers pass zeros for leaves that the processor lacks. SDM vol. 2, "CPUID".
 */
uint64_t tsc_hz_of_leaves(const struct cpuid_regs *leaf15, const struct cpuid_regs *leaf16,
			  uint32_t signature);

/*
 * ticks / count of a counter of 'hz', rounded; or 'nominal' (0: unknown) if the two differ by less
 * than one percent, because the processor's built-in ratio is more exact than a measurement.
 */
uint64_t tsc_hz_of_count(uint64_t ticks, uint64_t count, uint64_t hz, uint64_t nominal);
