/* SPDX-License-Identifier: BSD-2-Clause */
/* A list of page numbers in a chain of frames. */
#include "hv/guest/working_set.h"

#include "hv/frame/frame.h"
#include "hv/frame/phys.h"
#include "hv/guest/region_map.h"

struct chunk {
	phys_t next;
	uint64_t n;
	uint64_t page[PAGE_SIZE / 8 - 2]; /* numbers of guest-physical pages */
};

_Static_assert(sizeof(struct chunk) == PAGE_SIZE, "a frame");

struct recorder {
	phys_t first;
	phys_t *link; /* where to put the address of the next chunk */
	struct chunk *chunk;
	unsigned n_chunks;
};

/* False: no room is left. */
static bool add(struct recorder *recorder, gpa_t gpa)
{
	struct chunk *chunk = recorder->chunk;

	if (chunk == NULL || chunk->n == ARRAY_SIZE(chunk->page)) {
		phys_t frame = recorder->n_chunks < WORKING_SET_FRAMES_MAX ? frame_alloc() : 0;

		if (frame == 0)
			return false;
		recorder->n_chunks++;
		*recorder->link = frame;
		chunk = recorder->chunk = phys_to_virt(frame);
		chunk->next = chunk->n = 0;
		recorder->link = &chunk->next;
	}
	chunk->page[chunk->n++] = gpa.raw / PAGE_SIZE;
	return true;
}

static bool add_region(struct recorder *recorder, const struct ept *ept,
		       const struct mem_region *region)
{
	gpa_t gpa = region->gpa, end = gpa_add(region->gpa, region->len);
	unsigned budget = UINT32_MAX;

	while (ept_next_own(ept, &gpa, end, &budget) != 0) {
		if (!add(recorder, gpa))
			return false;
		gpa = gpa_add(gpa, PAGE_SIZE);
	}
	return true;
}

phys_t working_set_record(const struct ept *ept, const struct mem_map *map)
{
	struct recorder recorder = {.first = 0};

	recorder.link = &recorder.first;
	for (size_t i = 0; i < map->n; i++)
		if (map->region[i].kind == MEM_COW && !add_region(&recorder, ept, &map->region[i]))
			break;
	return recorder.first;
}

uint64_t working_set_count(phys_t set)
{
	uint64_t n = 0;

	while (set != 0) {
		const struct chunk *chunk = phys_to_virt(set);

		n += chunk->n;
		set = chunk->next;
	}
	return n;
}

/*
 * The rest is for pages that VMs do need. Frames are counted now and then only, because that takes
 * their lock.
 */
static bool may_copy(const struct ept *ept, uint64_t n)
{
	return ept->n_owned < ept->max_owned / 2 && (n % FRAME_BATCH != 0 || !frame_is_scarce());
}

enum status working_set_copy(phys_t set, struct ept *ept, struct mem_map *map)
{
	while (set != 0) {
		const struct chunk *chunk = phys_to_virt(set);
		phys_t frame;

		for (uint64_t i = 0; i < chunk->n; i++) {
			gpa_t gpa = {chunk->page[i] * PAGE_SIZE};
			enum status status;

			if (!may_copy(ept, i))
				return ERR_NOMEM;
			status = region_copy_page(ept, mem_map_find(map, gpa), gpa, &frame);
			if (status != OK && status != ERR_NOTFOUND)
				return status;
		}
		set = chunk->next;
	}
	return OK;
}

void working_set_free(phys_t set)
{
	while (set != 0) {
		phys_t next = ((const struct chunk *)phys_to_virt(set))->next;

		frame_free(set);
		set = next;
	}
}
