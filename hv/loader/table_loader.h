/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/loader/acpi.h"

/*
 * How QEMU gives ACPI tables to firmware, which knows best where they can lie: as two files of
 * fw_cfg, with numbers in the place of addresses, and a third file of commands, which the firmware
 * carries out one after the other. Source: QEMU's struct BiosLinkerLoaderEntry, and SeaBIOS'
 * struct romfile_loader_entry_s.
 */
#define TABLE_LOADER_NAME_SIZE 56
#define TABLE_LOADER_TABLES    "etc/acpi/tables"
#define TABLE_LOADER_RSDP      "etc/acpi/rsdp"
#define TABLE_LOADER_COMMANDS  "etc/table-loader"

enum table_loader_number {
	TABLE_LOADER_ALLOCATE = 1,
	TABLE_LOADER_ADD_POINTER = 2,
	TABLE_LOADER_ADD_CHECKSUM = 3,
};

/* Numbers are little-endian. */
struct ACPI_PACKED table_loader_command {
	uint32_t number;
	union {
		struct ACPI_PACKED {
			char file[TABLE_LOADER_NAME_SIZE];
			uint32_t align;
			uint8_t zone; /* 1: anywhere below 4 GiB; 2: from 0xf0000 to 1 MiB */
		} allocate;
		/* To the 'size' bytes at 'offset' of a file add the address of another. */
		struct ACPI_PACKED {
			char file[TABLE_LOADER_NAME_SIZE];
			char target[TABLE_LOADER_NAME_SIZE];
			uint32_t offset;
			uint8_t size;
		} pointer;
		/* Make the sum of 'len' bytes from 'start' on zero by the one at 'offset', now 0.
		 */
		struct ACPI_PACKED {
			char file[TABLE_LOADER_NAME_SIZE];
			uint32_t offset;
			uint32_t start;
			uint32_t len;
		} checksum;
		uint8_t room[124];
	};
};
_Static_assert(sizeof(struct table_loader_command) == 128, "BiosLinkerLoaderEntry");

/* Two files, the pointers of RSDP, FADT and XSDT, and the checksums of these three. */
#define TABLE_LOADER_COMMANDS_MAX (2 + 3 + ACPI_TABLES_MAX + 3)

struct table_loader {
	uint8_t rsdp[ACPI_RSDP_SIZE];
	size_t n_commands, tables_len;
	struct table_loader_command command[TABLE_LOADER_COMMANDS_MAX];
	uint8_t tables[ACPI_TABLES_SIZE]; /* the image, with zeros in the RSDP's place */
};

/* Make the three files. Returns as acpi_tables_build(); rsdp_gpa must be 0. */
enum status table_loader_build(const struct acpi_config *config, struct table_loader *ret);
