/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Dirties pages of RAM so that merging can find equal ones, sleeps, and checks them again;
 * then changes some and checks the others. Pages n with n % 3: 0 are zeros, 1 are
 * alike in every guest that runs this, 2 are unique.
 *	ms=	how long to sleep between checks
 *	rounds=	how often
 *	name=	a number that makes the unique pages unique
 *	pages=	how many there are
 */
#include "tests/guest/lib/lib.h"

#define TIMER_VECTOR 0x40
#define START	     UINT64_C(0x800000)
#define WORDS	     (PAGE_SIZE / 8)

static uint64_t name, n_pages;

static uint64_t *page_at(unsigned n)
{
	return (uint64_t *)(START + n * PAGE_SIZE);
}

static uint64_t word_of(unsigned page, unsigned word)
{
	switch (page % 3) {
	case 0:
		return 0;
	case 1:
		return UINT64_C(0x1234567) * (word + 1);
	default:
		return name << 32 | page << 16 | word;
	}
}

static void fill(unsigned page)
{
	for (unsigned i = 0; i < WORDS; i++)
		page_at(page)[i] = word_of(page, i);
}

static bool is_right(unsigned page)
{
	for (unsigned i = 0; i < WORDS; i++)
		if (page_at(page)[i] != word_of(page, i))
			return false;
	return true;
}

static void sleep_ms(uint32_t ms)
{
	static uint32_t n;

	/* The APIC's clock has 1 GHz, divided by 2. */
	for (; ms > 0; ms--) {
		apic_write(APIC_TIMER_INITIAL, 500000);
		n++;
		while (irq_count[TIMER_VECTOR] < n)
			sti_hlt_cli();
	}
}

static unsigned count_wrong(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < n_pages; i++)
		n += !is_right(i);
	return n;
}

void payload(void)
{
	uint32_t ms = (uint32_t)param_number("ms", 1000);
	uint32_t rounds = (uint32_t)param_number("rounds", 3);

	name = param_number("name", 1);
	n_pages = param_number("pages", 384);
	apic_enable();
	irq_count_on(TIMER_VECTOR);
	apic_write(APIC_LVT_TIMER, TIMER_VECTOR);
	for (unsigned i = 0; i < n_pages; i++) {
		page_at(i)[7] = 1;
		fill(i);
	}
	for (uint32_t round = 0; round < rounds; round++) {
		unsigned n_wrong;

		sleep_ms(ms);
		n_wrong = count_wrong();
		report(n_wrong == 0, "merge: %u pages are wrong after %u ms", n_wrong, ms);
		/* Change a word in some pages, and change it back later. */
		for (unsigned i = round; i < n_pages; i += 5)
			page_at(i)[i] = ~page_at(i)[i];
		for (unsigned i = round; i < n_pages; i += 5)
			page_at(i)[i] = ~page_at(i)[i];
		n_wrong = count_wrong();
		report(n_wrong == 0, "merge: %u pages are wrong after writes", n_wrong);
	}
}
