/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds pvpanic, says that its crash kernel starts, and twice that it has panicked. */
#include "tests/guest/lib/lib.h"

#define PORT	     0x505
#define PANICKED     1
#define CRASH_LOADED 2

void payload(void)
{
	report(inb(PORT) == (PANICKED | CRASH_LOADED), "panicked: events %#x", inb(PORT));
	outb(0xfc, PORT); /* no such events */
	outb(CRASH_LOADED, PORT);
	outb(CRASH_LOADED, PORT);
	print("still here\n");
	outb(PANICKED | CRASH_LOADED, PORT);
	outb(PANICKED, PORT);
	report(false, "panicked: the VM continues");
}
