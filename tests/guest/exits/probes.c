/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs the table of probes.S, and loops of HLT and PAUSE. */
#include "tests/guest/exits/exits.h"
#include "tests/guest/exits/probe.h"

#define TIMER_VECTOR  0x40
#define CPUID_MONITOR BIT(3)

static uint64_t outcome(int vector)
{
	switch (vector) {
	case NO_FAULT:
		return MAY_PASS;
	case VECTOR_UD:
		return MAY_UD;
	case VECTOR_GP:
		return MAY_GP;
	default:
		return 0;
	}
}

static void mwait(void *arg)
{
	(void)arg;
	asm volatile("mwait" : : "a"(0), "c"(0));
}

/* If MWAIT exists, do not test it without a wake-up event: it would not return. */
static void check_mwait(void)
{
	if (cpuid(1, 0).ecx & CPUID_MONITOR)
		report_skip("probes: MWAIT is there");
	else
		report(catch_fault(mwait, NULL) == VECTOR_UD, "probes: no MWAIT");
}

static void check_waiting(void)
{
	apic_enable();
	irq_count_on(TIMER_VECTOR);
	apic_write(APIC_LVT_TIMER, TIMER_VECTOR);
	apic_write(APIC_TIMER_INITIAL, 100000);
	while (irq_count[TIMER_VECTOR] == 0)
		sti_hlt_cli();
	report(true, "probes: HLT ends with the timer");
	apic_write(APIC_TIMER_INITIAL, 100000);
	for (int i = 0; i < 100000; i++)
		cpu_pause();
	report(irq_wait(TIMER_VECTOR, 2), "probes: PAUSE loop, then the timer");
	irq_count_off(TIMER_VECTOR);
}

void probes_check(void)
{
	uint64_t lax = param_given("strict") ? 0 : MAY_PASS | MAY_UD | MAY_GP;

	xsave_enable();
	for (const struct probe *p = probes_start; p < probes_end; p++) {
		int vector = catch_fault(probe_run, (void *)p->code);

		report(outcome(vector) & (p->allowed | lax), "probes: %s: vector %d", p->name,
		       vector);
	}
	check_mwait();
	check_waiting();
}
