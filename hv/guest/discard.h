/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/guest/guest_memory.h"

/*
 * Pages whose contents a guest does not need: their frames are given back, and the pages read as
 * zeros until they are written again. This changes pages that the VM owns, in regions for which
 * mem_region_gives_back() is true, and no others: ROM, shared memory, the pages of templates and
 * images, hidden regions, and what is not memory stay as they are.
 *
 * A frame is not free yet when its page is gone: processors may use it until they have caught up
 * with the tree's generation.
 */
#define DISCARD_MAX 64 /* pages, or pieces without a page of the VM's own, in one call */

struct discard {
	unsigned n;
	phys_t frame[DISCARD_MAX]; /* on their way to free memory */
};

/* Discard the page at gpa. The VM's lock is held, and 'discard' has room. */
void discard_page(struct discard *discard, struct guest_memory *memory, gpa_t gpa);
/*
 * Discard some of the whole pages from gpa to 'end', and return where to continue; 'end': all is
 * done. The same holds.
 */
gpa_t discard_some(struct discard *discard, struct guest_memory *memory, gpa_t gpa, gpa_t end);
/* Free the frames. Every processor has caught up with the generation. */
void discard_free(struct discard *discard);
