/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/config/config.h"
#include "hv/guest/region.h"
#include "hv/loader/acpi.h"

/* What the ACPI tables tell about a VM's processors and memory. Too large for a stack. */
struct acpi_room {
	struct acpi_memory memory[MEM_MAP_MAX];
	struct acpi_nvdimm nvdimms[MEM_MAP_MAX];
	uint32_t cpu_node[TOPOLOGY_MAX_CPUS];
	uint32_t apic_id[TOPOLOGY_MAX_CPUS];
};

/*
 * What the ACPI tables describe, without rsdp_gpa. It points to 'room', which this fills. 'map' is
 * the VM's memory, whose backends tell which node or DIMM a region belongs to. Memory is described
 * only if there are NUMA nodes or DIMMs.
 */
struct acpi_config acpi_input(const struct vm_config *config, const struct mem_map *map,
			      struct acpi_room *room);
