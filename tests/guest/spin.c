/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keeps the processor busy without an exit for ticks= of the TSC, then ends. With "interrupts" they
 * are enabled, although none comes: in Bochs the host's interrupts reach no other guest.
 */
#include "tests/guest/lib/lib.h"

void payload(void)
{
	uint64_t ticks = param_number("ticks", WAIT_TICKS / 2);
	uint64_t start = rdtsc(), last = start, longest = 0, loops = 0;
	bool forwards = true;

	print("spin: %lu ticks\n", ticks);
	if (param_given("interrupts"))
		asm volatile("sti");
	while (last - start < ticks) {
		uint64_t now = rdtsc();

		forwards &= now >= last;
		if (now - last > longest)
			longest = now - last;
		last = now;
		loops++;
	}
	report(forwards, "spin: %lu loops, longest gap %lu ticks, TSC never backwards", loops,
	       longest);
}
