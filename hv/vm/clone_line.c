/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/vm/clone_line.h"

static struct clone_config *first;

void clone_lines_set(struct clone_config *lines)
{
	first = lines;
}

/* Acquire: who finds a line that was added sees all of it. Pairs with clone_line_add(). */
struct clone_config *clone_lines(void)
{
	return __atomic_load_n(&first, __ATOMIC_ACQUIRE);
}

void clone_line_add(struct clone_config *line)
{
	line->next = first;
	__atomic_store_n(&first, line, __ATOMIC_RELEASE);
}

/* In 'counts'. */
#define STARTED UINT64_C(1)
#define RUNNING (UINT64_C(1) << 32)

static unsigned n_started(uint64_t counts)
{
	return (uint32_t)counts;
}

static unsigned n_running(uint64_t counts)
{
	return (unsigned)(counts / RUNNING);
}

static uint64_t read_counts(const struct clone_config *line)
{
	return __atomic_load_n(&line->counts, __ATOMIC_RELAXED);
}

static bool wants(const struct clone_config *line, uint64_t counts)
{
	return n_started(counts) < line->count && n_running(counts) < line->parallel;
}

bool clone_line_wants(const struct clone_config *line)
{
	return wants(line, read_counts(line));
}

bool clone_line_take(struct clone_config *line)
{
	uint64_t counts = read_counts(line);

	while (wants(line, counts))
		if (__atomic_compare_exchange_n(&line->counts, &counts, counts + STARTED + RUNNING,
						false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
			return true;
	return false;
}

void clone_line_made(struct clone_config *line)
{
	line->lacks_memory = false;
}

bool clone_line_refused(struct clone_config *line)
{
	bool is_news = !line->lacks_memory;

	__atomic_fetch_sub(&line->counts, STARTED + RUNNING, __ATOMIC_RELAXED);
	line->lacks_memory = true;
	return is_news;
}

bool clone_line_left(struct clone_config *line)
{
	uint64_t counts = __atomic_sub_fetch(&line->counts, RUNNING, __ATOMIC_ACQ_REL);

	return n_running(counts) == 0 && n_started(counts) == line->count;
}

bool clone_line_waits(const struct clone_config *line)
{
	return line->lacks_memory && n_started(read_counts(line)) < line->count;
}
