/* SPDX-License-Identifier: BSD-2-Clause */
/* Executes HLT n= times; the APIC's timer ends each after ticks= of its clock. */
#include "tests/guest/lib/lib.h"

#define TIMER_VECTOR 0x40

void payload(void)
{
	uint32_t n = (uint32_t)param_number("n", 10);
	uint32_t ticks = (uint32_t)param_number("ticks", 1000000);
	uint64_t start = rdtsc();

	apic_enable();
	irq_count_on(TIMER_VECTOR);
	apic_write(APIC_LVT_TIMER, TIMER_VECTOR);
	print("halt: %u times\n", n);
	for (uint32_t i = 0; i < n; i++) {
		apic_write(APIC_TIMER_INITIAL, ticks);
		while (irq_count[TIMER_VECTOR] <= i)
			sti_hlt_cli();
	}
	report(irq_count[TIMER_VECTOR] == n, "halt: woken %u times in %lu ticks of the TSC",
	       irq_count[TIMER_VECTOR], rdtsc() - start);
}
