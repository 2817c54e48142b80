/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/* Between acpi_tables.c and acpi_memory.c: how a table is written. Nobody else's. */

#include "hv/loader/acpi_tables.h"

#define ACPI_PACKED __attribute__((packed))

struct ACPI_PACKED acpi_header {
	char signature[4];
	uint32_t length;
	uint8_t revision;
	uint8_t checksum;
	char oem_id[6];
	char oem_table_id[8];
	uint32_t oem_revision;
	char creator_id[4];
	uint32_t creator_revision;
};
_Static_assert(sizeof(struct acpi_header) == 36, "ACPI 6.0, System Description Table Header");

/* Higher ones need x2APIC structures in MADT and SRAT. */
#define ACPI_MAX_XAPIC_ID 254

/* The tables that the XSDT lists: FADT, MADT, SRAT, SLIT, NFIT and five SSDTs. */
#define ACPI_TABLES_MAX 10

struct acpi_image {
	uint8_t *buf;
	size_t size;
	size_t used;
	uint64_t gpa; /* of buf */
	uint64_t tables[ACPI_TABLES_MAX];
	size_t n_tables;
};

/* ERR_RANGE: no room. */
enum status acpi_append(struct acpi_image *image, const void *data, size_t len);

/* A header that lacks length and checksum. */
struct acpi_header acpi_make_header(const char signature[4], uint8_t revision);

/* The table from 'start' to here is complete: its header, too, and the XSDT will list it.
 * ERR_RANGE: no room. */
enum status acpi_list_table(struct acpi_image *image, size_t start);

/* The start of AML's Scope (name) { ... }; below 1 MiB all in all. ERR_RANGE: no room. */
enum status acpi_append_scope(struct acpi_image *image, const char *name, size_t name_len,
			      size_t contents_len);

/* The low digits of 'value', hexadecimal, as AML's names have them. */
void acpi_put_digits(char *text, unsigned n_digits, unsigned value);

/*
 * acpi_memory.c: an SSDT with the memory devices; SSDTs with the NVDIMMs; SRAT; SLIT; NFIT. Each
 * is left out if there is nothing to say. ERR_RANGE: no room.
 */
enum status acpi_add_memory_devices(struct acpi_image *image, const struct acpi_config *config);
enum status acpi_add_nvdimm_devices(struct acpi_image *image, const struct acpi_config *config);
enum status acpi_add_srat(struct acpi_image *image, const struct acpi_config *config);
enum status acpi_add_slit(struct acpi_image *image, const struct acpi_config *config);
enum status acpi_add_nfit(struct acpi_image *image, const struct acpi_config *config);
