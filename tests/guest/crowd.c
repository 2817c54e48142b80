/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Becomes a template; each clone prints its number, then idles.
 *	once  the clone ends instead: well, if a page that it has written holds its number
 */
#include "tests/guest/lib/lib.h"

#define CONTROL 0x5354
#define FREEZE	1

static volatile uint32_t number;

void payload(void)
{
	bool once = param_given("once");

	outl(FREEZE, CONTROL);
	number = inl(CONTROL);
	print("crowd: clone %u\n", number);
	if (once)
		exit_vm(number != inl(CONTROL));
	for (;;)
		asm volatile("sti; hlt");
}
