/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frequency of the TSC. CPUID gives it, or a hypervisor below; otherwise the TSC is compared
 * with a timer for up to 50 ms. An SMI or a processor taken away meanwhile makes a reading's window
 * wide, and such readings do not count.
 */
#include "hv/host/tsc_calibrate.h"

#include "hv/host/io.h"
#include "hv/host/tsc.h"
#include "hv/host/tsc_hypervisor.h"
#include "hv/host/tsc_leaf.h"
#include "hv/host/tsc_timer.h"
#include "hv/lib/print.h"

enum {
	LEAF_TSC = 0x15,
	LEAF_FREQUENCY = 0x16,
	READINGS_MAX = 6,
	READINGS_PER_SECOND = 100,
	TRIES_OF_A_READING = 5,
	TRIES = 3,	     /* of all readings, if they contradict each other */
	READS_MAX = 1000000, /* of a timer, at about a microsecond each */
	DOUBT_GOOD = 50,     /* millionths: enough */
	SPREAD_GOOD = 100,
};

static void cpuid_or_zero(uint32_t leaf, struct cpuid_regs *ret)
{
	struct cpuid_regs max;

	cpuid(0, 0, &max);
	*ret = (struct cpuid_regs){0};
	if (leaf <= max.eax)
		cpuid(leaf, 0, ret);
}

static uint64_t hz_from_processor(void)
{
	struct cpuid_regs leaf1, leaf15;

	cpuid(1, 0, &leaf1);
	cpuid_or_zero(LEAF_TSC, &leaf15);
	return tsc_hz_of_leaf(&leaf15, leaf1.eax);
}

/* The base frequency, which is rounded. */
static uint64_t hz_rounded(void)
{
	struct cpuid_regs leaf16;

	cpuid_or_zero(LEAF_FREQUENCY, &leaf16);
	return (leaf16.eax & 0xffff) * UINT64_C(1000000);
}

/* The narrowest of a few readings. */
static struct tsc_reading read_here(enum tsc_timer timer)
{
	struct tsc_reading best = {.after = UINT64_MAX};

	for (unsigned i = 0; i < TRIES_OF_A_READING; i++) {
		struct tsc_reading reading;

		reading.before = rdtsc_ordered();
		reading.count = tsc_timer_read(timer);
		reading.after = rdtsc_ordered();
		if (reading.after - reading.before < best.after - best.before)
			best = reading;
	}
	return best;
}

/* Wait until the timer has advanced by 'count' from 'start'; false: it does not count. */
static bool wait_for(enum tsc_timer timer, uint32_t start, uint32_t count)
{
	for (unsigned i = 0; i < READS_MAX; i++)
		if (((tsc_timer_read(timer) - start) & tsc_timer_mask(timer)) >= count)
			return true;
	return false;
}

/* False: the timer does not count. */
static bool measure(enum tsc_timer timer, uint64_t timer_hz, struct tsc_measurement *ret)
{
	struct tsc_reading readings[READINGS_MAX] = {read_here(timer)};
	uint32_t last = (uint32_t)readings[0].count;
	unsigned n = 1;

	readings[0].count = 0;
	do {
		if (!wait_for(timer, last, (uint32_t)(timer_hz / READINGS_PER_SECOND)))
			return false;
		readings[n] = read_here(timer);
		uint32_t now = (uint32_t)readings[n].count;

		readings[n].count = readings[n - 1].count + ((now - last) & tsc_timer_mask(timer));
		last = now;
		n++;
		*ret = tsc_measure(readings, n, timer_hz);
	} while (n < READINGS_MAX && (n < 3 || ret->doubt > DOUBT_GOOD || ret->spread > 0));
	return true;
}

static uint64_t hz_from_timer(enum tsc_timer timer)
{
	uint64_t timer_hz = tsc_timer_start(timer);
	struct tsc_measurement result = {0};

	for (unsigned i = 0; timer_hz != 0 && i < TRIES; i++) {
		if (!measure(timer, timer_hz, &result))
			return 0;
		if (result.spread <= SPREAD_GOOD)
			return result.hz;
	}
	if (result.hz != 0)
		log_warning("the TSC's measured frequency varies by %lu millionths", result.spread);
	return result.hz;
}

static const char *find_hz(void)
{
	static const char *const timers[] = {[TSC_TIMER_HPET] = "the HPET",
					     [TSC_TIMER_PM] = "the ACPI PM timer",
					     [TSC_TIMER_PIT] = "the 8254"};

	tsc_hz = hz_from_processor();
	if (tsc_hz != 0)
		return "CPUID";
	tsc_hz = tsc_hz_of_hypervisor();
	if (tsc_hz != 0)
		return "the hypervisor below";
	for (enum tsc_timer timer = 0; timer < TSC_TIMERS; timer++) {
		tsc_hz = hz_from_timer(timer);
		if (tsc_hz != 0)
			return timers[timer];
	}
	tsc_hz = hz_rounded();
	return tsc_hz != 0 ? "CPUID, rounded" : NULL;
}

enum status tsc_init(const char **ret_source)
{
	*ret_source = find_hz();
	if (*ret_source != NULL)
		return OK;
	log_error("cannot measure the time-stamp counter: neither CPUID nor a hypervisor gives its "
		  "frequency, and HPET, ACPI PM timer and 8254 do not count");
	return ERR_NOTFOUND;
}

bool tsc_is_invariant(void)
{
	struct cpuid_regs max, power;

	cpuid(UINT32_C(0x80000000), 0, &max);
	if (max.eax < UINT32_C(0x80000007))
		return false;
	cpuid(UINT32_C(0x80000007), 0, &power);
	return power.edx & BIT(8);
}
