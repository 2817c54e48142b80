/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loading of Multiboot 1 kernels: ELF files, or flat files whose header gives their addresses. EAX
 * holds the magic number, EBX points to the information.
 *
 * Source: Multiboot Specification version 0.6.96. As in QEMU, the command line begins with the
 * kernel's name, and a request for a video mode is ignored: the information does not contain one.
 * There is no boot device.
 */
#include "hv/loader/multiboot.h"

#include "hv/lib/string.h"
#include "hv/loader/elf.h"
#include "hv/loader/flat.h"
#include "hv/loader/kernel_file.h"

#define LOADER_MAGIC 0x2badb002

/* Header fields. */
#define HEADER_FLAGS	   4
#define HEADER_ADDR	   12
#define HEADER_ENTRY	   28
#define HEADER_ADDRS_LEN   32
#define HEADER_HAS_ADDRS   BIT(16)
#define HEADER_MUST	   UINT32_C(0xffff) /* flags that a loader must know */
#define HEADER_ALIGN	   BIT(0)
#define HEADER_MEMORY	   BIT(1)
#define HEADER_VIDEO	   BIT(2)
#define HEADER_KNOWN_FLAGS (HEADER_ALIGN | HEADER_MEMORY | HEADER_VIDEO)

#define INFO_SIZE	  116
#define INFO_MEMORY	  BIT(0)
#define INFO_CMDLINE	  BIT(2)
#define INFO_MODULES	  BIT(3)
#define INFO_MMAP	  BIT(6)
#define INFO_LOADER_NAME  BIT(9)
#define MODULE_SIZE	  16
#define MMAP_SIZE	  24
#define MMAP_SIZE_COUNTED 20 /* the size field does not count itself */

static enum status load_flat(struct loader *loader, uint64_t at)
{
	const struct flat_header header = {
		.header = at,
		.fields = at + HEADER_ADDR,
		.entry = at + HEADER_ENTRY,
	};
	struct flat flat;

	if (loader->input->kernel_len - at < HEADER_ADDRS_LEN)
		return loader_refuse_at(loader, ERR_CORRUPT, at,
					"the file ends within the Multiboot header");
	TRY(flat_read(loader, &header, &flat));
	return flat_load(loader, &flat, 0);
}

static enum status load_elf(struct loader *loader)
{
	struct loader_state *state = loader->state;
	struct elf elf;

	TRY(elf_open(loader, &elf));
	TRY(elf_load(loader, &elf, &state->rip));
	if (state->rip < state->kernel_start.raw || state->rip >= state->kernel_end.raw)
		return loader_refuse(loader, ERR_CORRUPT,
				     "the entry point 0x%lx is outside the kernel", state->rip);
	return OK;
}

static enum status load_kernel(struct loader *loader)
{
	uint64_t at = multiboot_find_header(loader->input->kernel, loader->input->kernel_len);
	uint32_t flags = loader_get_u32((const uint8_t *)loader->input->kernel + at + HEADER_FLAGS);

	if ((flags & HEADER_MUST & ~HEADER_KNOWN_FLAGS) != 0)
		return loader_refuse_at(loader, ERR_UNSUPPORTED, at + HEADER_FLAGS,
					"the Multiboot flags 0x%x request unknown features", flags);
	return (flags & HEADER_HAS_ADDRS) != 0 ? load_flat(loader, at) : load_elf(loader);
}

static enum status copy_module(struct loader *loader, size_t i, uint64_t *end)
{
	const struct loader_module *module = &loader->input->modules[i];
	uint64_t addr, cmdline;

	TRY(loader_copy_module(loader, i, end, &addr));
	TRY(loader_write_string(loader, module->cmdline, "module's command line", &cmdline));

	const struct loader_field fields[] = {
		{0, 4, addr},
		{4, 4, addr + module->len},
		{8, 4, cmdline},
		{12, 4, 0},
	};

	return loader_write_fields(loader, loader_at(loader, LOADER_MODULE_LIST) + i * MODULE_SIZE,
				   fields, ARRAY_SIZE(fields));
}

static enum status copy_modules(struct loader *loader)
{
	uint64_t end = loader->state->kernel_end.raw;

	TRY(loader_check_modules(loader));
	for (size_t i = 0; i < loader->input->n_modules; i++)
		TRY(copy_module(loader, i, &end));
	return OK;
}

static enum status write_memory_map(struct loader *loader)
{
	for (size_t i = 0; i < loader->input->n_e820; i++) {
		const struct e820_entry *entry = &loader->input->e820[i];
		const struct loader_field fields[] = {
			{0, 4, MMAP_SIZE_COUNTED},
			{4, 8, entry->addr},
			{12, 8, entry->len},
			{20, 4, entry->type},
		};

		TRY(loader_write_fields(loader,
					loader_at(loader, LOADER_MEMORY_MAP) + i * MMAP_SIZE,
					fields, ARRAY_SIZE(fields)));
	}
	return OK;
}

/* "NAME ARGUMENTS" as one string, from two. */
static enum status write_cmdline(struct loader *loader, uint64_t *ret_addr)
{
	const char *append = loader->input->append;
	uint64_t ignored;

	TRY(loader_write_string(loader, loader->input->kernel_name, "kernel's name", ret_addr));
	if (append == NULL || *append == '\0')
		return OK;
	TRY(loader_write(loader, loader->string_end - 1, " ", 1));
	return loader_write_string(loader, append, "command line", &ignored);
}

static enum status write_info(struct loader *loader)
{
	const uint64_t low = loader_ram_end(loader, 0), high = loader_ram_end(loader, MIB(1));
	uint64_t cmdline, name;

	TRY(write_cmdline(loader, &cmdline));
	TRY(loader_write_string(loader, "stencil", "boot loader's name", &name));
	TRY(copy_modules(loader));

	const struct loader_field fields[] = {
		{0, 4, INFO_MEMORY | INFO_CMDLINE | INFO_MODULES | INFO_MMAP | INFO_LOADER_NAME},
		{4, 4, (low < KIB(640) ? low : KIB(640)) >> 10},
		{8, 4, (high - MIB(1)) >> 10},
		{16, 4, cmdline},
		{20, 4, loader->input->n_modules},
		{24, 4, loader_at(loader, LOADER_MODULE_LIST)},
		{44, 4, loader->input->n_e820 * MMAP_SIZE},
		{48, 4, loader_at(loader, LOADER_MEMORY_MAP)},
		{64, 4, name},
	};

	TRY(loader_zero(loader, loader_at(loader, LOADER_INFO), INFO_SIZE));
	return loader_write_fields(loader, loader_at(loader, LOADER_INFO), fields,
				   ARRAY_SIZE(fields));
}

enum status multiboot_load(struct loader *loader)
{
	TRY(load_kernel(loader));
	TRY(loader_avoid_kernel(loader));
	loader->state->mode = ENTRY_PROTECTED32;
	loader->state->rax = LOADER_MAGIC;
	loader->state->rbx = loader_at(loader, LOADER_INFO);
	TRY(write_memory_map(loader));
	return write_info(loader);
}
