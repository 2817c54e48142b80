/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Large pages are not split, except those of the VM's own: what a VM has not written since it was
 * made costs it nothing, and stays mapped.
 */
#include "hv/guest/discard.h"

#include "hv/frame/frame.h"
#include "hv/lib/assert.h"

static void take(struct discard *discard, struct guest_memory *memory, gpa_t gpa)
{
	phys_t frame = ept_discard(memory->ept, gpa);

	assert(discard->n < DISCARD_MAX);
	if (frame != 0)
		discard->frame[discard->n++] = frame;
}

void discard_page(struct discard *discard, struct guest_memory *memory, gpa_t gpa)
{
	const struct mem_region *region = mem_map_find(memory->map, gpa);

	if (region != NULL && mem_region_gives_back(region))
		take(discard, memory, gpa);
}

/* The end of gpa's region, or of its page if it is not memory. */
static gpa_t end_of_part(const struct mem_region *region, gpa_t gpa, gpa_t end)
{
	gpa_t part = region != NULL ? gpa_add(region->gpa, region->len) : gpa_add(gpa, PAGE_SIZE);

	return part.raw < end.raw ? part : end;
}

gpa_t discard_some(struct discard *discard, struct guest_memory *memory, gpa_t gpa, gpa_t end)
{
	unsigned budget = DISCARD_MAX;

	while (budget > 0 && gpa.raw < end.raw) {
		const struct mem_region *region = mem_map_find(memory->map, gpa);
		gpa_t part = end_of_part(region, gpa, end);

		if (region != NULL && mem_region_gives_back(region)) {
			if (ept_next_own(memory->ept, &gpa, part, &budget) == 0)
				continue;
			take(discard, memory, gpa);
			part = gpa_add(gpa, PAGE_SIZE);
		}
		gpa = part;
		budget--;
	}
	return gpa;
}

void discard_free(struct discard *discard)
{
	while (discard->n > 0)
		frame_free(discard->frame[--discard->n]);
}
