/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A page for the first instructions of processors. It is chosen after the firmware has given up its
 * boot services: some firmware has all memory below 1 MiB in use until then.
 */
#include "hv/host/low_page.h"

phys_t low_page_find(const struct boot_range *ranges, uint32_t n)
{
	phys_t page = 0;

	for (uint32_t i = 0; i < n && ranges[i].start < MIB(1); i++) {
		uint64_t end = ranges[i].start + ranges[i].len;

		end = align_down(end < MIB(1) ? end : MIB(1), PAGE_SIZE);
		if (ranges[i].use == BOOT_MEM_FREE && end > ranges[i].start + PAGE_SIZE - 1)
			page = end - PAGE_SIZE;
	}
	return page;
}
