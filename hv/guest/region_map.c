/* SPDX-License-Identifier: BSD-2-Clause */
/* Map regions into the tree: where their bytes are, and how they may be used. */
#include "hv/guest/region_map.h"

#include "hv/lib/assert.h"

uint64_t region_attr(enum mem_kind kind)
{
	uint64_t attr = EPT_R | EPT_X | EPT_TYPE(MEMORY_TYPE_WB);

	return kind == MEM_SHARED ? attr | EPT_W : attr;
}

/* Map [start, start + len) of a region, in bytes from its beginning. */
static enum status map_part(struct ept *ept, const struct mem_region *region, uint64_t start,
			    uint64_t len)
{
	const struct image *image = region->image;
	gpa_t gpa = gpa_add(region->gpa, start);
	uint64_t attr = region_attr(region->kind), offset, end;

	if (image == NULL && region->kind == MEM_SHARED)
		return ERR_INVAL;
	if (image == NULL)
		return ept_map_zero(ept, gpa, len);
	if (!is_aligned(region->offset, PAGE_SIZE))
		return ERR_INVAL;
	if (__builtin_add_overflow(region->offset, start, &offset) ||
	    __builtin_add_overflow(offset, len, &end))
		return ERR_RANGE;
	/* The rest of the image's last page is mapped too. It is zeros. */
	if (image->size > UINT64_MAX - PAGE_SIZE || end > align_up(image->size, PAGE_SIZE))
		return ERR_RANGE;
	return ept_map(ept, gpa, image->base + offset, len, attr);
}

enum status region_map(struct ept *ept, const struct mem_region *region)
{
	return map_part(ept, region, 0, region->len);
}

enum status region_copy_page(struct ept *ept, const struct mem_region *region, gpa_t gpa,
			     phys_t *ret_frame)
{
	struct frame_policy policy;
	uint64_t offset;

	if (region->copies_anywhere)
		return ept_copy(ept, gpa, ret_frame);
	policy = backend_frame_policy(region->backend);
	policy.reserve = region->reserve;
	offset = memory_backend_offset(region) + (gpa.raw - region->gpa.raw);
	return ept_copy_by(ept, gpa, &policy, offset / PAGE_SIZE, ret_frame);
}

/*
 * Whether the aligned page of that size around gpa lies in the region, and has
 * the same alignment in the image.
 */
static bool page_fits(const struct mem_region *region, gpa_t gpa, uint64_t size)
{
	uint64_t start = align_down(gpa.raw, size);

	if (start < region->gpa.raw || region->len - (start - region->gpa.raw) < size)
		return false;
	return region->image != NULL &&
	       is_aligned(region->image->base + region->offset + (start - region->gpa.raw), size);
}

enum status region_map_page(struct ept *ept, const struct mem_region *region, gpa_t gpa)
{
	uint64_t size = PAGE_SIZE;

	assert(gpa.raw - region->gpa.raw < region->len);
	/* Copies may surround a page of private memory. */
	if (region->kind == MEM_SHARED)
		size <<= 9 * (ept->leaf_levels - 1);
	while (size > PAGE_SIZE && !page_fits(region, gpa, size))
		size >>= 9;
	return map_part(ept, region, align_down(gpa.raw, size) - region->gpa.raw, size);
}
