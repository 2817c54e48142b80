/* SPDX-License-Identifier: BSD-2-Clause */
/* The layout of the file of memory. It is computed at each call, because regions are few. */
#include "hv/guest/saved_memory.h"

#include "hv/ept/difference.h"
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

/* A region, and where it begins in the file. */
struct place {
	const struct mem_region *region;
	uint64_t at;
};

/* The region that has the page at 'offset' of the file; else the next one. False: there is none. */
static bool find(const struct mem_map *map, uint64_t offset, struct place *ret)
{
	uint64_t end = 0;

	*ret = (struct place){.at = UINT64_MAX};
	for (size_t i = 0; i < mem_map_all(map); i++) {
		const struct mem_region *region = &map->region[i];
		uint64_t at;

		if (!is_saved(region))
			continue;
		at = is_first(region) ? step_over(region, &end) : add_up(map, region->backend);
		at += memory_backend_offset(region);
		if (offset < at + region->len && at < ret->at)
			*ret = (struct place){region, at};
	}
	return ret->region != NULL;
}

static const void *page_of(struct guest_memory *memory, const struct mem_region *region, gpa_t gpa)
{
	const void *page =
		mem_region_is_hidden(region) ? hidden_byte(memory, gpa) : guest_byte(memory, gpa);

	assert(page != NULL); /* the region is the VM's memory */
	return page;
}

void saved_memory_read(struct guest_memory *memory, uint64_t offset, void *page)
{
	struct place place;

	if (!find(memory->map, offset, &place) || offset < place.at) {
		memset(page, 0, PAGE_SIZE);
		return;
	}
	memcpy(page, page_of(memory, place.region, gpa_add(place.region->gpa, offset - place.at)),
	       PAGE_SIZE);
}

enum status saved_memory_write(struct guest_memory *memory, uint64_t offset, const void *page)
{
	struct place place;
	gpa_t gpa;

	if (!find(memory->map, offset, &place) || offset < place.at)
		return ERR_RANGE;
	gpa = gpa_add(place.region->gpa, offset - place.at);
	if (memcmp(page_of(memory, place.region, gpa), page, PAGE_SIZE) == 0)
		return OK;
	if (mem_region_is_hidden(place.region))
		return hidden_write(memory, gpa, page, PAGE_SIZE);
	return guest_write(memory, gpa, page, PAGE_SIZE);
}

uint64_t saved_memory_next(const struct guest_memory *memory, phys_t below, uint64_t offset,
			   unsigned *budget)
{
	struct place place;

	while (find(memory->map, offset, &place)) {
		gpa_t start = place.region->gpa, end = gpa_add(start, place.region->len), gpa;

		gpa = offset > place.at ? gpa_add(start, offset - place.at) : start;
		gpa = ept_next_difference(memory->ept, below, gpa, end, budget);
		offset = place.at + (gpa.raw - start.raw);
		if (gpa.raw < end.raw || *budget == 0)
			return offset;
	}
	return saved_memory_size(memory->map);
}
