/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host page tables as a data structure. Tables come from frame_alloc_zeroed() and are never
 * freed: the size of memory bounds the number of splits.
 */
#include "hv/host/page_table.h"

#include "hv/frame/frame.h"
#include "hv/frame/phys.h"
#include "hv/lib/assert.h"

enum { LEVELS = 4, ENTRIES = 512, LEVEL_1G = 2 };

/* One change: attr for all pages of the range, or only PT_W for the mapped ones. */
struct change {
	uint64_t start, end; /* end is exclusive */
	uint64_t set, keep;  /* new leaf = address | set | (old & keep) */
	bool mapped_only;
	bool splits_only; /* large pages become tables, and no page changes */
};

/* Bytes that an entry of a table covers; level 0 holds pages of 4 KiB. */
static uint64_t entry_size(int level)
{
	return PAGE_SIZE << (9 * level);
}

static unsigned entry_index(uint64_t virt, int level)
{
	return virt >> (PAGE_SHIFT + 9 * level) & (ENTRIES - 1);
}

static uint64_t *table_at(phys_t phys)
{
	return phys_to_virt(phys);
}

static bool is_table(uint64_t entry, int level)
{
	return level > 0 && (entry & PT_P) && !(entry & PT_LEAF);
}

/* Other processors walk the tables, so an entry changes by one store. */
static void entry_store(uint64_t *entry, uint64_t value)
{
	__atomic_store_n(entry, value, __ATOMIC_RELEASE);
}

/* Replace a leaf, or an empty entry, by a table with the same meaning. */
static enum status entry_split(uint64_t *entry, int level)
{
	phys_t frame = frame_alloc_zeroed();
	uint64_t child_size = entry_size(level - 1);
	uint64_t child = level == 1 ? *entry & ~PT_LEAF : *entry;

	if (frame == 0)
		return ERR_NOMEM;
	for (unsigned i = 0; child != 0 && i < ENTRIES; i++)
		table_at(frame)[i] = child + i * child_size;
	entry_store(entry, frame | PT_P | PT_W);
	return OK;
}

static void leaf_change(uint64_t *entry, uint64_t virt, int level, const struct change *change)
{
	uint64_t leaf = change->set | (*entry & change->keep);

	if (leaf & PT_P)
		leaf |= (virt & PT_ADDR) | PT_A | PT_D | (level > 0 ? PT_LEAF : 0);
	entry_store(entry, leaf & PT_P ? leaf : 0);
}

static bool fits_leaf(const struct page_table *pt, const struct change *change, uint64_t virt,
		      int level)
{
	if (level > LEVEL_1G || (level == LEVEL_1G && !pt->has_1g))
		return false;
	return virt >= change->start && change->end - virt >= entry_size(level);
}

static enum status table_change(struct page_table *pt, uint64_t *table, uint64_t base, int level,
				const struct change *change)
{
	uint64_t size = entry_size(level);
	uint64_t from = base > change->start ? base : align_down(change->start, size);

	for (uint64_t virt = from; virt < change->end && virt - base < ENTRIES * size;
	     virt += size) {
		uint64_t *entry = &table[entry_index(virt, level)];

		if (*entry == 0 && (change->mapped_only || !(change->set & PT_P)))
			continue;
		if (!is_table(*entry, level) && !change->splits_only &&
		    fits_leaf(pt, change, virt, level)) {
			leaf_change(entry, virt, level, change);
			continue;
		}
		if (!is_table(*entry, level))
			TRY(entry_split(entry, level));
		if (change->splits_only && level == 1)
			continue;
		TRY(table_change(pt, table_at(*entry & PT_ADDR), virt, level - 1, change));
	}
	return OK;
}

static enum status range_change(struct page_table *pt, uint64_t start, uint64_t len,
				struct change *change)
{
	if (!is_aligned(start | len, PAGE_SIZE))
		return ERR_INVAL;
	if (start > PT_LIMIT || len > PT_LIMIT - start)
		return ERR_RANGE;
	change->start = start;
	change->end = start + len;
	return table_change(pt, table_at(pt->root), 0, LEVELS - 1, change);
}

enum status page_table_set(struct page_table *pt, uint64_t start, uint64_t len, uint64_t attr)
{
	assert((attr & (PT_ADDR | PT_LEAF)) == 0);
	return range_change(pt, start, len, &(struct change){.set = attr});
}

enum status page_table_set_writable(struct page_table *pt, uint64_t start, uint64_t len,
				    bool writable)
{
	struct change change = {.set = writable ? PT_W : 0, .keep = ~PT_W, .mapped_only = true};

	return range_change(pt, start, len, &change);
}

enum status page_table_split(struct page_table *pt, uint64_t start, uint64_t len)
{
	struct change change = {.mapped_only = true, .splits_only = true};

	return range_change(pt, start, len, &change);
}

uint64_t page_table_walk(const struct page_table *pt, uint64_t virt, uint64_t *ret_size)
{
	phys_t table = pt->root;

	if (virt >= PT_LIMIT)
		return 0;
	for (int level = LEVELS - 1;; level--) {
		uint64_t entry = table_at(table)[entry_index(virt, level)];

		if (is_table(entry, level)) {
			table = entry & PT_ADDR;
			continue;
		}
		if (entry != 0 && ret_size != NULL)
			*ret_size = entry_size(level);
		return entry;
	}
}

static bool table_find_wx(phys_t table, uint64_t base, int level, uint64_t *ret_virt)
{
	for (unsigned i = 0; i < ENTRIES; i++) {
		uint64_t entry = table_at(table)[i], virt = base + i * entry_size(level);

		if (is_table(entry, level)) {
			if (table_find_wx(entry & PT_ADDR, virt, level - 1, ret_virt))
				return true;
		} else if ((entry & PT_P) && (entry & PT_W) && !(entry & PT_NX)) {
			*ret_virt = virt;
			return true;
		}
	}
	return false;
}

bool page_table_find_wx(const struct page_table *pt, uint64_t *ret_virt)
{
	return table_find_wx(pt->root, 0, LEVELS - 1, ret_virt);
}
