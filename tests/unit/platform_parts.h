/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <string.h>

#include "hv/devices/platform.h"

/*
 * A hosted platform, and after it the parts that lie elsewhere, as hv/vm/vm.c places them: so many
 * bytes, at least.
 */
static inline size_t platform_whole_size(unsigned n_cpus, struct platform_extras extras)
{
	return platform_size(n_cpus, extras) + irqchip_n_far(n_cpus) * PAGE_SIZE +
	       extras.n_virtio * sizeof(struct virtio) + extras.has_nvdimms * NVDIMM_WINDOW_SIZE +
	       extras.n_slots * sizeof(struct memory_slot);
}

/* Before platform_init(), or platform_copy() to it. */
static inline void platform_place_parts(struct platform *platform, unsigned n_cpus,
					struct platform_extras extras)
{
	char *at = (char *)platform + platform_size(n_cpus, extras);
	void **part;
	size_t size;

	platform->irqchip.n = (uint8_t)n_cpus;
	platform->extras = extras;
	if (platform_has_more(extras))
		memset(platform_more(platform), 0, sizeof(struct platform_more));
	for (unsigned i = 0; (part = platform_part(platform, i, &size)) != NULL; i++, at += size)
		*part = memset(at, 0xa5, size);
}
