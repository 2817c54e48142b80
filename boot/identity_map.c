/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page tables in use between the firmware's and the hypervisor's. The firmware's own tables
 * lie in memory that becomes free, and its ResetSystem() must stay callable; so these map all
 * addresses of its memory map with all permissions. The MTRRs give the memory types.
 */
#include "boot/identity_map.h"

#define ENTRY_P	 (UINT64_C(1) << 0)
#define ENTRY_W	 (UINT64_C(1) << 1)
#define ENTRY_PS (UINT64_C(1) << 7)

#define PAGE_ENTRIES 512
#define LEVELS	     4
#define SIZE_4GIB    (UINT64_C(1) << 32)

/* Bytes an entry of a table of this level (1: the last) maps. */
static uint64_t level_size(int level)
{
	return UINT64_C(1) << (12 + 9 * (level - 1));
}

static uint64_t *pool_take(struct identity_map *map)
{
	uint64_t *table;

	if (map->n_used == map->n_pages)
		return NULL;
	table = &map->pool[PAGE_ENTRIES * map->n_used++];
	for (size_t i = 0; i < PAGE_ENTRIES; i++)
		table[i] = 0;
	return table;
}

/* The entry for 'addr' at this level, with the tables above it; NULL when the pool is used up. */
static uint64_t *find_entry(struct identity_map *map, uint64_t addr, int leaf_level)
{
	uint64_t *table = map->n_used > 0 ? map->pool : pool_take(map);

	for (int level = LEVELS; table; level--) {
		uint64_t *entry = &table[addr / level_size(level) % PAGE_ENTRIES];

		if (level == leaf_level)
			return entry;
		if (*entry == 0) {
			table = pool_take(map);
			*entry = table ? (uintptr_t)table | ENTRY_P | ENTRY_W : 0;
		} else {
			table = (uint64_t *)(uintptr_t)(*entry & -UINT64_C(4096));
		}
	}
	return NULL;
}

/* Map from 'addr' to 'end' or to the end of the table; returns where it stopped, or 'addr'. */
static uint64_t map_run(struct identity_map *map, uint64_t addr, uint64_t end)
{
	int level = map->has_1gib && addr >= SIZE_4GIB ? 3 : 2;
	uint64_t size = level_size(level), table_end = (addr | (level_size(level + 1) - 1)) + 1;
	uint64_t *entry = find_entry(map, addr, level);

	if (entry == NULL)
		return addr;
	if (end > table_end)
		end = table_end;
	for (addr &= -size; addr < end; addr += size)
		*entry++ = addr | ENTRY_P | ENTRY_W | ENTRY_PS;
	return addr;
}

bool identity_map_add(struct identity_map *map, uint64_t start, uint64_t len)
{
	/* The lower half of the canonical addresses. */
	uint64_t limit = level_size(LEVELS + 1) / 2;
	uint64_t end = start < limit && len < limit - start ? start + len : limit;
	uint64_t next;

	for (uint64_t addr = start; addr < end; addr = next) {
		next = map_run(map, addr, end);
		if (next == addr)
			return false;
	}
	return true;
}
