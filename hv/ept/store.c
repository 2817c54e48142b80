/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The seam between the tree and processors that walk it at the same time. A
 * file of its own, so that a test can replace it.
 */
#include "hv/ept/store.h"

void ept_store(uint64_t *slot, uint64_t entry)
{
	/*
	 * One aligned store, because a processor's walk may read the slot at
	 * any time. Release: the contents of a new table or page come before
	 * the entry that leads to it. The other side is the walk.
	 */
	__atomic_store_n(slot, entry, __ATOMIC_RELEASE);
}
