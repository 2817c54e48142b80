/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/config/config.h"
#include "hv/guest/region.h"

/* Memory of the VM's DIMMs, in bytes. QEMU does not count NVDIMMs as plugged memory. */
uint64_t memory_plugged(const struct vm_config *vm);

/* The region of a DIMM that has its place. */
struct mem_region memory_region_of_dimm(const struct dimm_config *dimm);

/*
 * Fill the empty 'map' with the guest's memory, from a configuration that config_open() accepted:
 * RAM from address 0 on, split at VM_RAM_LOW_MAX, of the memory backend or of those of the NUMA
 * nodes one after the other; then DIMMs, and NVDIMMs without their labels; and hidden, drives that
 * have a device. Returns as mem_map_add().
 */
enum status memory_layout(const struct vm_config *vm, struct mem_map *map);
