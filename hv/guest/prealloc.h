/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/backends/object.h"
#include "hv/ept/ept.h"
#include "hv/guest/region.h"
#include "hv/lib/lock.h"

/*
 * prealloc=on: the pages of private memory become the VM's own before it runs,
 * copied from the file or zeros, by the object's policy. Shared memory and ROM
 * are the file's own frames, mapped from the start: there is nothing to fill.
 *
 * One processor asks, the others serve. All state but the memory itself is here.
 */

/* A processor: its number, and its node. */
struct prealloc_cpu {
	uint32_t index;
	uint32_t node;
};

/* Whether the context's affinity allows the processor; NULL allows all. */
bool prealloc_allows(const struct thread_context *context, struct prealloc_cpu cpu);

/*
 * What to fill. 'lock' guards the tree, no vCPU is in the guest, and nobody maps
 * anything in the region meanwhile.
 */
struct prealloc {
	struct lock *lock;
	struct ept *ept;
	const struct mem_region *region;
	struct frame_policy policy;
	uint64_t first_page; /* the region's first page, counted in the object */
	uint32_t n_cpus;     /* at most so many at once; at least 1 */
	const struct thread_context *context;
};

/*
 * Fill the region with the help of those who serve; 'cpu', which this runs on,
 * does its part if the context allows it. At least one of those who can be
 * reached has to be allowed. Called on one processor at a time. ERR_NOMEM: some
 * pages are filled; else as ept_copy_by().
 */
enum status prealloc_fill(const struct prealloc *work, struct prealloc_cpu cpu);

/* Serve until prealloc_end(). */
void prealloc_serve(struct prealloc_cpu cpu);
void prealloc_end(void);
/* As at first: for tests, between cases, with nobody serving. */
void prealloc_reset(void);
