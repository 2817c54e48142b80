/* SPDX-License-Identifier: BSD-2-Clause */
/* Computes the frequency of the TSC; hv/host/tsc_calibrate.c collects what it takes. */
#include "hv/host/tsc_leaf.h"

#include "hv/host/model.h"

#define MILLION UINT64_C(1000000)

uint64_t tsc_hz_of_leaf(const struct cpuid_regs *leaf15, uint32_t signature)
{
	uint64_t numerator = leaf15->ebx, denominator = leaf15->eax, crystal = leaf15->ecx;

	if (numerator == 0 || denominator == 0)
		return 0;
	if (crystal == 0)
		crystal = model_crystal_hz(signature);
	return crystal * numerator / denominator;
}

uint64_t tsc_hz_of_kvm_clock(uint32_t multiplier, int8_t shift)
{
	uint64_t hz;

	if (multiplier == 0 || shift < -31 || shift > 31)
		return 0;
	hz = ((1000 * MILLION) << 32) / multiplier;
	return shift < 0 ? hz << -shift : hz >> shift;
}

static uint64_t middle(const struct tsc_reading *reading)
{
	return reading->before + (reading->after - reading->before) / 2;
}

/* The middle of the window is at most half a window, and the count at most one, off the truth. */
static struct tsc_measurement measure_pair(const struct tsc_reading *a, const struct tsc_reading *b,
					   uint64_t timer_hz)
{
	uint64_t ticks = middle(b) - middle(a), count = b->count - a->count;
	uint64_t window = (a->after - a->before + b->after - b->before) / 2;

	return (struct tsc_measurement){
		.hz = (ticks * timer_hz + count / 2) / count,
		.doubt = ticks > window
				 ? 1 + window * MILLION / (ticks - window) + 2 * MILLION / count
				 : MILLION,
	};
}

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/* How far two measurements are apart, beyond what their doubts allow, in millionths. */
static uint64_t contradiction(const struct tsc_measurement *a, const struct tsc_measurement *b)
{
	uint64_t apart = distance(a->hz, b->hz) * MILLION / a->hz;

	return apart > a->doubt + b->doubt ? apart - a->doubt - b->doubt : 0;
}

struct tsc_measurement tsc_measure(const struct tsc_reading *readings, unsigned n,
				   uint64_t timer_hz)
{
	struct tsc_measurement best = {.doubt = UINT64_MAX};

	for (unsigned i = 0; i < n; i++)
		for (unsigned j = i + 1; j < n; j++) {
			struct tsc_measurement pair =
				measure_pair(&readings[i], &readings[j], timer_hz);

			if (pair.doubt < best.doubt)
				best = pair;
		}
	for (unsigned i = 0; i + 1 < n; i++) {
		struct tsc_measurement part =
			measure_pair(&readings[i], &readings[i + 1], timer_hz);
		uint64_t spread = contradiction(&best, &part);

		if (spread > best.spread)
			best.spread = spread;
	}
	return best;
}
