/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loading of firmware, which starts as a processor does after a reset, and finds everything out for
 * itself: no tables and no file of -device loader excepted, the rest of memory is left alone.
 */
#include "hv/loader/bios.h"

#include "hv/lib/assert.h"

enum status bios_load(struct loader *loader)
{
	const struct loader_input *input = loader->input;
	uint64_t len = input->kernel_len < BIOS_LOW_MAX ? input->kernel_len : BIOS_LOW_MAX;
	const char *bytes = input->kernel;

	assert(len != 0 && is_aligned(input->kernel_len, BIOS_ALIGN));
	if (input->ram_below_4g < MIB(1))
		return loader_refuse(loader, ERR_RANGE,
				     "firmware needs 1 MiB of RAM, the VM has %lu KiB",
				     input->ram_below_4g / KIB(1));
	loader->state->mode = ENTRY_RESET;
	loader->state->kernel_start = (gpa_t){MIB(1) - len};
	loader->state->kernel_end = (gpa_t){MIB(1)};
	return loader_write(loader, MIB(1) - len, bytes + input->kernel_len - len, len);
}
