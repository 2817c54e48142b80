/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/backends/object.h"
#include "hv/ept/ept.h"
#include "hv/guest/region.h"
#include "hv/lib/lock.h"

/*
 * prealloc=on: the pages of private memory become the VM's own before it runs,
 * copied from the file or zeros, by the object's policy, and of 2 MiB where that
 * is possible. Shared memory and ROM
 * are the file's own frames, mapped from the start: there is nothing to fill.
 *
 * One processor asks, the others serve. All state except the memory itself is
 * here.
 */

/* A processor: its number, and its node. */
struct prealloc_cpu {
	uint32_t index;
	uint32_t node;
};

/* Whether the context's affinity allows the processor. NULL allows all. */
bool prealloc_allows(const struct thread_context *context, struct prealloc_cpu cpu);

/*
 * What to fill. 'lock' guards the tree. No vCPU is in the guest, and the
 * region's mapping does not change meanwhile.
 */
struct prealloc {
	struct lock *lock;
	struct ept *ept;
	const struct mem_region *region;
	struct frame_policy policy;
	uint64_t first_page; /* the number of the region's first page in the object */
	uint32_t n_cpus;     /* at most so many processors at once; at least 1 */
	const struct thread_context *context;
	void (*progress)(void); /* each processor calls it often while it fills; or NULL */
};

/*
 * Fill the region with the help of the serving processors. 'cpu', the current
 * processor, does its part if the context allows it. The context must allow at
 * least one of the processors that serve. Called on one processor at a time.
 * ERR_NOMEM: some pages are filled; other errors as ept_copy_by().
 */
enum status prealloc_fill(const struct prealloc *work, struct prealloc_cpu cpu);

/*
 * Make the aligned 2 MiB at gpa, all of the region, one large page, on this processor alone. The
 * lock is free; 'n_cpus', 'context' and 'progress' are not used. False: there is no memory for it,
 * or no large page in the EPT, and nothing has changed.
 */
bool prealloc_large(const struct prealloc *work, gpa_t gpa);

/* Serve until prealloc_end(). */
void prealloc_serve(struct prealloc_cpu cpu);
void prealloc_end(void);
/* Forget prealloc_end(). For tests, between cases, while no processor serves. */
void prealloc_reset(void);
