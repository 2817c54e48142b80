/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/frame/numa.h"
#include "hv/lib/status.h"

/*
 * Whole ACPI tables, including their headers, with correct checksums. NULL: the
 * machine has no such table.
 */
struct numa_tables {
	const void *srat, *slit;
	uint64_t srat_len, slit_len;
};

/*
 * Read the tables, and nothing beyond their lengths. A SLIT that contradicts
 * itself is reported and ignored. ERR_NOTFOUND: no SRAT, or one without memory.
 * ERR_CORRUPT, ERR_RANGE: the SRAT is damaged, or names more than fits; this is
 * reported. After an error '*ret' is a machine of one node. In any case no node
 * has memory yet.
 */
enum status numa_parse(const struct numa_tables *tables, struct numa *ret);

/* Add the RAM in [start, start + len), free or not, to its nodes. */
void numa_add_memory(struct numa *machine, phys_t start, uint64_t len);
