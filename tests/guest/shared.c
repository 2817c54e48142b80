/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two VMs on one share=on image: role=ping writes a block and waits, role=pong sees it and
 * answers, rounds= times. base= is the region and at= the offset of the two blocks in it, the
 * same for both roles. With sleep, the roles wait by HLT and timer.
 */
#include "tests/guest/lib/lib.h"

#define TIMER_VECTOR 0x40
#define WORDS	     64
#define NAP	     200000

static volatile uint64_t *block(bool pong)
{
	return (volatile uint64_t *)(param_number("base", 0) + param_number("at", 0) +
				     (pong ? PAGE_SIZE : 0));
}

static void nap(bool sleep)
{
	uint32_t before = irq_count[TIMER_VECTOR];

	if (!sleep) {
		cpu_pause();
		return;
	}
	apic_write(APIC_TIMER_INITIAL, NAP);
	while (irq_count[TIMER_VECTOR] == before)
		sti_hlt_cli();
}

/* The last word is written last: stores become visible in order. */
static bool wait_for(volatile uint64_t *from, uint64_t value, bool sleep)
{
	uint64_t limit = param_number("wait", 20 * WAIT_TICKS);
	uint64_t start = rdtsc();

	while (from[WORDS - 1] != value) {
		if (rdtsc() - start > limit)
			return false;
		nap(sleep);
	}
	for (unsigned i = 0; i < WORDS; i++) {
		if (from[i] != value)
			return false;
	}
	return true;
}

static void say(volatile uint64_t *to, uint64_t value)
{
	for (unsigned i = 0; i < WORDS; i++)
		to[i] = value;
}

void payload(void)
{
	bool pong = param_is("role", "pong");
	bool sleep = param_given("sleep");
	uint64_t rounds = param_number("rounds", 100);
	uint64_t i;

	if (!report(param_number("base", 0) != 0 && (pong || param_is("role", "ping")),
		    "shared: parameters base= and role="))
		return;
	apic_enable();
	irq_count_on(TIMER_VECTOR);
	apic_write(APIC_LVT_TIMER, TIMER_VECTOR);
	for (i = 1; i <= rounds; i++) {
		if (!pong)
			say(block(false), i);
		if (!wait_for(block(!pong), i, sleep))
			break;
		if (pong)
			say(block(true), i);
	}
	report(i == rounds + 1, "shared: %s saw %lu of %lu", pong ? "pong" : "ping", i - 1, rounds);
}
