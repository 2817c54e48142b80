/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Works beside others and tells how fast, and whether anything has touched its memory. A unit of
 * work checks the checksum of one block of memory, and fills the block with new values.
 *
 *	blocks=N	blocks of 16 KiB (128)
 *	cow=ADDRESS	private memory over the test image: its words start as PATTERN() (none)
 *	reference=N	TSC ticks of the first measurement, the reference (50000000)
 *	window=N	TSC ticks from one line to the next (50000000)
 *	windows=N	how many lines, then it ends (0: never)
 */
#include "tests/guest/lib/lib.h"

#define START	   UINT64_C(0x800000)
#define WORDS	   (UINT64_C(16384) / 8)
#define COW_WORDS  UINT64_C(32768)
#define BLOCKS_MAX 512

/* Instructions that a word takes: the loops are assembly, so that what has been done is known. */
#define FILL_LENGTH UINT64_C(8)
#define SUM_LENGTH  UINT64_C(5)
#define UNIT_LENGTH (WORDS * (FILL_LENGTH + SUM_LENGTH))

static uint64_t sums[BLOCKS_MAX];
static uint64_t n_blocks, n_units, n_wrong, cow;

static uint64_t *block_at(uint64_t n)
{
	return (uint64_t *)START + n * WORDS;
}

static void fill(uint64_t block)
{
	uint64_t value = block * UINT64_C(0x9e3779b97f4a7c15) + n_units, sum = 0;
	uint64_t *at = block_at(block), *end = at + WORDS;

	asm volatile("1:	imul %4, %0\n\t"
		     "inc %0\n\t"
		     "mov %0, (%2)\n\t"
		     "rol $1, %1\n\t"
		     "xor %0, %1\n\t"
		     "add $8, %2\n\t"
		     "cmp %3, %2\n\t"
		     "jb 1b"
		     : "+r"(value), "+r"(sum), "+r"(at)
		     : "r"(end), "r"(UINT64_C(6364136223846793005))
		     : "memory", "cc");
	sums[block] = sum;
}

static bool is_right(uint64_t block)
{
	uint64_t sum = 0, *at = block_at(block), *end = at + WORDS;

	asm volatile("1:	rol $1, %0\n\t"
		     "xor (%1), %0\n\t"
		     "add $8, %1\n\t"
		     "cmp %2, %1\n\t"
		     "jb 1b"
		     : "+r"(sum), "+r"(at)
		     : "r"(end)
		     : "memory", "cc");
	return sum == sums[block];
}

/* One page of the private image: half as it was, half as this guest has written it. */
static bool cow_is_right(uint64_t unit)
{
	volatile uint64_t *words = (volatile uint64_t *)cow;
	uint64_t at = unit * 512 % COW_WORDS;

	if (cow == 0)
		return true;
	if (words[at] != PATTERN(at * 8))
		return false;
	words[at + 8] = unit;
	return words[at + 8] == unit && words[at + 16] == PATTERN((at + 16) * 8);
}

static void work(void)
{
	uint64_t block = n_units % n_blocks;

	n_wrong += !is_right(block) || !cow_is_right(n_units);
	fill(block);
	n_units++;
}

/* Units per 2^20 ticks, times 1000. */
static uint64_t measure(uint64_t ticks)
{
	uint64_t start = rdtsc(), before = n_units, end;

	do {
		work();
		end = rdtsc();
	} while (end - start < ticks);
	return ((n_units - before) * 1000 << 20) / (end - start);
}

void payload(void)
{
	uint64_t window = param_number("window", 50000000), windows = param_number("windows", 0);
	uint64_t reference;

	cow = param_number("cow", 0);
	n_blocks = param_number("blocks", 128);
	for (uint64_t i = 0; i < n_blocks; i++)
		fill(i);
	reference = measure(param_number("reference", 50000000));
	print("victim: reference %lu\n", reference);
	for (uint64_t i = 0; windows == 0 || i < windows; i++) {
		uint64_t got = measure(window);

		print("victim: window %lu: %lu %% of the reference, %lu units, %lu wrong, %lu "
		      "instructions\n",
		      i, got * 100 / reference, n_units, n_wrong, n_units * UNIT_LENGTH);
	}
	report(n_wrong == 0, "victim: %lu blocks wrong", n_wrong);
}
