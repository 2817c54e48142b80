/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/config/config.h"
#include "hv/guest/region.h"

/*
 * Fill 'map', which is empty, with the guest's memory by a configuration that config_open() has
 * accepted: RAM from address 0 on, split at VM_RAM_LOW_MAX, from the memory backend or from those
 * of the NUMA nodes one after the other; then DIMMs, and NVDIMMs without their labels. Returns as
 * mem_map_add().
 */
enum status memory_layout(const struct vm_config *vm, struct mem_map *map);
