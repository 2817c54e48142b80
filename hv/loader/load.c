/* SPDX-License-Identifier: BSD-2-Clause */
/* Loading of kernels: tells the kinds apart, calls the kind's own file, writes the GDT. */
#include "hv/loader/load.h"

#include "hv/lib/assert.h"
#include "hv/loader/bios.h"
#include "hv/loader/kernel_file.h"
#include "hv/loader/linux.h"
#include "hv/loader/multiboot.h"
#include "hv/loader/multiboot2.h"
#include "hv/loader/plain.h"
#include "hv/loader/pvh.h"

/* Offsets in the BIOS data area. */
#define BIOS_DATA_EBDA	  0x0e /* segment of the extended one */
#define BIOS_DATA_RAM_KIB 0x13

/*
 * SDM vol. 3, "Segment Descriptors": flat code and data, and the 32-bit TSS that must be loaded for
 * a VM entry.
 */
static enum status write_gdt(struct loader *loader)
{
	bool is_long = loader->state->mode == ENTRY_LONG64;
	const uint64_t gdt[] = {
		[LOADER_SELECTOR_CODE / 8] = is_long ? 0x00af9b000000ffff : 0x00cf9b000000ffff,
		[LOADER_SELECTOR_DATA / 8] = 0x00cf93000000ffff,
		[LOADER_SELECTOR_TSS / 8] = 0x00008b0000000067,
		[LOADER_GDT_LIMIT / 8] = 0,
	};

	_Static_assert(sizeof(gdt) == LOADER_GDT_LIMIT + 1);
	loader->state->gdt = (gpa_t){loader_at(loader, LOADER_GDT)};
	loader->state->gdt_limit = LOADER_GDT_LIMIT;
	return loader_write(loader, loader_at(loader, LOADER_GDT), gdt, sizeof(gdt));
}

/*
 * Where low RAM ends, as real-mode code, Xen and others read it: the extended BIOS data area of 1
 * KiB begins there, and starts with its size.
 */
static enum status write_bios_data(struct loader *loader)
{
	static const uint8_t ebda_kib = 1;
	const uint64_t ram_end = loader_ram_end(loader, 0);
	const uint64_t end = ram_end < KIB(640) ? ram_end : KIB(640);
	const struct loader_field fields[] = {
		{BIOS_DATA_EBDA, 2, end >> 4},
		{BIOS_DATA_RAM_KIB, 2, end >> 10},
	};

	TRY(loader_write_fields(loader, LOADER_BIOS_DATA, fields, ARRAY_SIZE(fields)));
	if (end == KIB(640) || end == loader->input->ram_below_4g)
		return OK;
	return loader_write(loader, end, &ebda_kib, sizeof(ebda_kib));
}

enum loader_kind loader_detect(const void *kernel, uint64_t len)
{
	if (linux_detect(kernel, len))
		return LOADER_LINUX;
	if (multiboot_detect(kernel, len))
		return LOADER_MULTIBOOT;
	if (pvh_detect(kernel, len))
		return LOADER_PVH;
	return multiboot2_detect(kernel, len) ? LOADER_MULTIBOOT2 : LOADER_NONE;
}

static enum status load_kind(struct loader *loader)
{
	switch (loader->state->kind) {
	case LOADER_LINUX:
		return linux_load(loader);
	case LOADER_MULTIBOOT:
		return multiboot_load(loader);
	case LOADER_PVH:
		return pvh_load(loader);
	case LOADER_MULTIBOOT2:
		return multiboot2_load(loader);
	case LOADER_PLAIN:
		return plain_load(loader);
	case LOADER_BIOS:
		return bios_load(loader);
	case LOADER_NONE:
		break;
	}
	return loader_refuse(loader, ERR_UNSUPPORTED,
			     "not a Linux bzImage, Multiboot 1, PVH or Multiboot 2 kernel");
}

enum status loader_load(struct guest_memory *memory, const struct loader_input *input,
			struct loader_state *ret, char *error, size_t error_size)
{
	struct loader_state state = {
		.kind = input->kind != LOADER_NONE
				? input->kind
				: loader_detect(input->kernel, input->kernel_len),
	};
	struct loader loader = {
		.memory = memory,
		.input = input,
		.state = &state,
		.error = error,
		.error_size = error_size,
		.string_end = LOADER_STRINGS,
	};

	assert(input->kernel_name != NULL && input->ram_below_4g <= GIB(4));
	if (state.kind != LOADER_NONE && state.kind != LOADER_BIOS) {
		if (loader_ram_end(&loader, LOADER_LOW_START) < LOADER_LOW_END)
			return loader_refuse(&loader, ERR_RANGE,
					     "the VM has no RAM from 0x%x to 0x%x",
					     LOADER_LOW_START, LOADER_LOW_END);
		if (input->n_e820 > LOADER_E820_MAX)
			return loader_refuse(
				&loader, ERR_RANGE,
				"the memory map has %zu entries, at most %d are possible",
				input->n_e820, LOADER_E820_MAX);
	}
	TRY(load_kind(&loader));
	if (state.mode != ENTRY_RESET) {
		TRY(write_gdt(&loader));
		TRY(write_bios_data(&loader));
	}
	TRY(loader_write_blobs(&loader));
	*ret = state;
	return OK;
}
