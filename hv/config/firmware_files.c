/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What firmware learns from fw_cfg besides the files of -fw_cfg, as from QEMU: where RAM is; the
 * ACPI tables, which it places itself; option ROMs, and the kernel that one of them starts.
 */
#include "hv/config/firmware_files.h"

#include "hv/config/acpi_input.h"
#include "hv/config/layout.h"
#include "hv/config/vm_fw_cfg.h"
#include "hv/config/vm_option_rom.h"
#include "hv/frame/phys.h"
#include "hv/lib/string.h"
#include "hv/loader/linux_setup.h"
#include "hv/loader/table_loader.h"

/* An entry of "etc/e820", packed as in QEMU. */
struct __attribute__((packed)) ram_range {
	uint64_t addr, len;
	uint32_t type; /* enum e820_type */
};
_Static_assert(sizeof(struct ram_range) == 20, "struct e820_entry");

/* Too large for a stack, and only few machines need it. */
struct firmware_room {
	struct mem_map map;
	struct acpi_room acpi;
	struct table_loader loader;
};

struct firmware {
	struct vm_config *vm;
	struct firmware_room *room;
	struct arena *arena;
	struct diag *diag;
};

static enum status append(const struct firmware *firmware, const struct fw_cfg_file *file)
{
	struct fw_cfg_config *one = arena_alloc(firmware->arena, sizeof(*one));

	if (one == NULL)
		return ERR_NOMEM;
	one->place = firmware->vm->kernel_place;
	one->file = *file;
	vm_add_fw_cfg(firmware->vm, one);
	return OK;
}

/* Add a file of 'len' bytes that stay. ERR_INVAL: -fw_cfg has one of that name, reported. */
static enum status add_file(const struct firmware *firmware, const char *name, const void *data,
			    size_t len)
{
	const struct fw_cfg_config *same = vm_find_fw_cfg(firmware->vm, name);

	if (same != NULL) {
		diag_error(firmware->diag, same->place, "duplicate fw_cfg file name: %s", name);
		return ERR_INVAL;
	}
	return append(firmware,
		      &(struct fw_cfg_file){.name = name, .data = data, .len = (uint32_t)len});
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
	struct firmware_room *room = firmware->room;
	struct table_loader *loader = &room->loader;
	struct acpi_config config;

	memset(&room->map, 0, sizeof(room->map));
	TRY(memory_layout(firmware->vm, &room->map));
	config = acpi_input(firmware->vm, &room->map, &room->acpi);
	TRY(table_loader_build(&config, loader));
	TRY(add_copy(firmware, TABLE_LOADER_RSDP, loader->rsdp, sizeof(loader->rsdp)));
	TRY(add_copy(firmware, TABLE_LOADER_TABLES, loader->tables, loader->tables_len));
	return add_copy(firmware, TABLE_LOADER_COMMANDS, loader->command,
			loader->n_commands * sizeof(loader->command[0]));
}

static enum status add_roms(const struct firmware *firmware)
{
	const char *order;

	for (const struct option_rom *rom = firmware->vm->option_roms; rom != NULL; rom = rom->next)
		TRY(add_file(firmware, rom->name, phys_to_virt(rom->image->base),
			     rom->image->size));
	order = vm_boot_order(firmware->vm, firmware->arena);
	if (order == NULL)
		return ERR_NOMEM;
	return order[0] != '\0' ? add_file(firmware, "bootorder", order, strlen(order) + 1) : OK;
}

static enum status add_item(const struct firmware *firmware, enum fw_cfg_item item,
			    const void *data, uint32_t len)
{
	return append(firmware,
		      &(struct fw_cfg_file){.name = "", .item = item, .data = data, .len = len});
}

/* Numbers of 32 bits, which the option ROM asks for one by one. */
static enum status add_numbers(const struct firmware *firmware, const struct linux_setup *plan)
{
	const struct {
		enum fw_cfg_item item;
		uint32_t value;
	} numbers[] = {
		{FW_CFG_SETUP_ADDR, plan->setup_addr},	   {FW_CFG_SETUP_SIZE, plan->setup_len},
		{FW_CFG_KERNEL_ADDR, plan->kernel_addr},   {FW_CFG_KERNEL_SIZE, plan->kernel_len},
		{FW_CFG_CMDLINE_ADDR, plan->cmdline_addr}, {FW_CFG_CMDLINE_SIZE, plan->cmdline_len},
		{FW_CFG_INITRD_ADDR, plan->initrd_addr},   {FW_CFG_INITRD_SIZE, plan->initrd_len},
	};
	uint32_t *values = arena_alloc(firmware->arena, sizeof(*values) * ARRAY_SIZE(numbers));

	if (values == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		values[i] = numbers[i].value;
		TRY(add_item(firmware, numbers[i].item, &values[i], sizeof(values[i])));
	}
	return OK;
}

/* The parts of the files stay where they are, except the setup code, whose header changes. */
static enum status add_parts(const struct firmware *firmware, const struct linux_setup *plan)
{
	const struct firmware_kernel *files = &firmware->vm->firmware_kernel;
	const uint8_t *kernel = phys_to_virt(files->kernel_image->base);
	uint8_t *setup = arena_alloc(firmware->arena, plan->setup_len);

	if (setup == NULL)
		return ERR_NOMEM;
	memcpy(setup, kernel, plan->setup_len);
	linux_setup_complete(plan, setup);
	TRY(add_item(firmware, FW_CFG_SETUP_DATA, setup, plan->setup_len));
	TRY(add_item(firmware, FW_CFG_KERNEL_DATA, kernel + plan->setup_len, plan->kernel_len));
	TRY(add_item(firmware, FW_CFG_CMDLINE_DATA, files->append != NULL ? files->append : "",
		     plan->cmdline_len));
	if (plan->initrd_len == 0)
		return OK;
	return add_item(firmware, FW_CFG_INITRD_DATA, phys_to_virt(files->initrd_image->base),
			plan->initrd_len);
}

static enum status add_kernel(const struct firmware *firmware)
{
	const struct vm_config *vm = firmware->vm;
	const struct firmware_kernel *files = &vm->firmware_kernel;
	struct linux_setup_input input = {
		.append = files->append,
		.ram_below_4g = vm->ram_size < VM_RAM_LOW_MAX ? vm->ram_size : VM_RAM_LOW_MAX,
	};
	struct linux_setup plan;
	const char *why;

	if (files->kernel == NULL)
		return OK;
	input.kernel = phys_to_virt(files->kernel_image->base);
	input.kernel_len = files->kernel_image->size;
	if (files->initrd_image != NULL)
		input.initrd_len = files->initrd_image->size;
	why = linux_setup_plan(&input, &plan);
	if (why != NULL) {
		diag_error(firmware->diag, files->kernel_place, "could not load kernel '%s': %s",
			   files->kernel, why);
		return ERR_INVAL;
	}
	TRY(add_numbers(firmware, &plan));
	return add_parts(firmware, &plan);
}

static enum status add_all(const struct firmware *firmware)
{
	TRY(add_ram(firmware));
	TRY(add_tables(firmware));
	TRY(add_roms(firmware));
	return add_kernel(firmware);
}

void firmware_files_add(struct vm_config *vm, struct firmware_room **room, struct arena *arena,
			struct diag *diag)
{
	enum status status = ERR_NOMEM;

	if (vm->kernel_kind != LOADER_BIOS)
		return;
	if (*room == NULL)
		*room = arena_alloc(arena, sizeof(**room));
	if (*room != NULL)
		status = add_all(&(struct firmware){vm, *room, arena, diag});
	if (status != OK && status != ERR_INVAL)
		diag_error(diag, vm->kernel_place,
			   status == ERR_NOMEM ? "no memory left for what firmware is told"
					       : "firmware cannot be told of this memory");
}
