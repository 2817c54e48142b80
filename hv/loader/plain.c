/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loading of ELF files without a boot protocol: a 64-bit one starts in 64-bit mode, with 4 GiB
 * mapped one to one, a 32-bit one in protected mode without paging. They are told nothing.
 */
#include "hv/loader/plain.h"

#include "hv/loader/elf.h"
#include "hv/loader/page_tables.h"

enum status plain_load(struct loader *loader)
{
	struct loader_state *state = loader->state;
	struct elf elf;

	TRY(elf_open(loader, &elf));
	TRY(elf_load(loader, &elf, &state->rip));
	if (state->rip < state->kernel_start.raw || state->rip >= state->kernel_end.raw)
		return loader_refuse(loader, ERR_CORRUPT,
				     "the entry point 0x%lx is outside the kernel", state->rip);
	TRY(loader_avoid_kernel(loader));
	state->mode = elf.is64 ? ENTRY_LONG64 : ENTRY_PROTECTED32;
	return elf.is64 ? loader_write_page_tables(loader) : OK;
}
