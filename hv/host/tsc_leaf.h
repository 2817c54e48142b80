/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/host/io.h"
#include "hv/lib/types.h"

/*
 * The TSC's frequency as CPUID tells it: leaf 0x15 (ratio and crystal), where it names no
 * crystal with the base frequency of leaf 0x16. 0 if they do not tell. Leaves the
 * processor does not have are given as zeros. SDM vol. 2, "CPUID".
 */
uint64_t tsc_hz_of_leaves(const struct cpuid_regs *leaf15, const struct cpuid_regs *leaf16);

/*
 * ticks / count of a counter of 'hz', rounded; 'nominal' (0: unknown) takes its place if
 * it is within one percent: measuring is less exact than the ratio the processor was made with.
 */
uint64_t tsc_hz_of_count(uint64_t ticks, uint64_t count, uint64_t hz, uint64_t nominal);
