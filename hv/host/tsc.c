/* SPDX-License-Identifier: BSD-2-Clause */
/* The time-stamp counter as a clock. Its frequency is found at start by tsc_calibrate.c. */
#include "hv/host/tsc.h"

#include "hv/host/io.h"

uint64_t tsc_hz;

static int64_t known_time; /* at known_time_tsc */
static uint64_t known_time_tsc;

void tsc_set_time(int64_t unix_time, uint64_t at)
{
	known_time = unix_time;
	known_time_tsc = at;
}

uint64_t tsc_unix_ns(uint64_t at)
{
	enum { NS_PER_SECOND = 1000000000 };
	uint64_t ticks = at - known_time_tsc, seconds = ticks / tsc_hz;

	if (known_time <= 0)
		return 0;
	return ((uint64_t)known_time + seconds) * NS_PER_SECOND +
	       ticks % tsc_hz * (NS_PER_SECOND / 1000) / (tsc_hz / 1000);
}

void tsc_wait_us(uint64_t us)
{
	uint64_t start = rdtsc(), ticks = tsc_hz / 1000000 * us;

	while (rdtsc() - start < ticks)
		pause();
}
