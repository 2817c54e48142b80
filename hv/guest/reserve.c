/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory backends with reserve=on. A region that can have n private pages gets
 * n frames, and those that the tree's log will need for them. Its tables are
 * made in advance, which rules out large pages. Clones have no reserve, because
 * there are many.
 */
#include "hv/guest/reserve.h"

#include "hv/frame/frame.h"
#include "hv/lib/print.h"

static uint64_t frames_for(uint64_t len)
{
	uint64_t n_pages = len / PAGE_SIZE;

	return n_pages + n_pages / EPT_LOG_CHUNK_ITEMS + 1;
}

static enum status reserve_region(struct ept *ept, struct mem_region *region)
{
	struct frame_policy policy = backend_frame_policy(region->backend);

	TRY(ept_make_tables(ept, region->gpa, region->len));
	region->reserve = frame_reserve_make(&policy, frames_for(region->len));
	if (region->reserve == NULL)
		return ERR_NOMEM;
	mem_region_update(region);
	return OK;
}

enum status reserve_part(struct ept *ept, struct mem_region *region, uint64_t start, uint64_t len)
{
	struct frame_policy policy = backend_frame_policy(region->backend);

	TRY(ept_make_tables(ept, gpa_add(region->gpa, start), len));
	if (region->reserve == NULL)
		region->reserve = frame_reserve_make(&policy, 0);
	if (region->reserve == NULL)
		return ERR_NOMEM;
	return frame_reserve_add(region->reserve, &policy, frames_for(len));
}

enum status reserve_memory(struct ept *ept, struct mem_map *map, const char *name)
{
	for (size_t i = 0; i < map->n; i++) {
		struct mem_region *region = &map->region[i];
		enum status status;

		if (region->backend == NULL || !backend_has_reserve(region->backend))
			continue;
		status = reserve_region(ept, region);
		if (status == ERR_NOMEM)
			log_error("%s: %lu KiB cannot be set aside for memory '%s' (reserve=on), "
				  "%lu KiB are free: make it smaller, or write reserve=off",
				  name, region->len / KIB(1), region->backend->id,
				  frame_available() * PAGE_SIZE / KIB(1));
		if (status != OK)
			return status;
	}
	return OK;
}

bool reserve_end_some(struct mem_map *map, uint64_t n)
{
	for (size_t i = 0; i < map->n; i++) {
		struct mem_region *region = &map->region[i];

		if (region->reserve == NULL)
			continue;
		if (frame_reserve_free_some(region->reserve, n))
			return true;
		region->reserve = NULL;
		mem_region_update(region);
	}
	return false;
}

void reserve_end(struct mem_map *map)
{
	while (reserve_end_some(map, UINT64_MAX))
		;
}
