/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For tests of the monitor: halts between ticks of its timer and prints their number from time
 * to time, until the operator ends it. Memory and a register hold what a dump must show.
 *	every=N        ticks from one line to the next (16)
 */
#include "tests/guest/lib/lib.h"

#define TIMER_VECTOR 0x40
#define TICKS	     500000

static volatile char found[] = "what the dump has to show";

void payload(void)
{
	uint64_t every = param_number("every", 16);

	apic_enable();
	irq_count_on(TIMER_VECTOR);
	apic_write(APIC_LVT_TIMER, TIMER_VECTOR);
	print("operated: %s is at %lx\n", (const char *)found, (uint64_t)found);
	for (uint64_t n = 1;; n++) {
		uint64_t mark = UINT64_C(0x5354454e43494c21);

		apic_write(APIC_TIMER_INITIAL, TICKS);
		asm volatile("sti; hlt; cli" : "+r"(mark) : : "memory");
		if (n % every == 0)
			print("operated: tick %lu\n", n);
	}
}
