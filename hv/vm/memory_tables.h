/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/config/config.h"
#include "hv/guest/region.h"
#include "hv/loader/acpi.h"

/* What acpi_tables.c is to say about a VM's memory; large. */
struct vm_memory_tables {
	struct acpi_memory memory[MEM_MAP_MAX];
	struct acpi_nvdimm nvdimms[MEM_MAP_MAX];
	uint32_t cpu_node[TOPOLOGY_MAX_CPUS]; /* of each processor */
};

/*
 * Fill 'tables' and point 'acpi' to it. 'map' is the VM's memory; the backends in it tell which
 * node or which DIMM a region is. Without NUMA nodes and DIMMs nothing needs to be said.
 */
void vm_describe_memory(const struct vm_config *config, const struct mem_map *map,
			struct vm_memory_tables *tables, struct acpi_config *acpi);
