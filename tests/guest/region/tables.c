/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's page tables lie in the region with clear accessed and dirty bits, so that the
 * processor's walk must write there. In ROM these writes are dropped like any other, and the
 * translation works. With tables= the image holds the tables, otherwise the guest writes them.
 * QEMU's TCG loops forever in such a walk in ROM, unless the bits are already set.
 */
#include "tests/guest/region/tables.h"
#include "tests/guest/region/region.h"

#define SLOT	  1u /* of the PML4 */
#define VA_RAM	  (UINT64_C(1) << 39)
#define VA_DATA	  (VA_RAM + PAGE_SIZE)
#define RAM_VALUE UINT64_C(0x7ab1e5)
#define NEW_VALUE UINT64_C(0xdada)
#define SPARE	  7u /* an entry that is 0 */

static uint64_t in_image[TABLES_DATA][2]; /* the entries, read before any walk */

static volatile uint64_t *entry(uint64_t base, unsigned page)
{
	return (volatile uint64_t *)(base + page * PAGE_SIZE);
}

static void write_tables(uint64_t base)
{
	for (unsigned page = 0; page < TABLES_DATA; page++) {
		for (unsigned n = 0; n < 512; n++)
			entry(base, page)[n] = tables_entry(base, page, n);
	}
}

static void expect_bits(uint64_t base, const char *when, unsigned page, unsigned n, uint64_t bits)
{
	uint64_t found = entry(base, page)[n];
	uint64_t right = tables_entry(base, page, n) | bits;

	if (region.expect == EXPECT_ROM)
		right = in_image[page][n];
	report(found == right, "tables: entry %u.%u is %#lx %s", page, n, found, when);
}

static void touch(uint64_t base)
{
	volatile uint64_t *ram = (volatile uint64_t *)VA_RAM;
	volatile uint64_t *data = (volatile uint64_t *)VA_DATA;
	uint64_t old = *entry(base, TABLES_DATA);

	report(*ram == RAM_VALUE, "tables: RAM read through them");
	expect_bits(base, "after a read", TABLES_PDPT, 0, PTE_A);
	expect_bits(base, "after a read", TABLES_PD, 0, PTE_A);
	expect_bits(base, "after a read", TABLES_PT, 0, PTE_A);
	*ram = NEW_VALUE;
	report(*(volatile uint64_t *)TABLES_RAM == NEW_VALUE, "tables: RAM written through them");
	expect_bits(base, "after a write", TABLES_PT, 0, PTE_A | PTE_D);
	report(*data == old, "tables: the region read through itself");
	*data = NEW_VALUE;
	report(*data == (region.expect == EXPECT_ROM ? old : NEW_VALUE),
	       "tables: the region written through itself");
	expect_bits(base, "after a write", TABLES_PT, 1, PTE_A | PTE_D);
	entry(base, TABLES_PT)[SPARE] = NEW_VALUE;
	report(entry(base, TABLES_PT)[SPARE] == (region.expect == EXPECT_ROM ? 0 : NEW_VALUE),
	       "tables: a store to a table's page");
}

void tables_check(void)
{
	uint64_t at = param_number("tables", region.work + 8 * PAGE_SIZE);
	uint64_t base = region.base + at;

	if (region.expect == EXPECT_ROM && !param_given("tables")) {
		report_skip("tables: the image holds none");
		return;
	}
	if (!param_given("tables"))
		write_tables(base);
	for (unsigned page = 0; page < TABLES_DATA; page++)
		memcpy(in_image[page], (void *)entry(base, page), sizeof(in_image[page]));
	*(volatile uint64_t *)TABLES_RAM = RAM_VALUE;
	pml4_set(SLOT, base | PTE_P | PTE_W);
	touch(base);
	pml4_set(SLOT, 0);
}
