/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The commands for firmware, carried out as firmware does: the tables are then valid wherever it
 * has put them.
 */
#define _GNU_SOURCE
#include "hv/loader/table_loader.h"

#include <string.h>

#include "tests/unit/support.h"

#include "hv/loader/acpi_tables.h"

static struct table_loader loader;

/* A file of fw_cfg where the firmware has put it. */
struct file {
	const char *name;
	uint8_t *data;
	size_t len;
	uint64_t addr; /* in the guest; 0: not allocated */
};

static struct file files[] = {{.name = "etc/acpi/rsdp", .data = loader.rsdp},
			      {.name = "etc/acpi/tables", .data = loader.tables}};

static struct file *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (strcmp(files[i].name, name) == 0)
			return &files[i];
	fail_msg("no file '%s'", name);
	return NULL;
}

static uint64_t get(const uint8_t *p, unsigned size)
{
	uint64_t value = 0;

	memcpy(&value, p, size);
	return value;
}

static uint8_t sum(const uint8_t *p, size_t len)
{
	uint8_t total = 0;

	while (len-- > 0)
		total += *p++;
	return total;
}

static void add_pointer(const struct table_loader_command *command)
{
	struct file *file = find(command->pointer.file), *target = find(command->pointer.target);
	unsigned size = command->pointer.size;
	uint8_t *at = file->data + command->pointer.offset;
	uint64_t value;

	assert_true(file->addr != 0 && target->addr != 0);
	assert_true(command->pointer.offset + size <= file->len);
	value = get(at, size);
	assert_true(value < target->len);
	value += target->addr;
	memcpy(at, &value, size);
}

static void add_checksum(const struct table_loader_command *command)
{
	struct file *file = find(command->checksum.file);
	uint8_t *at = file->data + command->checksum.offset;

	assert_true(file->addr != 0);
	assert_in_range(command->checksum.offset, command->checksum.start,
			command->checksum.start + command->checksum.len - 1);
	assert_true(command->checksum.start + command->checksum.len <= file->len);
	assert_int_equal(*at, 0);
	*at = (uint8_t)-sum(file->data + command->checksum.start, command->checksum.len);
}

static void carry_out(const struct table_loader_command *command)
{
	struct file *file;

	switch (command->number) {
	case TABLE_LOADER_ALLOCATE:
		file = find(command->allocate.file);
		assert_int_equal(file->addr, 0);
		assert_int_equal(command->allocate.align, 16);
		assert_int_equal(command->allocate.zone, file == &files[0] ? 2 : 1);
		file->addr = file == &files[0] ? 0xf5430 : 0x7fe0120;
		return;
	case TABLE_LOADER_ADD_POINTER:
		add_pointer(command);
		return;
	case TABLE_LOADER_ADD_CHECKSUM:
		add_checksum(command);
		return;
	default:
		fail_msg("command %u", command->number);
	}
}

static const uint8_t *at(uint64_t addr, const char *signature)
{
	const uint8_t *table = files[1].data + (addr - files[1].addr);

	assert_in_range(addr, files[1].addr, files[1].addr + files[1].len - 36);
	assert_memory_equal(table, signature, 4);
	assert_int_equal(sum(table, get(table + 4, 4)), 0);
	return table;
}

static void check(const struct acpi_config *config)
{
	const uint8_t *xsdt, *fadt;
	size_t n;

	assert_int_equal(table_loader_build(config, &loader), OK);
	files[0].len = sizeof(loader.rsdp);
	files[1].len = loader.tables_len;
	files[0].addr = files[1].addr = 0;
	assert_null(memmem(loader.tables, loader.tables_len, "RSD PTR ", 8));
	for (size_t i = 0; i < loader.n_commands; i++)
		carry_out(&loader.command[i]);
	assert_memory_equal(loader.rsdp, "RSD PTR ", 8);
	assert_int_equal(sum(loader.rsdp, 20), 0);
	assert_int_equal(sum(loader.rsdp, 36), 0);
	xsdt = at(get(loader.rsdp + 24, 8), "XSDT");
	n = (get(xsdt + 4, 4) - 36) / 8;
	assert_int_equal(loader.n_commands, 2 + 3 + n + 3);
	for (size_t i = 1; i < n; i++) {
		uint64_t addr = get(xsdt + 36 + 8 * i, 8);

		(void)at(addr, (const char *)files[1].data + (addr - files[1].addr));
	}
	fadt = at(get(xsdt + 36, 8), "FACP");
	(void)at(get(fadt + 40, 4), "DSDT");
	(void)at(get(fadt + 140, 8), "DSDT");
}

static void the_tables_are_valid_where_firmware_puts_them(void **state)
{
	struct acpi_memory dimm = {.flags = ACPI_MEMORY_HOTPLUG, .gpa = GIB(4), .len = MIB(1)};
	struct acpi_nvdimm nvdimm = {.gpa = GIB(5), .len = MIB(1)};
	uint8_t distance = 10;

	check(&(struct acpi_config){.n_cpus = 1});
	check(&(struct acpi_config){.n_cpus = 300,
				    .memory = &dimm,
				    .n_memory = 1,
				    .n_nodes = 1,
				    .distance = &distance,
				    .nvdimms = &nvdimm,
				    .n_nvdimms = 1,
				    .has_vmgenid = true,
				    .has_pvpanic = true,
				    .has_hpet = true,
				    .has_watchdog = true,
				    .n_virtio = 2});
	assert_int_equal(loader.n_commands, TABLE_LOADER_COMMANDS_MAX);
}

static void what_has_no_tables_is_refused(void **state)
{
	assert_int_equal(table_loader_build(&(struct acpi_config){.n_cpus = 0}, &loader),
			 ERR_INVAL);
	assert_int_equal(
		table_loader_build(&(struct acpi_config){.n_cpus = ACPI_MAX_CPUS + 1}, &loader),
		ERR_RANGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_tables_are_valid_where_firmware_puts_them),
		cmocka_unit_test(what_has_no_tables_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
