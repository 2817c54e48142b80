/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The place of each backend in the guest's address space. Sizes and addresses were checked when the
 * configuration was opened. Nothing is mapped here.
 */
#include "hv/config/layout.h"

#include "hv/config/drive.h"

uint64_t memory_plugged(const struct vm_config *vm)
{
	uint64_t size = 0;

	for (const struct dimm_config *dimm = vm->dimms; dimm != NULL; dimm = dimm->next)
		size += dimm_is_plain(dimm) ? dimm->size : 0;
	return size;
}

static struct mem_region region_of(const struct backend *backend, uint64_t gpa, uint64_t len,
				   uint64_t offset)
{
	struct mem_region region = {
		.gpa = {gpa},
		.len = align_up(len, PAGE_SIZE), /* odd RAM gets the rest of its page */
		.kind = backend->kind,
		.image = backend->image,
		.offset = offset,
		.backend = backend,
	};

	if (backend->image != NULL)
		region.offset += backend->offset;
	return region;
}

/* Add the whole backend, from byte 'at' of the RAM on. */
static enum status add_ram(struct mem_map *map, const struct backend *backend, uint64_t at)
{
	uint64_t low = 0, high_gpa;
	struct mem_region region;

	if (at < VM_RAM_LOW_MAX)
		low = backend->size < VM_RAM_LOW_MAX - at ? backend->size : VM_RAM_LOW_MAX - at;
	if (low != 0) {
		region = region_of(backend, at, low, 0);
		TRY(mem_map_add(map, &region));
	}
	if (low == backend->size)
		return OK;
	if (__builtin_add_overflow(at + low - VM_RAM_LOW_MAX, VM_RAM_HIGH, &high_gpa))
		return ERR_RANGE;
	region = region_of(backend, high_gpa, backend->size - low, low);
	return mem_map_add(map, &region);
}

struct mem_region memory_region_of_dimm(const struct dimm_config *dimm)
{
	return region_of(dimm->backend, dimm->addr, dimm->size, 0);
}

enum status memory_layout(const struct vm_config *vm, struct mem_map *map)
{
	uint64_t at = 0;

	if (vm->memory_backend != NULL)
		TRY(add_ram(map, vm->memory_backend, 0));
	for (const struct numa_node_config *node = vm->numa_nodes; node != NULL;
	     node = node->next) {
		if (node->backend == NULL)
			continue;
		TRY(add_ram(map, node->backend, at));
		at += node->size;
	}
	for (const struct dimm_config *dimm = vm->dimms; dimm != NULL; dimm = dimm->next) {
		struct mem_region region = memory_region_of_dimm(dimm);

		TRY(mem_map_add(map, &region));
	}
	if (vm->bios.image != NULL) {
		struct mem_region region =
			region_of(&vm->bios, GIB(4) - vm->bios.size, vm->bios.size, 0);

		TRY(mem_map_add(map, &region));
	}
	for (const struct drive_config *drive = vm->drives; drive != NULL; drive = drive->next) {
		struct mem_region region;

		if (drive->device == NULL)
			continue;
		region = drive_region(drive);
		TRY(mem_map_add(map, &region));
	}
	return OK;
}
