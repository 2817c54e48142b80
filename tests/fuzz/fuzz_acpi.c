/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as the firmware's tables: RSDP, MADT, FADT, DMAR, HPET and the others by
 * hv/host/acpi.c, then SRAT and SLIT by hv/frame/numa_parse.c. Physical memory is the input;
 * checksums need not be right.
 */
#include <stdlib.h>
#include <string.h>

#include "hv/frame/numa_parse.h"
#include "hv/host/acpi.h"
#include "hv/host/acpi_memory.h"
#include "hv/host/lint.h"
#include "hv/lib/assert.h"

#define BASE 0x7f000000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t *input;
static size_t input_len;
/* Each answer is a copy of exact size, so that a read beyond it is noticed. */
static void *copies[4096];
static size_t n_copies;

const void *acpi_memory(phys_t start, uint64_t len)
{
	if (n_copies == ARRAY_SIZE(copies) || start < BASE || start - BASE > input_len ||
	    len > input_len - (start - BASE))
		return NULL;
	copies[n_copies] = malloc(len ? len : 1);
	return memcpy(copies[n_copies++], input + (start - BASE), len);
}

static const void *table(struct acpi_table which)
{
	return which.len > 0 ? acpi_memory(which.start, which.len) : NULL;
}

static void use(const struct acpi *acpi)
{
	static struct numa nodes;
	struct numa_tables tables = {table(acpi->srat), table(acpi->slit), 0, 0};

	assert(acpi->n_cpus <= ACPI_CPU_MAX && acpi->n_io_apics <= ACPI_IO_APIC_MAX);
	for (uint32_t i = 0; i < acpi->n_cpus; i++)
		for (unsigned pin = 0; pin < 2; pin++)
			(void)lint_entry(acpi, acpi->cpu_apic_id[i], pin);
	tables.srat_len = tables.srat ? acpi->srat.len : 0;
	tables.slit_len = tables.slit ? acpi->slit.len : 0;
	if (numa_parse(&tables, &nodes) == OK)
		assert(nodes.n_nodes >= 1 && nodes.n_nodes <= NUMA_NODE_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct acpi acpi;

	input = data;
	input_len = size;
	if (acpi_parse(BASE, &acpi) == OK)
		use(&acpi);
	while (n_copies > 0)
		free(copies[--n_copies]);
	return 0;
}
