/* SPDX-License-Identifier: BSD-2-Clause */
/* The layout of the file of memory. It is computed at each call, because regions are few. */
#include "hv/guest/saved_memory.h"

#include "hv/guest/hidden_memory.h"
#include "hv/lib/assert.h"
#include "hv/lib/string.h"

static bool is_saved(const struct mem_region *region)
{
	if (region->kind == MEM_SHARED)
		return region->image == NULL || *region->image->path == '\0';
	return region->kind == MEM_COW;
}

/* A backend has a second region if it continues above 4 GiB. */
static bool is_first(const struct mem_region *region)
{
	return is_saved(region) && memory_backend_offset(region) == 0;
}

/* Step over the backend that begins with the region. Where it begins in the file. */
static uint64_t step_over(const struct mem_region *first, uint64_t *end)
{
	uint64_t place = align_up(*end, SAVED_ALIGN);

	*end = place + align_up(first->backend->size, PAGE_SIZE);
	return place;
}

/* Where the backend begins in the file; NULL: where the file ends. */
static uint64_t add_up(const struct mem_map *map, const struct backend *backend)
{
	uint64_t end = 0, place;

	for (size_t i = 0; i < mem_map_all(map); i++) {
		const struct mem_region *region = &map->region[i];

		if (!is_first(region))
			continue;
		place = step_over(region, &end);
		if (region->backend == backend)
			return place;
	}
	return end;
}

uint64_t saved_memory_size(const struct mem_map *map)
{
	return add_up(map, NULL);
}

bool saved_memory_is_shared(const struct mem_map *map)
{
	for (size_t i = 0; i < mem_map_all(map); i++)
		if (is_saved(&map->region[i]) && map->region[i].kind == MEM_SHARED)
			return true;
	return false;
}

bool saved_memory_place(const struct mem_map *map, const struct mem_region *region, uint64_t *ret)
{
	if (!is_saved(region))
		return false;
	*ret = add_up(map, region->backend);
	return true;
}

static void read_page(struct guest_memory *memory, const struct mem_region *region, uint64_t offset,
		      void *page)
{
	gpa_t gpa = gpa_add(region->gpa, offset);
	enum status status;

	if (mem_region_is_hidden(region)) {
		memcpy(page, hidden_byte(memory, gpa), PAGE_SIZE);
		return;
	}
	status = guest_read(memory, gpa, page, PAGE_SIZE);
	assert(status == OK); /* the region is the VM's memory */
}

void saved_memory_read(struct guest_memory *memory, uint64_t offset, void *page)
{
	const struct mem_map *map = memory->map;
	uint64_t end = 0, place;

	for (size_t i = 0; i < mem_map_all(map); i++) {
		const struct mem_region *region = &map->region[i];

		if (!is_saved(region))
			continue;
		place = is_first(region) ? step_over(region, &end) : add_up(map, region->backend);
		place += memory_backend_offset(region);
		if (offset < place || offset - place >= region->len)
			continue;
		read_page(memory, region, offset - place, page);
		return;
	}
	memset(page, 0, PAGE_SIZE);
}
