/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/ept/ept.h"
#include "hv/guest/region.h"

/*
 * The leaf bits for memory of a kind, always write-back. Copy-on-write memory
 * gets EPT_W with the copy.
 */
uint64_t region_attr(enum mem_kind kind);

/*
 * Map a whole region as its kind says, with the largest pages that fit: its
 * image, or zeros if it has none. ERR_RANGE: the image is too short, or the
 * region too high. ERR_INVAL: shared memory without an image, or an offset that
 * is not whole pages. ERR_NOMEM: as ept_map().
 */
enum status region_map(struct ept *ept, const struct mem_region *region);

/* FAULT_COPY: ept_copy() of a page in the region, with a frame as its backend demands. */
enum status region_copy_page(struct ept *ept, const struct mem_region *region, gpa_t gpa,
			     phys_t *ret_frame);

/*
 * FAULT_MAP: map gpa, which is in the region, as region_map() would. Of
 * shared memory, map the largest page around gpa: this makes the memory
 * writable again in a clone. Of other memory, map one page. Errors as
 * region_map().
 */
enum status region_map_page(struct ept *ept, const struct mem_region *region, gpa_t gpa);
