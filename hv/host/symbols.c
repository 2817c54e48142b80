/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From an address to the name of the function around it, for backtraces.
 * Assumes the table is sorted by offset; the build checks that it is. Does not
 * know where data are, or any code but our own.
 */
#include "hv/host/symbols.h"

/* The last entry that begins at or below 'offset'. */
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
