/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/config/config.h"
#include "hv/guest/region.h"

/*
 * The guest's memory as its configuration has it, once config_open() was content: RAM from
 * address 0 on, of the memory backend or of the NUMA nodes' one after the other, parted at
 * VM_RAM_LOW_MAX; DIMMs and NVDIMMs without their labels. 'map' is empty before. Returns
 * as mem_map_add().
 */
enum status memory_layout(const struct vm_config *vm, struct mem_map *map);
