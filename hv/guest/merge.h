/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/ept/ept.h"
#include "hv/guest/region.h"
#include "hv/lib/siphash.h"

/*
 * merge=on: own pages of private memory give back their frame if they equal
 * zeros, the page below, or, after merge_setup(), a page of any VM. ROM and
 * shared memory are the file's own frames and are not merged; nor is a page
 * merged with one of a file that a VM may write. A large page is split if an
 * eighth of it could be given back; with less, it is of more use to its VM whole.
 *
 * Runs on one processor at a time, one page at a time.
 */
#define MERGE_WINDOW 64

/*
 * An own page that was sealed, and the frame it equals. Target 0: a copy that
 * other pages can be merged with, made when the page is settled.
 */
struct merge_page {
	gpa_t gpa;
	phys_t frame;
	phys_t target;
	uint64_t hash;
	bool is_counted; /* this page holds a count on the target, in hv/ept/merged.h */
};

enum merge_stage {
	MERGE_FIND, /* sealing pages until the window is full */
	/* Once all processors have caught up: give back the pages that are still equal. */
	MERGE_SETTLE,
	MERGE_FREE, /* once all processors have caught up again: free their frames */
};

/* The state of merging for a VM, guarded by its lock. Zeroed, except the first field. */
struct merge {
	uint32_t id;	 /* tells VMs apart */
	size_t region;	 /* where the search is: the region, */
	uint64_t offset; /* and the byte in the region */
	bool has_ended;	 /* all of the VM was looked at */
	enum merge_stage stage;
	unsigned n, next;    /* pages in the window; of these, done in this stage */
	unsigned n_equal;    /* pages of the large page that is looked into which others equal */
	uint64_t generation; /* which all processors must have caught up with */
	struct merge_page page[MERGE_WINDOW];
};

enum merge_result {
	MERGE_LOOKED, /* looked at one page, or at many places without a page */
	MERGE_WAITS,  /* waits until a processor has caught up */
	MERGE_ENDED,  /* all of the VM was looked at */
};

/*
 * Find equal pages of all VMs from now on. The tables are sized for a machine of
 * n_frames frames. The key keeps guests from choosing pages with equal hashes.
 * ERR_NOMEM: only zeros and pages of templates will be found, as without this
 * call.
 */
enum status merge_setup(uint64_t n_frames, const struct siphash_key *key);

/* Whether pages of the region are merged. Memory that was allocated in advance keeps its frames. */
bool merge_takes(const struct mem_region *region);

/*
 * Do the work for one page. 'caught_up' is the generation that all processors
 * have caught up with. The VM's lock is held.
 */
enum merge_result merge_step(struct merge *merge, struct ept *ept, struct mem_map *map,
			     uint64_t caught_up);

/* Call before the VM's tree is destroyed, reset or frozen. No vCPU is in the guest. */
void merge_forget(struct merge *merge, struct ept *ept);

/* Begin a new scan over all VMs. What was seen in the last one is forgotten. */
void merge_begin_scan(void);

/* The number of pages looked at in all scans. For the processor that runs the scan. */
uint64_t merge_scanned(void);
/* Free everything, after all trees are gone. */
void merge_end(void);
/* Forget everything. For tests, between cases. */
void merge_reset(void);
