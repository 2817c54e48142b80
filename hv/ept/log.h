/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/status.h"
#include "hv/lib/types.h"

/*
 * Where a tree's own frames are: the addresses of the entries that lead to them, so that a
 * tree goes back in the time its own pages take, without a look at the rest of its tables. An entry
 * is written down before it becomes the tree's own, and may be there twice, or not be own any more:
 * who goes through the log looks. All zeros is an empty log. No lock: the tree's.
 */
#define EPT_LOG_FIRST	    12
#define EPT_LOG_CHUNK_ITEMS 511 /* in each further frame */

struct ept_log {
	uint64_t *next, *end; /* room for the next ones; both NULL: in 'first', n_first of them */
	phys_t chunk;	      /* the last one begun, 0: none; each leads to the one before */
	uint64_t n_first;
	uint64_t n_chunks;
	uint64_t first[EPT_LOG_FIRST];
};

/* A frame for the next ones, which is the log's then. */
void ept_log_grow(struct ept_log *log, phys_t frame);

/* Room for one more, without ept_log_grow()? */
static inline bool ept_log_has_room(const struct ept_log *log)
{
	return log->next != log->end || (log->chunk == 0 && log->n_first < EPT_LOG_FIRST);
}

/* Where there is room. */
static inline void ept_log_add(struct ept_log *log, uint64_t item)
{
	if (log->next != log->end)
		*log->next++ = item;
	else
		log->first[log->n_first++] = item;
}

/* Goes through all items, the last one first. */
struct ept_log_cursor {
	uint64_t *start, *at;
	phys_t chunk; /* of both; 0: they are in 'first' */
	struct ept_log *log;
};
struct ept_log_cursor ept_log_begin(struct ept_log *log);
/* NULL after the first. */
uint64_t *ept_log_next(struct ept_log_cursor *cursor);

/* Give back the log's own frames, and empty it. */
void ept_log_free(struct ept_log *log);
