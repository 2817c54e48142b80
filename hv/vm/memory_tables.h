/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/config/config.h"
#include "hv/guest/region.h"
#include "hv/loader/acpi.h"

/* What the ACPI tables tell about a VM's memory. Too large for a stack. */
struct vm_memory_tables {
	struct acpi_memory memory[MEM_MAP_MAX];
	struct acpi_nvdimm nvdimms[MEM_MAP_MAX];
	uint32_t cpu_node[TOPOLOGY_MAX_CPUS];
};

/*
 * Fill 'tables' and point 'acpi' to them. 'map' is the VM's memory, whose backends tell which node
 * or DIMM a region belongs to. Without NUMA nodes and DIMMs, change neither.
 */
void vm_describe_memory(const struct vm_config *config, const struct mem_map *map,
			struct vm_memory_tables *tables, struct acpi_config *acpi);
