/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two entries at a time, by vector instructions: it is most of the work where a VM first writes to
 * a large page. A guest's vector registers are in the processor meanwhile, so the two that are used
 * here are put back. Needs CR4.OSFXSR, and CR0.TS clear. A file of its own, so that a proof can
 * replace it.
 */
#include "hv/ept/fill.h"

struct pair {
	uint64_t low, high;
};

/* clang-format off */
#define STORE(at)  "movups %%xmm0, " #at "(%[to])\n\tpaddq %%xmm1, %%xmm0\n\t"
#define STORES(at) STORE(at) STORE(at + 16) STORE(at + 32) STORE(at + 48)
/* clang-format on */

void table_fill(uint64_t *table, uint64_t first, uint64_t step)
{
	const struct pair start = {first, first + step}, steps = {2 * step, 2 * step};
	const uint64_t *end = table + 512;
	struct pair saved[2];

	asm volatile("movups %%xmm0, %[saved0]\n\t"
		     "movups %%xmm1, %[saved1]\n\t"
		     "movups %[start], %%xmm0\n\t"
		     "movups %[steps], %%xmm1\n"
		     "1:\t" STORES(0) STORES(64) STORES(128) STORES(192) STORES(256) STORES(320)
			     STORES(384) STORES(448) "add $512, %[to]\n\t"
						     "cmp %[end], %[to]\n\t"
						     "jne 1b\n\t"
						     "movups %[saved0], %%xmm0\n\t"
						     "movups %[saved1], %%xmm1\n\t"
		     : [to] "+r"(table), [saved0] "=&m"(saved[0]), [saved1] "=&m"(saved[1])
		     : [start] "m"(start), [steps] "m"(steps), [end] "r"(end)
		     : "memory", "cc");
}
