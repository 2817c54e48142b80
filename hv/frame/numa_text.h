/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/frame/numa.h"

/* The processors in use: number i has the APIC ID apic_ids[i]. */
struct numa_cpus {
	const uint32_t *apic_ids;
	unsigned n;
};

/*
 * Describe a node: its memory, the numbers of its processors, its distances to
 * all nodes. Returns the same as format().
 */
size_t numa_describe(const struct numa *machine, unsigned node, struct numa_cpus cpus, char *buf,
		     size_t size);
