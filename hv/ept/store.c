/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The seam between the tree and processors that walk it at the same time. Alone
 * in its file, so that a test can put its own in place.
 */
#include "hv/ept/store.h"

void ept_store(uint64_t *slot, uint64_t entry)
{
	/*
	 * One aligned store, as the processor's walk may read the slot at any
	 * time. Release: the contents of a new table or page come before the
	 * entry that leads to it; the other side is the walk.
	 */
	__atomic_store_n(slot, entry, __ATOMIC_RELEASE);
}
