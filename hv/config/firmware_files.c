/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What firmware learns from fw_cfg besides the files of -fw_cfg, as from QEMU: where RAM is, and
 * the ACPI tables, which it places itself.
 */
#include "hv/config/firmware_files.h"

#include "hv/config/acpi_input.h"
#include "hv/config/layout.h"
#include "hv/config/vm_fw_cfg.h"
#include "hv/lib/string.h"
#include "hv/loader/table_loader.h"

/* An entry of "etc/e820", packed as in QEMU. */
struct __attribute__((packed)) ram_range {
	uint64_t addr, len;
	uint32_t type; /* enum e820_type */
};
_Static_assert(sizeof(struct ram_range) == 20, "struct e820_entry");

struct firmware {
	struct vm_config *vm;
	struct arena *arena;
	struct diag *diag;
};

/* Too large for a stack. */
static struct {
	struct mem_map map;
	struct acpi_room room;
	struct table_loader loader;
} scratch;

/* Add a file of 'len' bytes that stay. ERR_INVAL: -fw_cfg has one of that name, reported. */
static enum status add_file(const struct firmware *firmware, const char *name, const void *data,
			    size_t len)
{
	struct fw_cfg_config *one = vm_find_fw_cfg(firmware->vm, name);

	if (one != NULL) {
		diag_error(firmware->diag, one->place, "duplicate fw_cfg file name: %s", name);
		return ERR_INVAL;
	}
	one = arena_alloc(firmware->arena, sizeof(*one));
	if (one == NULL)
		return ERR_NOMEM;
	one->place = firmware->vm->kernel_place;
	one->file = (struct fw_cfg_file){.name = name, .data = data, .len = (uint32_t)len};
	vm_add_fw_cfg(firmware->vm, one);
	return OK;
}

static enum status add_copy(const struct firmware *firmware, const char *name, const void *data,
			    size_t len)
{
	void *copy = arena_alloc(firmware->arena, len);

	if (copy == NULL)
		return ERR_NOMEM;
	memcpy(copy, data, len);
	return add_file(firmware, name, copy, len);
}

/* Also what a PC has no RAM at, below 1 MiB: firmware knows this. */
static enum status add_ram(const struct firmware *firmware)
{
	uint64_t size = firmware->vm->ram_size;
	uint64_t low = size < VM_RAM_LOW_MAX ? size : VM_RAM_LOW_MAX;
	const struct ram_range ranges[] = {
		{0, low, E820_RAM},
		{VM_RAM_HIGH, size - low, E820_RAM},
	};

	return add_copy(firmware, "etc/e820", ranges,
			size > low ? sizeof(ranges) : sizeof(ranges[0]));
}

static enum status add_tables(const struct firmware *firmware)
{
	struct table_loader *loader = &scratch.loader;
	struct acpi_config config;

	memset(&scratch.map, 0, sizeof(scratch.map));
	TRY(memory_layout(firmware->vm, &scratch.map));
	config = acpi_input(firmware->vm, &scratch.map, &scratch.room);
	TRY(table_loader_build(&config, loader));
	TRY(add_copy(firmware, TABLE_LOADER_RSDP, loader->rsdp, sizeof(loader->rsdp)));
	TRY(add_copy(firmware, TABLE_LOADER_TABLES, loader->tables, loader->tables_len));
	return add_copy(firmware, TABLE_LOADER_COMMANDS, loader->command,
			loader->n_commands * sizeof(loader->command[0]));
}

void firmware_files_add(struct vm_config *vm, struct arena *arena, struct diag *diag)
{
	struct firmware firmware = {vm, arena, diag};
	enum status status;

	if (vm->kernel_kind != LOADER_BIOS)
		return;
	status = add_ram(&firmware);
	if (status == OK)
		status = add_tables(&firmware);
	if (status != OK && status != ERR_INVAL)
		diag_error(diag, vm->kernel_place,
			   status == ERR_NOMEM ? "no memory left for what firmware is told"
					       : "firmware cannot be told of this memory");
}
