/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Feeds the watchdog timer. During start-up, at the end and in work that takes long the processor
 * that does it feeds; in between, all processors together: one that hangs is enough for a reset.
 */
#include "hv/host/watchdog.h"

#include "hv/host/cpu.h"
#include "hv/host/io.h"
#include "hv/host/tsc.h"
#include "hv/host/watchdog_round.h"

struct watchdog watchdog;

static struct watchdog_round round;
static uint64_t next_feed; /* TSC; atomic, and two processors may feed at the same time */

void watchdog_feed(void)
{
	uint64_t now = rdtsc();

	if (!watchdog.is_on || now < __atomic_load_n(&next_feed, __ATOMIC_RELAXED))
		return;
	__atomic_store_n(&next_feed, now + tsc_hz, __ATOMIC_RELAXED);
	if (watchdog.kind == WATCHDOG_WDAT)
		(void)wdat_run(&watchdog.wdat, WDAT_RESET, 0);
	else
		tco_feed(&watchdog.tco);
}

void watchdog_pass(struct cpu *cpu)
{
	if (watchdog_round_pass(&round, &cpu->watchdog_rounds, n_cpus))
		watchdog_feed();
}

void watchdog_stop(void)
{
	watchdog.is_on = false;
	if (watchdog.kind == WATCHDOG_WDAT)
		(void)wdat_run(&watchdog.wdat, WDAT_SET_STOPPED, 0);
	else if (watchdog.kind == WATCHDOG_TCO)
		tco_stop(&watchdog.tco);
}
