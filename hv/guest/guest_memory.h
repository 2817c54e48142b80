/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/ept/ept.h"
#include "hv/guest/fault.h"
#include "hv/guest/region.h"
#include "hv/lib/status.h"
#include "hv/lib/types.h"

/*
 * The only way into a VM's memory. Every write on a guest's behalf goes through
 * these functions and is subject to the same decisions as the guest's own
 * stores: private memory is copied, writes to ROM are dropped and counted,
 * shared memory changes in place. Call all functions with the VM's lock held,
 * except where one says otherwise.
 * They may increment the EPT's generation, as ept_copy() does.
 */
struct guest_memory {
	struct ept *ept;
	struct mem_map *map;		     /* clones have their template's */
	uint64_t n_dropped;		     /* writes to ROM */
	const struct mem_region *dropped_at; /* where the last one went; NULL: not known */
	/* Found by the last search, to try first; NULL: none. Atomic. */
	struct mem_region *last;
};

/* The region of gpa if the last search has found it; else NULL. Needs no lock. */
static inline struct mem_region *guest_region_again(struct guest_memory *memory, gpa_t gpa)
{
	struct mem_region *last = __atomic_load_n(&memory->last, __ATOMIC_RELAXED);

	return last != NULL && gpa.raw - last->gpa.raw < last->len ? last : NULL;
}

/* The region of gpa; NULL: gpa is not memory. Needs no lock: any search may be the last. */
static inline struct mem_region *guest_region(struct guest_memory *memory, gpa_t gpa)
{
	struct mem_region *last = guest_region_again(memory, gpa);

	if (last != NULL)
		return last;
	last = mem_map_find(memory->map, gpa);
	if (last != NULL)
		__atomic_store_n(&memory->last, last, __ATOMIC_RELAXED);
	return last;
}

/* Count a write to ROM. */
static inline void guest_note_drop(struct guest_memory *memory, const struct mem_region *rom)
{
	memory->n_dropped++;
	memory->dropped_at = rom;
}

/*
 * Where the byte at gpa is, for reading, and the rest of its page after it. Valid while the lock is
 * held and the EPT does not change. NULL: gpa is not memory.
 */
const void *guest_byte(struct guest_memory *memory, gpa_t gpa);

/* How many bytes of [address, address + len) lie in the page of 'address'. len > 0. */
static inline uint64_t part_in_page(uint64_t address, uint64_t len)
{
	uint64_t part = PAGE_SIZE - address % PAGE_SIZE;

	return part < len ? part : len;
}

/*
 * Ranges may cross pages and regions. ERR_RANGE: a part of the range is not
 * memory; nothing was read, written or counted. ERR_NOMEM (writes): no frame
 * for a private copy; the pages before the one that failed are written, that
 * one and those after are not. A dropped write counts once for each page it
 * touches.
 */
enum status guest_read(struct guest_memory *memory, gpa_t gpa, void *buf, size_t len);
enum status guest_write(struct guest_memory *memory, gpa_t gpa, const void *buf, size_t len);
enum status guest_zero(struct guest_memory *memory, gpa_t gpa, uint64_t len);

/* Whether all of the range is memory, and none of it ROM. len > 0. */
bool guest_can_write(struct guest_memory *memory, gpa_t gpa, uint64_t len);

/*
 * Make a later write to the page of gpa, which is memory, need no frame. A merge may undo that.
 * ERR_NOMEM: nothing has changed.
 */
enum status guest_prepare_write(struct guest_memory *memory, gpa_t gpa);

/* Atomically OR bits into one byte. Decisions and errors as in guest_write(). */
enum status guest_set_bits(struct guest_memory *memory, gpa_t gpa, uint8_t bits);
