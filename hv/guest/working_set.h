/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/ept/ept.h"
#include "hv/guest/region.h"

/*
 * The pages of private memory that a tree has come to own, so that another tree
 * over the same layer gets its copies in advance, and not one fault at a time.
 * The list has frames of its own and is constant once made. Its first frame
 * identifies it; 0 is the empty list.
 */

/* The most frames in a list. Further pages are left out. */
#define WORKING_SET_FRAMES_MAX 16

/*
 * List the pages that the tree owns, as far as there is memory for the list.
 * The VM's lock is held.
 */
phys_t working_set_record(const struct ept *ept, const struct mem_map *map);
uint64_t working_set_count(phys_t set);
/*
 * Copy all pages of the list that are mapped. No vCPU is in the guest. ERR_NOMEM: some were
 * copied, until frames were scarce or the tree had half of its limit; other
 * errors as region_copy_page().
 */
enum status working_set_copy(phys_t set, struct ept *ept, struct mem_map *map);
void working_set_free(phys_t set);
