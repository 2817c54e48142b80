/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/*
 * Page tables inside a region, the same four pages whether the guest writes them (COW,
 * shared) or make_pattern did (ROM): PDPT, PD, PT, data. Accessed and dirty bits clear.
 * The first entry of each points to the next; the PT maps RAM, then the data page.
 */
#include <stdint.h>

#define TABLES_RAM   UINT64_C(0xfff000) /* guest-physical, outside the payload */
#define TABLES_PDPT  0
#define TABLES_PD    1
#define TABLES_PT    2
#define TABLES_DATA  3
#define TABLES_PAGES 4

/* Entry 'n' of table 'page' when the four pages start at 'base'; 0 beyond. */
static inline uint64_t tables_entry(uint64_t base, unsigned page, unsigned n)
{
	if (page < TABLES_PT && n == 0)
		return (base + (page + 1) * UINT64_C(4096)) | 3;
	if (page == TABLES_PT && n == 0)
		return TABLES_RAM | 3;
	if (page == TABLES_PT && n == 1)
		return (base + TABLES_DATA * UINT64_C(4096)) | 3;
	return 0;
}
