/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Becomes a template. Its clones check what they got, change it, and may freeze again.
 *	depth=D        clones freeze again until generation D (1)
 *	pages=N        pages that hold a pattern and that every clone writes (16)
 *	cpus=N         processors; all except the first only count (1)
 *	reverts=N      how often clones of the last generation revert to the template (0)
 */
#include "tests/guest/lib/smp.h"

#define CONTROL	  0x5354
#define SIGNATURE 0x434e5453
#define FREEZE	  1
#define REVERT	  2
#define PAGES_MAX 256
#define WORDS	  (PAGE_SIZE / sizeof(uint64_t))

static uint64_t pages[PAGES_MAX][WORDS] __attribute__((aligned(4096)));
/* Memory that all generations of a VM share: what each leaves for the next. */
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

static volatile uint64_t counts[SMP_MAX];

static void count_on(unsigned cpu)
{
	for (;;) {
		counts[cpu]++;
		asm volatile("pause");
	}
}

/* Whether all other processors count, within a generous time. */
static bool others_count(unsigned n)
{
	for (unsigned cpu = 1; cpu < n; cpu++) {
		uint64_t was = counts[cpu], rounds = 0;

		while (counts[cpu] == was && rounds < UINT64_C(1) << 32)
			rounds++;
		if (counts[cpu] == was)
			return false;
	}
	return true;
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
	unsigned n_cpus = (unsigned)param_number("cpus", 1);
	uint64_t wrong = 0;
	uint32_t number;

	if (inl(CONTROL + 4) != SIGNATURE) {
		report_missing("no control port");
		return;
	}
	for (uint64_t page = 0; page < n; page++)
		pages[page][(page + 7) % WORDS] = ~original(page);
	write_marks(n);
	if (n_cpus > 1)
		report(smp_find() == n_cpus && smp_start(count_on) && others_count(n_cpus),
		       "%u processors count", n_cpus);
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
	if (n_cpus > 1)
		report(others_count(n_cpus), "%u processors go on counting", n_cpus);
	(void)reverts;
}
