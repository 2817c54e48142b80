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

bool clone_line_take(struct clone_config *line)
{
	uint64_t counts = clone_line_counts(line);

	while (clone_line_asks(line, counts))
		if (__atomic_compare_exchange_n(&line->counts, &counts,
						counts + CLONE_LINE_STARTED + CLONE_LINE_RUNNING,
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

	__atomic_fetch_sub(&line->counts, CLONE_LINE_STARTED + CLONE_LINE_RUNNING,
			   __ATOMIC_RELAXED);
	line->lacks_memory = true;
	return is_news;
}

bool clone_line_left(struct clone_config *line)
{
	uint64_t counts = __atomic_sub_fetch(&line->counts, CLONE_LINE_RUNNING, __ATOMIC_ACQ_REL);

	return clone_line_n_running(counts) == 0 && clone_line_n_started(counts) == line->count;
}

bool clone_line_waits(const struct clone_config *line)
{
	return line->lacks_memory && clone_line_n_started(clone_line_counts(line)) < line->count;
}
