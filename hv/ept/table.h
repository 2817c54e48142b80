/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/ept/format.h"
#include "hv/frame/phys.h"

/* The tables of a tree, for those who walk them. Level 0 has the entries of 4 KiB pages. */
#define ENTRIES	   512
#define ROOT_LEVEL (EPT_LEVELS - 1)

/* Set in an item of a layer's log: the page is merged, not own. */
#define EPT_LAYER_MERGED UINT64_C(1)

static inline uint64_t level_size(unsigned level)
{
	return PAGE_SIZE << (9 * level);
}

static inline unsigned index_at(gpa_t gpa, unsigned level)
{
	return (gpa.raw >> (PAGE_SHIFT + 9 * level)) % ENTRIES;
}

static inline bool is_table(uint64_t entry, unsigned level)
{
	return level > 0 && (entry & EPT_PRESENT) && !(entry & EPT_LARGE);
}

/* Whether the entry leads to one frame of the tree's own: a table, or a page of 4 KiB. */
static inline bool is_own_frame(uint64_t entry)
{
	return (entry & (EPT_OWN | EPT_LARGE)) == EPT_OWN;
}

/* Whether the entry is a large page of the tree's own: a block of hv/frame/frame.h. */
static inline bool is_own_large(uint64_t entry)
{
	return (entry & (EPT_OWN | EPT_LARGE)) == (EPT_OWN | EPT_LARGE);
}

/* How many frames a tree or layer has for an entry: of a large page, always of 2 MiB, a block. */
static inline unsigned n_frames_of(uint64_t entry)
{
	return entry & EPT_LARGE ? ENTRIES : 1;
}

static inline uint64_t *table_at(phys_t frame)
{
	return phys_to_virt(frame);
}

static inline uint64_t *table_of(uint64_t entry)
{
	return table_at(entry & EPT_ADDR);
}

/* The entry of a root by which gpa is translated, with the first one 'top'. 0 also if gpa is wider.
 */
static inline uint64_t root_entry(phys_t root, uint64_t top, gpa_t gpa)
{
	uint64_t index = gpa.raw / level_size(ROOT_LEVEL);

	if (__builtin_expect(index == 0, 1))
		return top;
	return index < ENTRIES ? table_at(root)[index] : 0;
}
