/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/ept/ept.h"
#include "hv/guest/region.h"

/*
 * merge=on: own pages of private memory that equal what is below them, zeros, or
 * any VM's other page give back their frame. ROM and shared memory are the
 * file's own frames: there is nothing to merge, and no page is merged with one
 * of a file that somebody may write.
 *
 * One processor at a time runs this, a page at a time.
 */
#define MERGE_WINDOW 64

/* An own page that was sealed, and the frame it was found equal to: its own, if others are to
 * find it. */
struct merge_page {
	gpa_t gpa;
	phys_t frame;
	phys_t target;
	uint64_t hash;
	bool is_counted; /* we hold a count on the target, in hv/ept/merged.h */
};

enum merge_stage {
	MERGE_FIND,   /* sealing pages until the window is full */
	MERGE_SETTLE, /* once all have caught up: giving back those that are equal still */
	MERGE_FREE,   /* once more: freeing their frames */
};

/* A VM's part, guarded by its lock. Zeroed, but for the first three. */
struct merge {
	uint32_t id;	   /* tells VMs apart */
	uint32_t merges;   /* bit n: region n of the map takes part */
	uint32_t constant; /* bit n: the image under region n is never written */
	size_t region;	   /* where the search is: region, */
	uint64_t offset;   /* and byte in it */
	bool has_ended;	   /* all of the VM was looked at */
	enum merge_stage stage;
	unsigned n, next;    /* pages in the window; of them, done in this stage */
	uint64_t generation; /* that all processors have to have caught up with */
	struct merge_page page[MERGE_WINDOW];
};

enum merge_result {
	MERGE_LOOKED, /* at one page, or at many places without one */
	MERGE_WAITS,  /* until somebody has caught up */
	MERGE_ENDED,  /* all of the VM was looked at; merge_restart() begins anew */
};

/* How many frames the search remembers for each VM's pages; ERR_NOMEM: equal pages of VMs are not
 * found, zeros and those of templates are. */
enum status merge_setup(uint64_t n_frames);

/*
 * One page's work. 'caught_up' is the generation that all processors have caught
 * up with. The lock is held.
 */
enum merge_result merge_step(struct merge *merge, struct ept *ept, struct mem_map *map,
			     uint64_t caught_up);
void merge_restart(struct merge *merge);

/* The VM's tree is about to go, or to be reset or frozen; no vCPU is in the guest. */
void merge_forget(struct merge *merge, struct ept *ept);

/* Begin a new scan over all VMs: what pages were like in the last one does not count. */
void merge_begin_scan(void);

/* Pages looked at, in all; by whoever runs this. */
uint64_t merge_scanned(void);
/* All trees are gone: free everything. */
void merge_end(void);
/* As at first: for tests, between cases. */
void merge_reset(void);
