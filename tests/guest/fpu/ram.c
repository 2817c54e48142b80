/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Anonymous RAM is zero before its first use, without bytes of another VM. Checks RAM above
 * 16 MiB, where no loader has put anything, then fills it with a value of its own, which the
 * next owner of the frames must not see.
 */
#include "tests/guest/fpu/fpu.h"

#define START	UINT64_C(0x1000000)
#define RESIDUE UINT64_C(0x5ec2e75ec2e7)

void ram_check(void)
{
	/* Firmware, if there is any, keeps its tables just below the top. */
	uint64_t end = ram_top() & ~(UINT64_C(0x200000) - 1);
	uint64_t at = START;

	while (at < end && *(const uint64_t *)at == 0)
		at += 8;
	if (at < end)
		report(false, "ram: %#lx at %#lx", *(const uint64_t *)at, at);
	else
		report(true, "ram: %#lx to %#lx is zero", START, end);
	if (!param_given("dirty"))
		return;
	for (at = START; at < end; at += PAGE_SIZE)
		*(volatile uint64_t *)at = RESIDUE;
}
