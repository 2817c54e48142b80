/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/status.h"
#include "hv/lib/types.h"

/* A range of main memory, or a DIMM: SRAT's flags, as ACPI has them. */
#define ACPI_MEMORY_ENABLED	 BIT(0)
#define ACPI_MEMORY_HOTPLUG	 BIT(1) /* a memory device of that slot, not in the e820 map */
#define ACPI_MEMORY_NON_VOLATILE BIT(2)

struct acpi_memory {
	uint64_t gpa;
	uint64_t len;
	uint32_t node; /* proximity domain */
	uint32_t flags;
	uint32_t slot; /* of a hot-pluggable one, below ACPI_MAX_SLOTS; becomes its _UID */
};

struct acpi_nvdimm {
	uint64_t gpa;
	uint64_t len;
	uint32_t node;
	uint32_t slot;	 /* below ACPI_MAX_SLOTS, no other's; see acpi_nvdimm_handle() */
	uint32_t serial; /* a namespace label holds it: labels are lost with another one */
	bool unarmed;	 /* the guest is told that writes will not last */
};

/*
 * The ACPI tables of the guest's hardware-reduced machine: RSDP, XSDT, FADT,
 * MADT, DSDT (hv/loader/dsdt.dsl) and an SSDT with the processors. With memory ranges an SRAT, and
 * devices in an SSDT for the hot-pluggable ones; with distances a SLIT; with NVDIMMs an NFIT and
 * SSDTs with their devices (hv/loader/nvdimm.dsl). With a generation counter its SSDT
 * (hv/loader/vmgenid.dsl).
 */
struct acpi_config {
	unsigned n_cpus;	  /* 1 to ACPI_MAX_CPUS */
	const uint32_t *apic_id;  /* n_cpus, ascending; NULL: 0 to n_cpus - 1 */
	uint64_t rsdp_gpa;	  /* where buf will be in the guest: a multiple of 16 */
	const uint32_t *cpu_node; /* n_cpus proximity domains; NULL: all are in 0 */

	const struct acpi_memory *memory; /* NVDIMMs are not repeated here */
	unsigned n_memory;

	unsigned n_nodes;	 /* rows and columns of 'distance' */
	const uint8_t *distance; /* [from * n_nodes + to]; NULL: none known */

	const struct acpi_nvdimm *nvdimms;
	unsigned n_nvdimms;

	bool has_vmgenid;
};

#define ACPI_MAX_CPUS	 1024
#define ACPI_MAX_SLOTS	 256
#define ACPI_TABLES_SIZE KIB(128) /* enough for ACPI_MAX_CPUS and all slots taken */
/* Where firmware leaves them: the area an OS searches for the RSDP. */
#define ACPI_AREA_START UINT64_C(0xe0000)
#define ACPI_AREA_END	UINT64_C(0x100000)

static inline uint32_t acpi_apic_id(const struct acpi_config *config, unsigned cpu)
{
	return config->apic_id ? config->apic_id[cpu] : cpu;
}

/* What NFIT, the devices' _ADR and struct nvdimm_labels call the NVDIMM in a slot; 0 is none. */
static inline uint32_t acpi_nvdimm_handle(uint32_t slot)
{
	return slot + 1;
}

/*
 * Write the image to be placed at rsdp_gpa; the RSDP comes first. *ret_len is
 * the number of bytes used. ERR_INVAL: no CPU, or rsdp_gpa unaligned; ERR_RANGE: too many CPUs, a
 * slot too high, the image would end above 4 GiB, or does not fit 'size' (buf is then undefined).
 */
enum status acpi_tables_build(const struct acpi_config *config, uint8_t *buf, size_t size,
			      size_t *ret_len);
