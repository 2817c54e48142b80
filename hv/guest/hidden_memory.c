/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The same decisions as for a guest's memory: private pages are copied, a shared image is changed
 * where it is, and what is read-only is not written.
 */
#include "hv/guest/hidden_memory.h"

#include "hv/frame/phys.h"
#include "hv/guest/region_map.h"
#include "hv/lib/assert.h"
#include "hv/lib/string.h"

const void *hidden_byte(struct guest_memory *memory, gpa_t gpa)
{
	unsigned level;
	uint64_t entry;

	if (mem_map_find_hidden(memory->map, gpa) == NULL)
		return NULL;
	entry = ept_lookup(memory->ept, gpa, &level);
	assert(entry & EPT_MAPPED); /* regions are fully mapped */
	return phys_to_virt((entry & EPT_ADDR) + (gpa.raw & ((PAGE_SIZE << (9 * level)) - 1)));
}

/* The region that has all of the range, if it may be written; else NULL. */
static const struct mem_region *find_writable(struct guest_memory *memory, gpa_t gpa, uint64_t len)
{
	const struct mem_region *region = mem_map_find_hidden(memory->map, gpa);

	if (region == NULL || region->kind == MEM_ROM ||
	    len > region->len - (gpa.raw - region->gpa.raw))
		return NULL;
	return region;
}

/* Where a byte of the region may be written, valid for the rest of the page. */
static enum status writable_byte(struct guest_memory *memory, const struct mem_region *region,
				 gpa_t gpa, void **ret)
{
	uint64_t offset = gpa.raw - region->gpa.raw, entry;
	unsigned level;
	phys_t frame;

	if (region->kind == MEM_SHARED) {
		*ret = phys_to_virt(region->image->base + region->offset + offset);
		return OK;
	}
	entry = ept_lookup(memory->ept, gpa, &level);
	frame = ept_frame_at(entry, level, gpa);
	if (!(entry & EPT_OWN))
		TRY(region_copy_page(memory->ept, region, gpa, &frame));
	*ret = phys_to_virt(frame + gpa.raw % PAGE_SIZE);
	return OK;
}

enum status hidden_write(struct guest_memory *memory, gpa_t gpa, const void *buf, uint64_t len)
{
	const struct mem_region *region = find_writable(memory, gpa, len);
	const char *from = buf;

	if (region == NULL)
		return ERR_RANGE;
	while (len > 0) {
		uint64_t n = part_in_page(gpa.raw, len);
		void *to;

		TRY(writable_byte(memory, region, gpa, &to));
		memcpy(to, from, n);
		gpa = gpa_add(gpa, n);
		from += n;
		len -= n;
	}
	return OK;
}

enum status hidden_zero(struct guest_memory *memory, gpa_t gpa, uint64_t len)
{
	const struct mem_region *region = find_writable(memory, gpa, len);

	if (region == NULL)
		return ERR_RANGE;
	while (len > 0) {
		uint64_t n = part_in_page(gpa.raw, len);
		void *to;

		TRY(writable_byte(memory, region, gpa, &to));
		memset(to, 0, n);
		gpa = gpa_add(gpa, n);
		len -= n;
	}
	return OK;
}

enum status hidden_discard(struct guest_memory *memory, gpa_t gpa, uint64_t len, uint64_t *ret_done)
{
	const struct mem_region *region = find_writable(memory, gpa, len);

	if (region == NULL || region->kind != MEM_COW)
		return ERR_RANGE;
	return ept_drop(memory->ept, gpa, len, ret_done);
}
