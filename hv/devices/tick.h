/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * Ticks of a device's clock, derived from the TSC. 'tsc' is a number of TSC cycles, 'hz' the
 * clock's frequency; neither frequency is 0, and their product is below 2^64.
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
