/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The commands by which firmware places the ACPI tables: see table_loader.h. The image is the one
 * that kernels get, made for address 0, so that each pointer in it is an offset in the file of
 * tables.
 */
#include "hv/loader/table_loader.h"

#include "hv/lib/assert.h"
#include "hv/lib/string.h"
#include "hv/loader/acpi_tables.h"

#define ZONE_HIGH 1
#define ZONE_FSEG 2

/* ACPI 6.0, sections "Root System Description Pointer" and "Fixed ACPI Description Table". */
#define RSDP_XSDT	       24
#define RSDP_EXTENDED_CHECKSUM 32
#define FADT_DSDT	       40
#define FADT_X_DSDT	       140

static struct table_loader_command *add_command(struct table_loader *loader,
						enum table_loader_number number)
{
	struct table_loader_command *command = &loader->command[loader->n_commands++];

	assert(loader->n_commands <= TABLE_LOADER_COMMANDS_MAX);
	memset(command, 0, sizeof(*command));
	command->number = number;
	return command;
}

static void allocate(struct table_loader *loader, const char *file, uint8_t zone)
{
	struct table_loader_command *command = add_command(loader, TABLE_LOADER_ALLOCATE);

	memcpy(command->allocate.file, file, strlen(file));
	command->allocate.align = ACPI_TABLE_ALIGN;
	command->allocate.zone = zone;
}

/* All pointers lead to tables. */
static void add_pointer(struct table_loader *loader, const char *file, size_t offset, uint8_t size)
{
	struct table_loader_command *command = add_command(loader, TABLE_LOADER_ADD_POINTER);

	memcpy(command->pointer.file, file, strlen(file));
	memcpy(command->pointer.target, TABLE_LOADER_TABLES, strlen(TABLE_LOADER_TABLES));
	command->pointer.offset = (uint32_t)offset;
	command->pointer.size = size;
}

static void add_checksum(struct table_loader *loader, const char *file, size_t offset, size_t start,
			 size_t len)
{
	struct table_loader_command *command = add_command(loader, TABLE_LOADER_ADD_CHECKSUM);

	memcpy(command->checksum.file, file, strlen(file));
	command->checksum.offset = (uint32_t)offset;
	command->checksum.start = (uint32_t)start;
	command->checksum.len = (uint32_t)len;
}

/* The table's checksum is computed again, after its pointers have changed. */
static void sum_table(struct table_loader *loader, size_t start)
{
	size_t offset = start + offsetof(struct acpi_header, checksum);
	struct acpi_header header;

	memcpy(&header, loader->tables + start, sizeof(header));
	loader->tables[offset] = 0;
	add_checksum(loader, TABLE_LOADER_TABLES, offset, start, header.length);
}

/* The FADT is the first table that the XSDT lists. */
static void link_fadt(struct table_loader *loader, size_t start)
{
	add_pointer(loader, TABLE_LOADER_TABLES, start + FADT_DSDT, 4);
	add_pointer(loader, TABLE_LOADER_TABLES, start + FADT_X_DSDT, 8);
	sum_table(loader, start);
}

static void link_xsdt(struct table_loader *loader)
{
	struct acpi_header header;
	uint64_t fadt;

	memcpy(&header, loader->tables + ACPI_XSDT_OFFSET, sizeof(header));
	memcpy(&fadt, loader->tables + ACPI_XSDT_OFFSET + sizeof(header), sizeof(fadt));
	link_fadt(loader, fadt);
	for (size_t at = sizeof(header); at < header.length; at += sizeof(uint64_t))
		add_pointer(loader, TABLE_LOADER_TABLES, ACPI_XSDT_OFFSET + at, sizeof(uint64_t));
	sum_table(loader, ACPI_XSDT_OFFSET);
}

/* The checksum of its first 20 bytes stays, because none of them is a pointer. */
static void link_rsdp(struct table_loader *loader)
{
	memcpy(loader->rsdp, loader->tables, sizeof(loader->rsdp));
	memset(loader->tables, 0, sizeof(loader->rsdp));
	loader->rsdp[RSDP_EXTENDED_CHECKSUM] = 0;
	add_pointer(loader, TABLE_LOADER_RSDP, RSDP_XSDT, sizeof(uint64_t));
	add_checksum(loader, TABLE_LOADER_RSDP, RSDP_EXTENDED_CHECKSUM, 0, sizeof(loader->rsdp));
}

enum status table_loader_build(const struct acpi_config *config, struct table_loader *ret)
{
	assert(config->rsdp_gpa == 0);
	ret->n_commands = 0;
	TRY(acpi_tables_build(config, ret->tables, sizeof(ret->tables), &ret->tables_len));
	allocate(ret, TABLE_LOADER_RSDP, ZONE_FSEG);
	allocate(ret, TABLE_LOADER_TABLES, ZONE_HIGH);
	link_xsdt(ret);
	link_rsdp(ret);
	return OK;
}
