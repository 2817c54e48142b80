/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * "inject write to layer|image|zeros": when the first clone starts, 8 bytes change that may not: of
 * its template's first page, of the last page of its first image, or of the zeros that all VMs
 * share.
 */
#include "hv/ept/table.h"
#include "hv/vm/vm.h"
#include "tests/inject/inject.h"

static void spoil(phys_t frame)
{
	*(volatile uint64_t *)table_at(frame) += 1;
}

static phys_t first_page_of(const struct ept_layer *layer)
{
	const uint64_t *table = table_at(layer->root);
	uint64_t entry = 0;

	for (unsigned level = ROOT_LEVEL + 1; level-- > 0; table = table_of(entry)) {
		unsigned i = 0;

		while (table[i] == 0)
			i++;
		entry = table[i];
	}
	return entry & EPT_ADDR;
}

static phys_t last_page_of(const struct mem_map *map)
{
	unsigned i = 0;

	while (map->region[i].image == NULL)
		i++;
	return align_down(map->region[i].image->base + map->region[i].image->size, PAGE_SIZE);
}

void inject_writes(const struct vm *vm)
{
	uint64_t none;

	if (vm->template != NULL && inject_asked("write to layer", &none))
		spoil(first_page_of(vm->template->layer));
	if (vm->template != NULL && inject_asked("write to image", &none))
		spoil(last_page_of(vm->mem));
	if (vm->template != NULL && inject_asked("write to zeros", &none))
		spoil(ept_zero_frame());
}
