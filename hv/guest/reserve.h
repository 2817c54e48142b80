/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/ept/ept.h"
#include "hv/guest/region.h"

/*
 * reserve=on: the frames that a VM's private memory may ever need are set aside when it is made, so
 * that it does not fail later because others took them. 'map' is mapped in 'ept' and has no
 * private page yet. ERR_NOMEM: said, with the VM's name; reserve_end() is due all the same.
 * ERR_RANGE: as ept_map().
 */
enum status reserve_memory(struct ept *ept, struct mem_map *map, const char *name);

/*
 * Give back what was not needed; pages come from all frames from then on. With the VM's lock, or
 * while none of its vCPUs runs.
 */
void reserve_end(struct mem_map *map);
