/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes to page after page, so that all become private, and checks them at the end.
 *	pages=N        how many pages, starting at 8 MiB (1024)
 *	freeze=N       ask to become a template first, so often if it is refused (0)
 *	rom=ADDR       write each page by the second half of a store that begins in this page of ROM
 */
#include "tests/guest/lib/lib.h"

#define CONTROL 0x5354
#define FREEZE	1
#define REFUSED UINT32_MAX
#define START	UINT64_C(0x800000)

static volatile uint64_t *page_at(uint64_t page)
{
	return (volatile uint64_t *)(START + page * PAGE_SIZE);
}

static void store_across(uint64_t rom, uint64_t page)
{
	window_set(0, rom | PTE_P | PTE_W);
	window_set(1, (uint64_t)(uintptr_t)page_at(page) | PTE_P | PTE_W);
	asm volatile("mov %1, (%0)"
		     :
		     : "r"(WINDOW + PAGE_SIZE - 4), "r"((page + 1) << 32)
		     : "memory");
}

void payload(void)
{
	uint64_t n_freezes = param_number("freeze", 0), rom = param_number("rom", 0);
	uint64_t n = param_number("pages", 1024), n_wrong = 0;

	for (bool is_refused = true; is_refused && n_freezes > 0; n_freezes--) {
		outl(FREEZE, CONTROL);
		is_refused = inl(CONTROL) == REFUSED;
	}
	for (uint64_t page = 0; page < n; page++)
		if (rom)
			store_across(rom, page);
		else
			*page_at(page) = page + 1;
	for (uint64_t page = 0; page < n; page++)
		n_wrong += *page_at(page) != page + 1;
	report(n_wrong == 0, "%lu pages written, %lu wrong", n, n_wrong);
}
