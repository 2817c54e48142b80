/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds the function that contains an address, for backtraces. Assumes that the table is sorted by
 * offset, which the build checks. Knows neither data nor code outside the image.
 */
#include "hv/host/symbols.h"

/* The last entry that starts at or below 'offset'. */
static const struct symbol_entry *entry_before(uint64_t offset)
{
	uint32_t low = 0, high = symbol_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (symbol_table[middle].offset <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 ? &symbol_table[low - 1] : NULL;
}

const char *symbol_find(uint64_t addr, uint64_t *ret_offset)
{
	uint64_t base = (uintptr_t)image_base;
	const struct symbol_entry *entry = addr >= base ? entry_before(addr - base) : NULL;

	if (entry == NULL || symbol_names[entry->name] == '\0')
		return NULL;
	*ret_offset = addr - base - entry->offset;
	return &symbol_names[entry->name];
}

const char *symbol_find_start_only(uint64_t addr)
{
	uint64_t offset;

	if (addr < (uintptr_t)init_start || addr >= (uintptr_t)init_end)
		return NULL;
	return symbol_find(addr, &offset);
}
