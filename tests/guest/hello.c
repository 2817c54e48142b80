/* SPDX-License-Identifier: BSD-2-Clause */
/* The smallest payload: prints name= and ends. */
#include "tests/guest/lib/lib.h"

void payload(void)
{
	char name[64] = "nobody";

	line_param(command_line(), "name", name, sizeof(name));
	print("hello from %s\n", name);
	report(multiboot() != NULL || pvh() != NULL, "loaded by %s",
	       multiboot() != NULL ? "Multiboot" : "PVH");
}
