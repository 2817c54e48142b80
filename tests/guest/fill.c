/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes to each page from from= to to= (bytes), then to flag=, a page that VMs share. With
 * 'wait' it first waits until another VM has written there.
 */
#include "tests/guest/lib/lib.h"

#define DONE UINT64_C(0x66696c6c65642121)

void payload(void)
{
	uint64_t from = param_number("from", 0), to = param_number("to", 0), wrong = 0;
	volatile uint64_t *flag = (volatile uint64_t *)param_number("flag", 0);

	if (param_given("wait")) {
		while (*flag != DONE)
			cpu_pause();
		report(true, "fill: the other one is done");
		return;
	}
	for (uint64_t at = from; at < to; at += PAGE_SIZE)
		*(volatile uint64_t *)at = at ^ DONE;
	for (uint64_t at = from; at < to; at += PAGE_SIZE)
		wrong += *(volatile uint64_t *)at != (at ^ DONE);
	report(from < to && wrong == 0, "fill: %lu pages are mine", (to - from) / PAGE_SIZE);
	*flag = DONE;
}
