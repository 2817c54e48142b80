/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * Ticks of a device's clock, derived from the TSC. 'tsc' is a number of TSC cycles, tsc_hz below
 * 2^40 and not 0, 'hz' the clock's frequency, below 2^24 and not 0.
 */

/* The ticks that have passed after 'tsc' cycles. */
static inline uint64_t tick_count(uint64_t tsc, uint64_t tsc_hz, uint32_t hz)
{
	return tsc / tsc_hz * hz + tsc % tsc_hz * hz / tsc_hz;
}

/* The cycles after which 'ticks' have passed, rounded up: the inverse of tick_count(). */
static inline uint64_t tick_time(uint64_t ticks, uint64_t tsc_hz, uint32_t hz)
{
	return ticks / hz * tsc_hz + (ticks % hz * tsc_hz + hz - 1) / hz;
}
