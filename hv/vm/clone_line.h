/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/config/config.h"

/*
 * How many clones a line of the configuration has started, and may start. The counts are atomic;
 * whether the line waits for memory is guarded by vms_lock.
 */

/*
 * All lines: the configuration's, and those that the operator adds, which must last. Set once,
 * before the first VM starts; only the boot processor adds.
 */
void clone_lines_set(struct clone_config *lines);
struct clone_config *clone_lines(void);
void clone_line_add(struct clone_config *line);

/* In 'counts'. */
#define CLONE_LINE_STARTED UINT64_C(1)
#define CLONE_LINE_RUNNING (UINT64_C(1) << 32)

static inline uint64_t clone_line_counts(const struct clone_config *line)
{
	return __atomic_load_n(&line->counts, __ATOMIC_RELAXED);
}

static inline unsigned clone_line_n_started(uint64_t counts)
{
	return (uint32_t)counts;
}

static inline unsigned clone_line_n_running(uint64_t counts)
{
	return (unsigned)(counts / CLONE_LINE_RUNNING);
}

static inline bool clone_line_asks(const struct clone_config *line, uint64_t counts)
{
	return clone_line_n_started(counts) < line->count &&
	       clone_line_n_running(counts) < line->parallel;
}

/* Whether clone_line_take() may find that the line asks for one: who makes that true looks. */
static inline bool clone_line_wants(const struct clone_config *line)
{
	return clone_line_asks(line, clone_line_counts(line));
}

/* Whether the line asks for one more clone now. If so, count it. Any processor. */
bool clone_line_take(struct clone_config *line);
/* The clone that was counted is there. vms_lock is held, as by the functions that follow. */
void clone_line_made(struct clone_config *line);
/*
 * There was no memory for the clone that was counted: it is still wanted. True: the one before was
 * made, so that the operator does not know yet.
 */
bool clone_line_refused(struct clone_config *line);
/*
 * A clone has ended, or has become a template. True: it was the line's last one. Without the lock,
 * too.
 */
bool clone_line_left(struct clone_config *line);

/* Whether the line waits for memory. */
bool clone_line_waits(const struct clone_config *line);
