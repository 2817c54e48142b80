/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Describes a VM's memory for the ACPI tables. The configuration was checked: a backend serves one
 * purpose, and all slots and addresses are assigned.
 */
#include "hv/vm/memory_tables.h"

/* As in QEMU. A guest ignores a label that names another serial number. */
#define SERIAL_OF_SLOT_0 0x123456

static const struct dimm_config *find_dimm(const struct vm_config *config,
					   const struct backend *backend)
{
	const struct dimm_config *dimm = config->dimms;

	while (dimm != NULL && (backend == NULL || dimm->backend != backend))
		dimm = dimm->next;
	return dimm;
}

static uint32_t find_node(const struct vm_config *config, const struct backend *backend)
{
	const struct numa_node_config *node = config->numa_nodes;

	while (node != NULL && (backend == NULL || node->backend != backend))
		node = node->next;
	return node != NULL ? node->nodeid : 0;
}

static struct acpi_memory describe_ram(const struct vm_config *config,
				       const struct mem_region *region)
{
	return (struct acpi_memory){
		.gpa = region->gpa.raw,
		.len = region->len,
		.node = find_node(config, region->backend),
		.flags = ACPI_MEMORY_ENABLED,
	};
}

static struct acpi_memory describe_dimm(const struct dimm_config *dimm,
					const struct mem_region *region)
{
	return (struct acpi_memory){
		.gpa = region->gpa.raw,
		.len = region->len,
		.node = dimm->node,
		.flags = ACPI_MEMORY_ENABLED | ACPI_MEMORY_HOTPLUG,
		.slot = (uint32_t)dimm->slot,
	};
}

static struct acpi_nvdimm describe_nvdimm(const struct dimm_config *dimm,
					  const struct mem_region *region)
{
	return (struct acpi_nvdimm){
		.gpa = region->gpa.raw,
		.len = region->len,
		.node = dimm->node,
		.slot = (uint32_t)dimm->slot,
		.serial = SERIAL_OF_SLOT_0 + (uint32_t)dimm->slot,
		.unarmed = dimm->unarmed,
	};
}

void vm_describe_memory(const struct vm_config *config, const struct mem_map *map,
			struct vm_memory_tables *tables, struct acpi_config *acpi)
{
	if (config->n_numa_nodes == 0 && config->dimms == NULL)
		return;
	for (unsigned i = 0; i < config->topology.n_cpus; i++)
		tables->cpu_node[i] = config->cpu_node != NULL ? config->cpu_node[i] : 0;
	acpi->cpu_node = tables->cpu_node;
	acpi->memory = tables->memory;
	acpi->nvdimms = tables->nvdimms;
	acpi->n_nodes = config->n_numa_nodes;
	acpi->distance = config->numa_distance;
	for (size_t i = 0; i < map->n; i++) {
		const struct mem_region *region = &map->region[i];
		const struct dimm_config *dimm = find_dimm(config, region->backend);

		if (dimm != NULL && dimm->pmem)
			continue; /* only its driver knows it */
		if (dimm == NULL)
			tables->memory[acpi->n_memory++] = describe_ram(config, region);
		else if (dimm->is_nvdimm)
			tables->nvdimms[acpi->n_nvdimms++] = describe_nvdimm(dimm, region);
		else
			tables->memory[acpi->n_memory++] = describe_dimm(dimm, region);
	}
}
