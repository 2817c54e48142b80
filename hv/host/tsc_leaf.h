/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/host/io.h"
#include "hv/lib/types.h"

/* The arithmetic of hv/host/tsc_calibrate.c. */

/*
 * The TSC's frequency from CPUID leaf 0x15 (ratio and crystal). If it has no crystal, the model's.
 * 0 if that is unknown. Callers pass zeros for a leaf that the processor lacks. SDM vol. 2,
 * "CPUID".
 */
uint64_t tsc_hz_of_leaf(const struct cpuid_regs *leaf15, uint32_t signature);

/*
 * From the factors that KVM gives for its clock: ns = (ticks << shift) * multiplier >> 32, shifted
 * to the right if 'shift' is negative. 0 if they are not set. Source: Linux,
 * Documentation/virt/kvm/x86/msr.rst, "MSR_KVM_SYSTEM_TIME_NEW".
 */
uint64_t tsc_hz_of_kvm_clock(uint32_t multiplier, int8_t shift);

/* A timer's count, read between two reads of the TSC. */
struct tsc_reading {
	uint64_t before, after;
	uint64_t count; /* since the first reading */
};

struct tsc_measurement {
	uint64_t hz;
	uint64_t doubt;	 /* at most this far from the truth, in millionths */
	uint64_t spread; /* how far a part of the time contradicts the whole, in millionths */
};

/*
 * Compare the TSC with a timer of timer_hz. Of all pairs of readings the one with the least doubt
 * counts: far apart, and with a narrow window between the two reads of the TSC. At least two
 * readings, in order, with counts that differ, within a few seconds.
 */
struct tsc_measurement tsc_measure(const struct tsc_reading *readings, unsigned n,
				   uint64_t timer_hz);
