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

bool clone_line_wants(const struct clone_config *line)
{
	return __atomic_load_n(&line->n_started, __ATOMIC_RELAXED) < line->count &&
	       __atomic_load_n(&line->n_running, __ATOMIC_RELAXED) < line->parallel;
}

/* The line's lock is held; clone_line_wants() looks without it. */
static void add(unsigned *to, int n)
{
	__atomic_store_n(to, *to + (unsigned)n, __ATOMIC_RELAXED);
}

bool clone_line_take(struct clone_config *line)
{
	bool more = clone_line_wants(line);

	add(&line->n_started, more);
	add(&line->n_running, more);
	return more;
}

void clone_line_made(struct clone_config *line)
{
	line->lacks_memory = false;
}

bool clone_line_refused(struct clone_config *line)
{
	bool is_news = !line->lacks_memory;

	add(&line->n_started, -1);
	add(&line->n_running, -1);
	line->lacks_memory = true;
	return is_news;
}

bool clone_line_left(struct clone_config *line)
{
	add(&line->n_running, -1);
	return line->n_running == 0 && line->n_started == line->count;
}

bool clone_line_waits(const struct clone_config *line)
{
	return line->lacks_memory && line->n_started < line->count;
}
