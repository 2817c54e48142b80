/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/status.h"
#include "hv/lib/types.h"

/*
 * Four-level page tables that map every page at its own physical address. They neither touch the
 * TLB nor take a lock; hv/host/paging.c does both.
 */

/* SDM vol. 3, "4-Level Paging". Tables allow everything, leaves decide. */
#define PT_P	BIT(0)
#define PT_W	BIT(1)
#define PT_PWT	BIT(3)
#define PT_PCD	BIT(4)
#define PT_A	BIT(5)
#define PT_D	BIT(6)
#define PT_LEAF BIT(7) /* in a directory: a page, not a table */
#define PT_NX	BIT(63)
#define PT_ADDR BITS(51, 12)

/* Addresses below this can be mapped. */
#define PT_LIMIT (UINT64_C(1) << 47)

struct page_table {
	phys_t root;
	bool has_1g; /* the processor has pages of 1 GiB */
};

/*
 * Map [start, start + len), whole pages, with 'attr' (PT_P and others) and the largest pages that
 * fit; attr 0 unmaps. Larger pages that overlap the ends are split; existing tables are kept.
 * After ERR_NOMEM the pages before the first one that could not be changed have changed, the
 * others have not. ERR_RANGE and ERR_INVAL (not whole pages) change nothing.
 */
enum status page_table_set(struct page_table *pt, uint64_t start, uint64_t len, uint64_t attr);

/*
 * Set or clear PT_W on the mapped pages of the range. Errors as above.
 */
enum status page_table_set_writable(struct page_table *pt, uint64_t start, uint64_t len,
				    bool writable);

/*
 * Map what is mapped in the range by pages of 4 KiB, as it was: page_table_set_writable() then
 * needs no frame. Errors as above.
 */
enum status page_table_split(struct page_table *pt, uint64_t start, uint64_t len);

/* The entry of the page at 'virt', or 0 if there is none; *ret_size (bytes) may be NULL. */
uint64_t page_table_walk(const struct page_table *pt, uint64_t virt, uint64_t *ret_size);

/* The first page that is both writable and executable; false if there is none. */
bool page_table_find_wx(const struct page_table *pt, uint64_t *ret_virt);
