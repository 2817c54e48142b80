/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A VM's memory as a sorted table of windows, with binary search. Does not know
 * how high the EPT reaches.
 */
#include "hv/guest/region.h"

static bool has_policy(const struct mem_region *region)
{
	return region->backend != NULL && region->backend->policy != POLICY_DEFAULT;
}

void mem_region_update(struct mem_region *region)
{
	region->copies_anywhere =
		region->kind == MEM_COW && !has_policy(region) && region->reserve == NULL;
}

bool mem_region_gives_back(const struct mem_region *region)
{
	return region->kind == MEM_COW && region->reserve == NULL &&
	       (region->backend == NULL || !region->backend->prealloc);
}

static uint64_t region_end(const struct mem_region *region)
{
	return region->gpa.raw + region->len;
}

enum status mem_map_add(struct mem_map *map, const struct mem_region *region)
{
	size_t i = 0, n = mem_map_all(map);
	uint64_t end;

	if (region->len == 0 || !is_aligned(region->gpa.raw | region->len, PAGE_SIZE))
		return ERR_RANGE;
	if (__builtin_add_overflow(region->gpa.raw, region->len, &end))
		return ERR_RANGE;
	if (!mem_region_is_hidden(region) && end > MEM_HIDDEN_START)
		return ERR_RANGE;
	while (i < n && region_end(&map->region[i]) <= region->gpa.raw)
		i++;
	if (i < n && map->region[i].gpa.raw < end)
		return ERR_OVERLAP;
	if (n == MEM_MAP_MAX)
		return ERR_NOMEM;
	for (size_t j = n; j > i; j--)
		map->region[j] = map->region[j - 1];
	map->region[i] = *region;
	mem_region_update(&map->region[i]);
	if (mem_region_is_hidden(region))
		map->n_hidden++;
	else
		map->n++;
	return OK;
}

void mem_map_remove(struct mem_map *map, gpa_t gpa)
{
	size_t i = 0;

	while (map->region[i].gpa.raw != gpa.raw)
		i++;
	map->n--;
	for (; i < mem_map_all(map); i++)
		map->region[i] = map->region[i + 1];
}

/* Look among n regions. */
static struct mem_region *find(struct mem_region *first, size_t n, gpa_t gpa)
{
	/* Only the n from 'first' on may contain gpa. */
	while (n > 1) {
		size_t half = n / 2;

		if (first[half].gpa.raw <= gpa.raw)
			first += half;
		n -= half;
	}
	return n > 0 && gpa.raw - first->gpa.raw < first->len ? first : NULL;
}

struct mem_region *mem_map_find(struct mem_map *map, gpa_t gpa)
{
	return find(map->region, map->n, gpa);
}

struct mem_region *mem_map_find_hidden(struct mem_map *map, gpa_t gpa)
{
	return find(&map->region[map->n], map->n_hidden, gpa);
}

uint64_t memory_backend_offset(const struct mem_region *region)
{
	return region->image != NULL ? region->offset - region->backend->offset : region->offset;
}
