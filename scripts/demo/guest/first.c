/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest over a file: it reads the file's text in its memory, and writes its own name there. */
#include "tests/guest/lib/lib.h"

#define TEXT 0xc00000 /* 12 MiB: where the text lies in the file, and so in the guest's memory */

void payload(void)
{
	volatile char *text = (volatile char *)TEXT;
	char name[32] = "guest";

	line_param(command_line(), "name", name, sizeof(name));
	print("%s reads: %s\n", name, (const char *)text);
	for (unsigned i = 0; name[i] != '\0'; i++)
		text[i] = name[i];
	print("%s has written: %s\n", name, (const char *)text);
	exit_vm(0);
}
