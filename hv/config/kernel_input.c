/* SPDX-License-Identifier: BSD-2-Clause */
/* RAM begins at 0; what does not fit below 3 GiB continues at 4 GiB. */
#include "hv/config/kernel_input.h"

#include "hv/frame/phys.h"
#include "hv/loader/acpi.h"

#define EBDA_START UINT64_C(0x9fc00)

static uint64_t ram_low(const struct vm_config *config)
{
	return config->ram_size < VM_RAM_LOW_MAX ? config->ram_size : VM_RAM_LOW_MAX;
}

static size_t build_e820(const struct vm_config *config, struct e820_entry *e820)
{
	uint64_t low = ram_low(config), high = config->ram_size - low;
	size_t n = 0;

	e820[n++] = (struct e820_entry){0, EBDA_START, E820_RAM};
	e820[n++] = (struct e820_entry){EBDA_START, MIB(1) - EBDA_START, E820_RESERVED};
	if (low > MIB(1))
		e820[n++] = (struct e820_entry){MIB(1), low - MIB(1), E820_RAM};
	if (high)
		e820[n++] = (struct e820_entry){VM_RAM_HIGH, high, E820_RAM};
	return n;
}

struct loader_input kernel_input(const struct vm_config *config, struct e820_entry *e820)
{
	const struct image *kernel = config->kernel_image, *initrd = config->initrd_image;

	return (struct loader_input){
		.kernel = phys_to_virt(kernel->base),
		.kernel_len = kernel->size,
		.kernel_name = config->kernel,
		.initrd = initrd != NULL ? phys_to_virt(initrd->base) : NULL,
		.initrd_len = initrd != NULL ? initrd->size : 0,
		.append = config->append,
		.e820 = e820,
		.n_e820 = build_e820(config, e820),
		.ram_below_4g = ram_low(config),
		.acpi_rsdp = {ACPI_AREA_START},
		.modules = config->modules,
		.n_modules = config->n_modules,
		.blobs = config->blobs != NULL ? &config->blobs->blob : NULL,
		.kind = config->kernel_kind,
	};
}
