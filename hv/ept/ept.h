/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/status.h"
#include "hv/types.h"

/* Format of an EPT entry. SDM vol. 3, "The Extended Page Table Mechanism (EPT)". */
#define EPT_R	    BIT(0)
#define EPT_W	    BIT(1)
#define EPT_X	    BIT(2)
#define EPT_PRESENT (EPT_R | EPT_W | EPT_X)
#define EPT_TYPE(t) ((uint64_t)(t) << 3)
#define EPT_LARGE   BIT(7)
#define EPT_ADDR    BITS(51, 12)
#define EPT_OWN	    BIT(52) /* ignored by the CPU: the table or page belongs to this tree */

struct ept_layer; /* an immutable, counted ancestor */

/*
 * A persistent tree: it owns the tables and pages that it made itself (EPT_OWN in
 * the entry that points at them) and borrows everything else from an immutable
 * layer, or from images. Guarded by the owning VM's lock.
 */
struct ept {
	phys_t root;		/* frame of the level-4 table */
	struct ept_layer *base; /* what the tree was cloned from; NULL: nothing */
	unsigned leaf_levels;	/* 1: 4K pages only, 2: also 2M, 3: also 1G */
	uint64_t generation;	/* see ept_map() */
	uint64_t n_owned;	/* frames, tables included */
	uint64_t max_owned;	/* ceiling; ERR_NOMEM beyond */
	phys_t retired;		/* tables waiting for ept_reclaim() */
};
