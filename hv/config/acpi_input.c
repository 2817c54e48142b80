/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Describes a VM for the ACPI tables. The configuration was checked: a backend serves one purpose,
 * and all slots and addresses are assigned.
 */
#include "hv/config/acpi_input.h"

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

/* A virtio-pmem device's memory is told by the device, and the firmware's by nothing. */
static bool is_in_tables(const struct vm_config *config, const struct mem_region *region,
			 const struct dimm_config *dimm)
{
	return region->backend != &config->bios && !(dimm != NULL && dimm->pmem);
}

static void describe_memory(const struct vm_config *config, const struct mem_map *map,
			    struct acpi_room *room, struct acpi_config *acpi)
{
	if (config->n_numa_nodes == 0 && config->dimms == NULL)
		return;
	for (unsigned i = 0; i < config->topology.n_cpus; i++)
		room->cpu_node[i] = config->cpu_node != NULL ? config->cpu_node[i] : 0;
	acpi->cpu_node = room->cpu_node;
	acpi->memory = room->memory;
	acpi->nvdimms = room->nvdimms;
	acpi->n_nodes = config->n_numa_nodes;
	acpi->distance = config->numa_distance;
	for (size_t i = 0; i < map->n; i++) {
		const struct mem_region *region = &map->region[i];
		const struct dimm_config *dimm = find_dimm(config, region->backend);

		if (!is_in_tables(config, region, dimm))
			continue;
		if (dimm == NULL)
			room->memory[acpi->n_memory++] = describe_ram(config, region);
		else if (dimm->is_nvdimm)
			room->nvdimms[acpi->n_nvdimms++] = describe_nvdimm(dimm, region);
		else
			room->memory[acpi->n_memory++] = describe_dimm(dimm, region);
	}
}

struct acpi_config acpi_input(const struct vm_config *config, const struct mem_map *map,
			      struct acpi_room *room)
{
	struct acpi_config acpi = {
		.n_cpus = config->topology.n_cpus,
		.apic_id = room->apic_id,
		.has_vmgenid = config->has_vmgenid,
		.has_pvpanic = config->has_pvpanic,
		.n_virtio = config->n_virtio,
		.has_pic = config->has_pic,
		.has_pit = config->has_pit,
		.has_hpet = config->has_hpet,
		.has_pm_timer = config->has_pm_timer,
		.has_watchdog = config->has_watchdog,
		.no_rtc = config->no_rtc,
	};

	for (unsigned i = 0; i < acpi.n_cpus; i++)
		room->apic_id[i] = topology_apic_id(&config->topology, i);
	describe_memory(config, map, room, &acpi);
	return acpi;
}
