/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Becomes a template. Each clone writes a random number of pages, mostly few, reverts up to twice,
 * and ends. Every thousandth prints the time: each thousand repeats one series of numbers.
 *
 *	wait=N	TSC ticks before the freeze (0)
 */
#include "tests/guest/lib/lib.h"

#define CONTROL	  0x5354
#define CONTROL_N (CONTROL + 12)
#define FREEZE	  1
#define REVERT	  2
#define SIZES	  9 /* powers of two */
#define PAGES	  (UINT64_C(1) << (SIZES - 1))
#define SERIES	  1000
#define START	  UINT64_C(0x800000)

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	return x ^ x >> 27;
}

static void write_pages(uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		*(volatile uint64_t *)(START + i * PAGE_SIZE) = n;
}

void payload(void)
{
	uint64_t start = rdtsc(), random;
	uint32_t number, n_reverts;

	write_pages(PAGES / 2);
	print("endure: waits\n");
	while (rdtsc() - start < param_number("wait", 0))
		cpu_pause();
	outl(FREEZE, CONTROL);
	number = inl(CONTROL);
	n_reverts = inl(CONTROL_N);
	random = mix(number % SERIES + 1);
	write_pages(1 + random / SIZES % (UINT64_C(1) << random % SIZES));
	if (n_reverts < random / SIZES / PAGES % 3)
		outl(REVERT, CONTROL);
	if (number % SERIES == 0)
		print("endure: clone %u at %lu\n", number, rdtsc());
	exit_vm(0);
}
