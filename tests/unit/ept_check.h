/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/ept/ept.h"
#include "hv/frame/phys.h"
#include "tests/unit/support.h"

/* How many frames an own entry leads to. */
static inline unsigned frames_of(uint64_t entry)
{
	return entry & EPT_LARGE ? FRAME_BLOCK : 1;
}

/*
 * Check what struct ept promises of every entry, over a whole tree. Returns how
 * many frames are own. 'level' is that of the table's entries.
 */
static inline uint64_t check_own_table(phys_t frame, unsigned level, uint64_t table_bits)
{
	const uint64_t *table = phys_to_virt(frame);
	uint64_t n = 1;

	for (unsigned i = 0; i < 512; i++) {
		uint64_t entry = table[i];
		bool is_leaf = level == 0 || (entry & EPT_LARGE);

		/* The upper half of the root is hidden: no processor follows it. */
		if (level == 3 && i >= 256 && entry != 0) {
			assert_int_equal(entry & ~(EPT_ADDR | EPT_OWN), EPT_HIDDEN);
			entry |= entry & EPT_OWN ? EPT_PRESENT : EPT_R | EPT_X;
			is_leaf = false;
		}
		if (!(entry & EPT_PRESENT)) {
			if (entry != 0)
				assert_int_equal(entry & ~(EPT_MERGED | EPT_RETURNED),
						 ept_zero_frame() | EPT_FRESH | EPT_TYPE(6));
			assert_true(entry == 0 || level < 3);
			continue;
		}
		assert_true(entry & EPT_R); /* W without R is a misconfiguration */
		if (!is_leaf)
			assert_int_equal(entry & (EPT_TYPE_MASK | EPT_LARGE), 0);
		if (is_leaf && level > 0)
			assert_true(is_aligned(entry & EPT_ADDR, PAGE_SIZE << (9 * level)));
		if (entry & EPT_OWN) {
			/* A large page may wait for the first fetch to be split. */
			uint64_t bits = table_bits & (entry & EPT_SMALL_CODE ? ~EPT_X : UINT64_MAX);

			assert_int_equal(entry & EPT_PRESENT & table_bits, EPT_PRESENT & bits);
			assert_true(!is_leaf || level <= 1); /* 4 KiB, or a block */
			n += is_leaf ? frames_of(entry)
				     : check_own_table(entry & EPT_ADDR, level - 1, EPT_PRESENT);
		} else if (!is_leaf) {
			assert_int_equal(entry & EPT_W, 0);
		}
	}
	return n;
}

/* How many frames the items of the log lead to: each own entry is in the log, few twice. */
static inline uint64_t count_logged(const struct ept *ept)
{
	struct ept_log log = ept->log;
	struct ept_log_cursor cursor = ept_log_begin(&log);
	uint64_t n = 0;

	for (const struct ept_log_item *item = ept_log_next(&cursor); item;
	     item = ept_log_next(&cursor))
		if (item->slot != 0 && (*(const uint64_t *)item->slot & EPT_OWN))
			n += frames_of(*(const uint64_t *)item->slot);
	return n;
}

static inline void check_tree(const struct ept *ept)
{
	uint64_t n = 0;

	if (ept->owns_root) {
		assert_int_equal(ept->top, *(const uint64_t *)phys_to_virt(ept->root));
		n = check_own_table(ept->root, 3, EPT_PRESENT);
		assert_true(ept->log_dangles || count_logged(ept) >= n - 1);
	} else {
		assert_int_equal(ept->root, ept->base->root);
		if (ept->top & EPT_OWN) {
			assert_int_equal(ept->top & ~EPT_ADDR, EPT_OWN | EPT_PRESENT);
			assert_true(ept->base->is_narrow);
			n = check_own_table(ept->top & EPT_ADDR, 2, EPT_PRESENT);
			assert_true(ept->log_dangles || count_logged(ept) >= n);
		} else {
			assert_int_equal(ept->top, ept->base->top);
		}
	}
	assert_int_equal(ept->n_owned, n + ept->n_retired + ept->log.n_chunks);
	assert_true(ept->n_owned <= ept->max_owned);
}

/* Entries of a layer are not own, and not writable except shared memory, also below the root. */
static inline void check_layer(const struct ept_layer *layer)
{
	struct ept_log log = layer->log;
	struct ept_log_cursor cursor = ept_log_begin(&log);
	uint64_t n = 1 + log.n_chunks;

	assert_int_equal(check_own_table(layer->root, 3, EPT_R | EPT_X), 1);
	for (const struct ept_log_item *item = ept_log_next(&cursor); item;
	     item = ept_log_next(&cursor)) {
		const uint64_t *slot = (const uint64_t *)(item->slot & ~UINT64_C(1));

		if (slot == NULL)
			continue;
		assert_int_equal(*slot & (EPT_LOGGED | EPT_W), 0);
		n += item->slot & 1 ? 0 : frames_of(*slot);
	}
	assert_int_equal(n, layer->n_owned);
}
