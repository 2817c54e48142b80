/* SPDX-License-Identifier: BSD-2-Clause */
/* Page tables for a start in 64-bit mode. SDM vol. 3, "4-Level Paging and 5-Level Paging". */
#include "hv/loader/page_tables.h"

#define PAGE_TABLE_RW_PRESENT 0x3
#define PAGE_TABLE_LARGE      BIT(7)
#define N_DIRECTORIES	      4 /* of 1 GiB each */

static enum status write_directory(struct loader *loader, uint64_t n)
{
	uint64_t entries[32];
	uint64_t addr = loader_at(loader, LOADER_PAGE_TABLES) + (2 + n) * PAGE_SIZE;

	for (uint64_t i = 0; i < 512; i += ARRAY_SIZE(entries)) {
		for (uint64_t k = 0; k < ARRAY_SIZE(entries); k++)
			entries[k] = GIB(n) + MIB(2) * (i + k) + PAGE_TABLE_LARGE +
				     PAGE_TABLE_RW_PRESENT;
		TRY(loader_write(loader, addr + i * 8, entries, sizeof(entries)));
	}
	return OK;
}

enum status loader_write_page_tables(struct loader *loader)
{
	uint64_t tables = loader_at(loader, LOADER_PAGE_TABLES);
	uint64_t pml4e = tables + PAGE_SIZE + PAGE_TABLE_RW_PRESENT;

	TRY(loader_zero(loader, tables, 2 * PAGE_SIZE));
	TRY(loader_write(loader, tables, &pml4e, sizeof(pml4e)));
	for (uint64_t n = 0; n < N_DIRECTORIES; n++) {
		uint64_t pdpte = tables + (2 + n) * PAGE_SIZE + PAGE_TABLE_RW_PRESENT;

		TRY(loader_write(loader, tables + PAGE_SIZE + n * 8, &pdpte, sizeof(pdpte)));
		TRY(write_directory(loader, n));
	}
	loader->state->page_tables = (gpa_t){tables};
	return OK;
}
