/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot/boot_info.h"

/*
 * One entry of the firmware's memory map, laid out as EFI_MEMORY_DESCRIPTOR of the
 * UEFI specification, "EFI_BOOT_SERVICES.GetMemoryMap()". The firmware's entries
 * may be longer.
 */
struct memory_descriptor {
	uint32_t type;
	uint32_t pad;
	uint64_t start;
	uint64_t virtual_start;
	uint64_t n_pages;
	uint64_t attributes;
};

/* Where a descriptor begins or ends: scratch of memory_map_build(). */
struct memory_edge {
	uint64_t addr;
	uint16_t use; /* enum mem_use */
	bool begin;
};

/*
 * Translate a firmware map of 'size' bytes, entries 'stride' bytes apart, to sorted,
 * merged ranges of whole pages without overlaps. Where descriptors contradict each
 * other the most careful meaning wins, an unknown type means reserved, and frame 0
 * is always reserved. A partial entry at the end is left out. Addresses nobody
 * names are in no range.
 *
 * Returns the number of ranges, 0 when 'stride' is shorter than an entry or when
 * the scratch or the ranges do not fit; n entries need at most 2n + 2 of either.
 */
size_t memory_map_build(const void *map, size_t size, size_t stride, struct memory_edge *edges,
			size_t n_edges, struct boot_range *ranges, size_t n_ranges);

/* The end of the last range, 0 without one. */
uint64_t memory_map_end(const struct boot_range *ranges, size_t n_ranges);
