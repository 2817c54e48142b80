/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Page tables of four levels that map physical addresses to themselves, in 2 MiB pages below 4 GiB
 * and 1 GiB pages above where there are any: present, writable, executable. Tables
 * come from 'pool', pages at their own physical address whose contents do not matter;
 * the first is the root, what goes into CR3.
 */
struct identity_map {
	uint64_t *pool;
	size_t n_pages; /* of the pool */
	size_t n_used;
	bool has_1gib;
};

/*
 * Map at least [start, start + len), up to the largest virtual address. False if the pool is
 * empty; pages that were already mapped stay mapped.
 */
bool identity_map_add(struct identity_map *map, uint64_t start, uint64_t len);
