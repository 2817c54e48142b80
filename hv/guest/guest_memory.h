/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/ept/ept.h"
#include "hv/guest/fault.h"
#include "hv/guest/region.h"
#include "hv/lib/status.h"
#include "hv/lib/types.h"

/*
 * The one door into a VM's memory. Everything that is written on a guest's
 * behalf goes through here and meets the decisions which the guest's own stores
 * meet: private memory is copied, writes to ROM are dropped and counted, shared
 * memory changes in place. All functions are called with the VM's lock held,
 * and may move the EPT's generation on, as ept_copy() does.
 */
struct guest_memory {
	struct ept *ept;
	struct mem_map *map;
};

/* Is all of [gpa, gpa + len) memory? */
bool guest_has_memory(struct mem_map *map, gpa_t gpa, uint64_t len);

/* The bytes of [address, address + len), len > 0, that lie in the page of 'address'. */
static inline uint64_t part_in_page(uint64_t address, uint64_t len)
{
	uint64_t part = PAGE_SIZE - address % PAGE_SIZE;

	return part < len ? part : len;
}

/*
 * Ranges may cross pages and regions. ERR_RANGE: part of it is no memory;
 * nothing was read or written, nor anything counted. ERR_NOMEM (writes): no
 * frame for a private copy; the pages before the one that failed are written,
 * it and those behind are not. A dropped write counts once for each page it
 * touches.
 */
enum status guest_read(struct guest_memory *memory, gpa_t gpa, void *buf, size_t len);
enum status guest_write(struct guest_memory *memory, gpa_t gpa, const void *buf, size_t len);
enum status guest_zero(struct guest_memory *memory, gpa_t gpa, uint64_t len);

/* Atomically OR bits into one byte, as guest_write() would write it. */
enum status guest_set_bits(struct guest_memory *memory, gpa_t gpa, uint8_t bits);
