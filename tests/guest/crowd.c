/* SPDX-License-Identifier: BSD-2-Clause */
/* Becomes a template; each clone prints its number, then idles. */
#include "tests/guest/lib/lib.h"

#define CONTROL 0x5354
#define FREEZE	1

void payload(void)
{
	outl(FREEZE, CONTROL);
	print("crowd: clone %u\n", inl(CONTROL));
	for (;;)
		asm volatile("sti; hlt");
}
