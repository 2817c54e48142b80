/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/ept/ept.h"
#include "hv/guest/region.h"

/*
 * reserve=on: reserve all frames that a VM's private memory may ever need when
 * the VM is made, so that it does not fail later because others took them.
 * 'map' is mapped in 'ept' and has no private page yet. ERR_NOMEM: reported,
 * with the VM's name; reserve_end() must still be called. ERR_RANGE: as
 * ept_map().
 */
enum status reserve_memory(struct ept *ept, struct mem_map *map, const char *name);

/*
 * Reserve frames for a part of a region that is not in the map yet, in whole pages. 'region' gets
 * its reserve with the first part; the caller calls mem_region_update(). ERR_NOMEM, ERR_RANGE: what
 * was reserved stays, in region->reserve.
 */
enum status reserve_part(struct ept *ept, struct mem_region *region, uint64_t start, uint64_t len);

/*
 * Give back what was not needed. From then on pages come from free memory. Call
 * with the VM's lock, or while none of its vCPUs runs.
 */
void reserve_end(struct mem_map *map);
/* The same, n frames at a time. False: all is done. */
bool reserve_end_some(struct mem_map *map, uint64_t n);
