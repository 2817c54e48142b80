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

/* The start or end of a descriptor: scratch of memory_map_build(). */
struct memory_edge {
	uint64_t addr;
	uint16_t use; /* enum mem_use */
	bool begin;
};

struct memory_map {
	/* The firmware's, 'size' bytes in all, 'stride' from one to the next. */
	const void *entries;
	size_t size, stride;
	struct boot_range kept; /* overrides entries that call it free; len 0: nothing */
	struct memory_edge *edges;
	size_t n_edges; /* 2n + 4 are enough for n entries */
};

/*
 * Translate a firmware's map to sorted, merged ranges of whole pages without
 * overlaps. Where entries contradict each other the most careful meaning wins, an
 * unknown type means reserved, and frame 0 is always reserved. A partial entry at
 * the end is left out. Addresses without a descriptor are in no range.
 *
 * Returns the number of ranges, at most 2n + 4 for n entries; 0 when 'stride' is
 * shorter than an entry or when edges or ranges do not fit.
 */
size_t memory_map_build(const struct memory_map *map, struct boot_range *ranges, size_t n_ranges);
