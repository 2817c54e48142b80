/* SPDX-License-Identifier: BSD-2-Clause */
/* Triple fault: an exception without an IDT to deliver it. */
#include "tests/guest/lib/lib.h"

void payload(void)
{
	static const struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) empty;

	print("triple fault follows\n");
	asm volatile("lidt %0; int3" : : "m"(empty));
	report(false, "triple: the VM continues");
}
