/* SPDX-License-Identifier: BSD-2-Clause */
/* What of a VM's devices has no room beside the VM's struct: too much, or only in some VMs. */
#include "hv/devices/platform.h"

/* Size of a half of the slots for DIMMs. */
static size_t half_size(unsigned n_slots, unsigned half)
{
	unsigned first = half * MEMORY_SLOTS_HALF;
	unsigned n = n_slots > first ? n_slots - first : 0;

	return (n < MEMORY_SLOTS_HALF ? n : MEMORY_SLOTS_HALF) * sizeof(struct memory_slot);
}

void **platform_part(struct platform *platform, unsigned number, size_t *ret_size)
{
	struct platform_more *more = platform_more(platform);
	struct platform_extras extras = platform->extras;
	unsigned n_far = irqchip_n_far(platform->irqchip.n);
	const struct {
		void *place;
		size_t size;
	} parts[] = {
		{&more->virtio, extras.n_virtio * sizeof(struct virtio)},
		{&more->nvdimm.window, extras.has_nvdimms ? NVDIMM_WINDOW_SIZE : 0},
		{&more->slots.half[0], half_size(extras.n_slots, 0)},
		{&more->slots.half[1], half_size(extras.n_slots, 1)},
	};

	if (number < n_far) {
		*ret_size = IRQCHIP_FAR_TOGETHER * sizeof(struct lapic);
		return (void **)&irqchip_far(&platform->irqchip)[number];
	}
	for (unsigned i = 0; i < ARRAY_SIZE(parts); i++) {
		*ret_size = parts[i].size;
		if (parts[i].size > 0 && number-- == n_far)
			return parts[i].place;
	}
	return NULL;
}
