/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fill memory with several processors. The unit of work is an aligned stretch
 * of 2 MiB, whose entries are in one table: the processor that has claimed a
 * stretch fills it without a lock. A whole stretch becomes one large page, if
 * the processor has large pages and there is a block of free memory for it, and
 * pages of 4 KiB otherwise.
 */
#include "hv/guest/prealloc.h"

#include "hv/lib/assert.h"

#define STRETCH MIB(2)

/*
 * The job; there is one at a time. 'work' is published last and withdrawn
 * first. A server counts itself in n_here before it looks at 'work', so that
 * after the withdrawal n_here tells whether a server still uses the rest.
 */
static struct {
	const struct prealloc *work; /* NULL: none */
	uint32_t n_here;	     /* servers at work, or about to look */
	uint32_t n_joined;
	uint64_t n_claimed; /* stretches */
	enum status status; /* the first error; written under 'work->lock' */
	bool has_ended;
} job;

static bool set_has(const uint64_t *set, unsigned n_max, uint32_t n)
{
	return n < n_max && (set[n / 64] >> (n % 64) & 1);
}

bool prealloc_allows(const struct thread_context *context, struct prealloc_cpu cpu)
{
	if (context == NULL || (!context->has_cpus && !context->has_nodes))
		return true;
	return (context->has_cpus && set_has(context->cpus, CONTEXT_CPUS_MAX, cpu.index)) ||
	       (context->has_nodes && set_has(context->nodes, CONTEXT_NODES_MAX, cpu.node));
}

static void note_error(const struct prealloc *work, enum status status)
{
	lock_acquire(work->lock);
	if (job.status == OK)
		__atomic_store_n(&job.status, status, __ATOMIC_RELAXED);
	lock_release(work->lock);
}

/* The number of gpa's page in the object. */
static uint64_t page_at(const struct prealloc *work, gpa_t gpa)
{
	return work->first_page + (gpa.raw - work->region->gpa.raw) / PAGE_SIZE;
}

bool prealloc_large(const struct prealloc *work, gpa_t gpa)
{
	enum status status;
	uint64_t *entry;
	phys_t block = 0;

	if (work->ept->leaf_levels > 1)
		block = frame_alloc_block_by(&work->policy, page_at(work, gpa) / FRAME_BLOCK);
	if (block == 0)
		return false;
	lock_acquire(work->lock);
	status = ept_populate_large_begin(work->ept, gpa, &entry);
	lock_release(work->lock);
	if (status != OK || entry == NULL) {
		frame_free_block(block);
		return status == OK;
	}
	ept_populate_large(entry, block);
	lock_acquire(work->lock);
	ept_populate_large_end(work->ept, entry, block);
	lock_release(work->lock);
	return true;
}

static enum status fill_pages(const struct prealloc *work, gpa_t gpa, unsigned n_pages)
{
	uint64_t page = page_at(work, gpa);
	enum status status;
	uint64_t *entries;

	lock_acquire(work->lock);
	status = ept_populate_begin(work->ept, gpa, n_pages, &entries);
	lock_release(work->lock);
	if (status != OK)
		return status;
	for (unsigned i = 0; i < n_pages && status == OK; i++)
		status = ept_populate_page(&entries[i], &work->policy, page + i);
	lock_acquire(work->lock);
	ept_populate_end(work->ept, entries, n_pages);
	lock_release(work->lock);
	return status;
}

/* Fill a stretch, or what the region has of it. */
static enum status fill_range(const struct prealloc *work, gpa_t gpa, uint64_t len)
{
	if (len == STRETCH && prealloc_large(work, gpa))
		return OK;
	return fill_pages(work, gpa, (unsigned)(len / PAGE_SIZE));
}

/* Fill the next stretch. False: none is left, or there was an error. */
static bool fill_stretch(const struct prealloc *work)
{
	uint64_t n = __atomic_fetch_add(&job.n_claimed, 1, __ATOMIC_RELAXED);
	uint64_t start = work->region->gpa.raw, end = start + work->region->len;
	uint64_t from = align_down(start, STRETCH) + n * STRETCH, to = from + STRETCH;
	enum status status;

	if (from >= end || __atomic_load_n(&job.status, __ATOMIC_RELAXED) != OK)
		return false;
	from = from < start ? start : from;
	to = to > end ? end : to;
	status = fill_range(work, (gpa_t){from}, to - from);
	if (status != OK)
		note_error(work, status);
	if (work->progress != NULL)
		work->progress();
	return status == OK;
}

/* Do a part of the work, unless enough processors do. */
static void help(const struct prealloc *work, struct prealloc_cpu cpu)
{
	if (!prealloc_allows(work->context, cpu))
		return;
	if (__atomic_load_n(&job.n_joined, __ATOMIC_RELAXED) >= work->n_cpus ||
	    __atomic_fetch_add(&job.n_joined, 1, __ATOMIC_RELAXED) >= work->n_cpus)
		return;
	while (fill_stretch(work))
		;
}

/* Whether everything is claimed, or there was an error. */
static bool is_claimed(const struct prealloc *work)
{
	uint64_t start = align_down(work->region->gpa.raw, STRETCH);
	uint64_t end = work->region->gpa.raw + work->region->len;
	uint64_t n = (align_up(end - start, STRETCH)) / STRETCH;

	return __atomic_load_n(&job.n_claimed, __ATOMIC_RELAXED) >= n ||
	       __atomic_load_n(&job.status, __ATOMIC_RELAXED) != OK;
}

enum status prealloc_fill(const struct prealloc *work, struct prealloc_cpu cpu)
{
	assert(work->n_cpus > 0);
	job.n_joined = 0;
	job.n_claimed = 0;
	job.status = OK;
	/*
	 * Sequentially consistent, as the accesses in prealloc_serve(): one of
	 * the two sides sees the other.
	 */
	__atomic_store_n(&job.work, work, __ATOMIC_SEQ_CST);
	help(work, cpu);
	while (!is_claimed(work))
		__builtin_ia32_pause();
	__atomic_store_n(&job.work, NULL, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&job.n_here, __ATOMIC_SEQ_CST) != 0)
		__builtin_ia32_pause();
	return job.status;
}

void prealloc_serve(struct prealloc_cpu cpu)
{
	/* Acquire pairs with the release in prealloc_end(). */
	while (!__atomic_load_n(&job.has_ended, __ATOMIC_ACQUIRE)) {
		const struct prealloc *work;

		if (__atomic_load_n(&job.work, __ATOMIC_RELAXED) != NULL) {
			__atomic_fetch_add(&job.n_here, 1, __ATOMIC_SEQ_CST);
			work = __atomic_load_n(&job.work, __ATOMIC_SEQ_CST);
			if (work != NULL)
				help(work, cpu);
			__atomic_fetch_sub(&job.n_here, 1, __ATOMIC_SEQ_CST);
		}
		__builtin_ia32_pause();
	}
}

void prealloc_end(void)
{
	__atomic_store_n(&job.has_ended, true, __ATOMIC_RELEASE);
}

void prealloc_reset(void)
{
	job.has_ended = false;
}
