/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/status.h"
#include "hv/types.h"

/*
 * The ACPI tables of the guest's hardware-reduced machine: RSDP, XSDT, FADT,
 * MADT, DSDT (hv/devices/dsdt.dsl) and an SSDT with the processors.
 */
struct acpi_config {
	unsigned n_cpus;   /* 1 to ACPI_MAX_CPUS; APIC IDs are 0 to n_cpus - 1 */
	uint64_t rsdp_gpa; /* where buf will be in the guest: a multiple of 16 */
};

#define ACPI_MAX_CPUS	 1024
#define ACPI_TABLES_SIZE KIB(64) /* enough for ACPI_MAX_CPUS */
/* Where firmware leaves them: the area an OS searches for the RSDP. */
#define ACPI_AREA_START UINT64_C(0xe0000)
#define ACPI_AREA_END	UINT64_C(0x100000)

/*
 * Write the image to be placed at rsdp_gpa; the RSDP comes first. *ret_len is
 * the number of bytes used. ERR_INVAL: no CPU, or rsdp_gpa unaligned; ERR_RANGE: too many CPUs, the
 * image would end above 4 GiB, or does not fit 'size' (buf is then undefined).
 */
enum status acpi_tables_build(const struct acpi_config *config, uint8_t *buf, size_t size,
			      size_t *ret_len);
