/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/status.h"
#include "hv/lib/types.h"

/*
 * The guest's ACPI tables: their input, and the helpers with which acpi_tables.c and acpi_memory.c
 * write them.
 */

/* A range of main memory, or a DIMM, with the flags of ACPI's SRAT. */
#define ACPI_MEMORY_ENABLED	 BIT(0)
#define ACPI_MEMORY_HOTPLUG	 BIT(1) /* a memory device in that slot, not in the e820 map */
#define ACPI_MEMORY_NON_VOLATILE BIT(2)

struct acpi_memory {
	uint64_t gpa;
	uint64_t len;
	uint32_t node; /* proximity domain */
	uint32_t flags;
	uint32_t slot; /* of a hot-pluggable DIMM, below ACPI_MAX_SLOTS; becomes its _UID */
};

struct acpi_nvdimm {
	uint64_t gpa;
	uint64_t len;
	uint32_t node;
	uint32_t slot; /* below ACPI_MAX_SLOTS, unique; see acpi_nvdimm_handle() */
	/* stored in namespace labels: with another serial number the labels become invalid */
	uint32_t serial;
	bool unarmed; /* the guest is told that writes do not last */
};

/*
 * What the ACPI tables describe. The guest's machine is hardware-reduced. It always gets RSDP,
 * XSDT, FADT, MADT, DSDT (hv/loader/dsdt.dsl) and an SSDT with the processors. Memory ranges add an
 * SRAT and, if hot-pluggable, an SSDT with memory devices; distances add a SLIT; NVDIMMs add an
 * NFIT and SSDTs with their devices (hv/loader/nvdimm.dsl); a generation counter adds its SSDT
 * (hv/loader/vmgenid.dsl). Virtio devices are in the DSDT: SeaBIOS reads no other table.
 */
struct acpi_config {
	unsigned n_cpus;	  /* 1 to ACPI_MAX_CPUS */
	const uint32_t *apic_id;  /* n_cpus, ascending; NULL: 0 to n_cpus - 1 */
	uint64_t rsdp_gpa;	  /* address of the image in the guest: a multiple of 16 */
	const uint32_t *cpu_node; /* n_cpus proximity domains; NULL: all are in 0 */

	const struct acpi_memory *memory; /* without the NVDIMMs */
	unsigned n_memory;

	unsigned n_nodes;	 /* rows and columns of 'distance' */
	const uint8_t *distance; /* [from * n_nodes + to]; NULL: unknown */

	const struct acpi_nvdimm *nvdimms;
	unsigned n_nvdimms;

	bool has_vmgenid;
	bool has_pic, has_pit, has_hpet, has_pm_timer, has_watchdog;
	bool no_rtc;
	bool has_pvpanic;
	unsigned n_virtio; /* devices, in the highest slots: hv/devices/virtio_mmio.h */
};

#define ACPI_MAX_CPUS	 1024
#define ACPI_MAX_SLOTS	 256
#define ACPI_TABLES_SIZE KIB(128) /* enough for ACPI_MAX_CPUS and all slots taken */
/* The area that an OS searches for the RSDP, where firmware puts the tables. */
#define ACPI_AREA_START UINT64_C(0xe0000)
#define ACPI_AREA_END	UINT64_C(0x100000)

static inline uint32_t acpi_apic_id(const struct acpi_config *config, unsigned cpu)
{
	return config->apic_id ? config->apic_id[cpu] : cpu;
}

/* The NVDIMM's name in NFIT, in the devices' _ADR and in struct nvdimm_labels. 0 is not used. */
static inline uint32_t acpi_nvdimm_handle(uint32_t slot)
{
	return slot + 1;
}

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

/* Higher APIC IDs need x2APIC structures in MADT and SRAT. */
#define ACPI_MAX_XAPIC_ID 254

#define ACPI_TABLE_ALIGN 16 /* bytes */
#define ACPI_OEM_ID	 "STENCL"

/* The tables that the XSDT lists: FADT, MADT, SRAT, SLIT, NFIT, HPET, WDAT and seven SSDTs. */
#define ACPI_TABLES_MAX 14

/* The image begins with the RSDP and, after it, the XSDT. */
#define ACPI_RSDP_SIZE	   36
#define ACPI_XSDT_OFFSET   48
#define ACPI_XSDT_SIZE_MAX (sizeof(struct acpi_header) + 8 * ACPI_TABLES_MAX)

/* The RSDP of the image at 'gpa', which does not depend on what is in it. */
void acpi_make_rsdp(uint64_t gpa, uint8_t ret[ACPI_RSDP_SIZE]);

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

/* The byte that makes the sum of all bytes zero. */
uint8_t acpi_checksum(const void *data, size_t len);

/* Append zeros up to a multiple of ACPI_TABLE_ALIGN. ERR_RANGE: no room. */
enum status acpi_align(struct acpi_image *image);

/* A header without length and checksum. */
struct acpi_header acpi_make_header(const char signature[4], uint8_t revision);

/*
 * Complete the table from 'start' to the end of the image: its header gets length and checksum.
 * '*ret_gpa' is its address. ERR_RANGE: no room.
 */
enum status acpi_finish_table(struct acpi_image *image, size_t start, uint64_t *ret_gpa);
/* The same, and list it in the XSDT. */
enum status acpi_list_table(struct acpi_image *image, size_t start);

/* Begin AML's Scope (name) { ... }, below 1 MiB in total. ERR_RANGE: no room. */
enum status acpi_append_scope(struct acpi_image *image, const char *name, size_t name_len,
			      size_t contents_len);

/* Write the low digits of 'value' in hexadecimal, as in AML's names. */
void acpi_put_digits(char *text, unsigned n_digits, unsigned value);
