/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/ept/ept.h"
#include "hv/guest/region.h"

/*
 * Which pages of private memory a tree has come to own, so that another one over the same layer
 * gets its copies of them at once, and not one fault after the other. A list in frames of its own,
 * constant once made; known by its first frame, 0 is an empty one.
 */

/* No list has more frames; what is owned beyond is left out. */
#define WORKING_SET_FRAMES_MAX 16

/* The lock of the tree's VM is held. As far as there is memory for the list. */
phys_t working_set_record(const struct ept *ept, const struct mem_map *map);
uint64_t working_set_count(phys_t set);
/* Copy all of it. No vCPU is in the guest. ERR_NOMEM: some; else as ept_copy_in(). */
enum status working_set_copy(phys_t set, struct ept *ept, struct mem_map *map);
void working_set_free(phys_t set);
