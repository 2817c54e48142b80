/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/frame/phys.h"
#include "hv/lib/status.h"
#include "hv/lib/types.h"

/*
 * The addresses of the entries (slots) that lead to a tree's own frames, so
 * that a reset takes time for the tree's own pages only, and not for the rest
 * of its tables. A slot is recorded before its entry becomes owned, and stays
 * while the page is merged. It may be recorded twice, and its entry may no
 * longer be owned: check each entry. The items keep their order, in which a table
 * comes before the entries in it. A log of zeros is empty. The tree's lock guards
 * the log.
 */
struct ept_log_item {
	uint64_t slot; /* its address; 0: the item is empty */
	uint64_t leaf; /* what a page's slot had before; 0: the slot got a table */
};

#define EPT_LOG_FIRST	    6
#define EPT_LOG_CHUNK_ITEMS 255 /* in each further frame */

struct ept_log {
	/* Room for further items. Both NULL: items go to 'first', which has n_first of them. */
	struct ept_log_item *next, *end;
	phys_t chunk; /* the latest frame, 0: none; each leads to the one before */
	uint32_t n_first;
	uint32_t n_chunks;
	struct ept_log_item first[EPT_LOG_FIRST];
};

/* Make a log empty that had any contents: its items' too are never read. */
static inline void ept_log_init(struct ept_log *log)
{
	log->next = log->end = NULL;
	log->chunk = 0;
	log->n_first = log->n_chunks = 0;
}

/* Give the log a frame for further items. The log owns the frame. */
void ept_log_grow(struct ept_log *log, phys_t frame);

/* Whether there is room for an item, without ept_log_grow(). */
static inline bool ept_log_has_room(const struct ept_log *log)
{
	return log->next != log->end || (log->chunk == 0 && log->n_first < EPT_LOG_FIRST);
}

/* How many frames ept_log_grow() needs before n more items have room. */
unsigned ept_log_frames_for(const struct ept_log *log, unsigned n);
#define EPT_LOG_FRAMES_FOR_TABLE 3 /* at most, for the entries of a table */

/* Add an item. There must be room. */
static inline void ept_log_add(struct ept_log *log, struct ept_log_item item)
{
	if (log->next != log->end)
		*log->next++ = item;
	else
		log->first[log->n_first++] = item;
}

/* Take the item back that was added last. */
static inline void ept_log_take_back(struct ept_log *log)
{
	if (log->chunk != 0)
		log->next--;
	else
		log->n_first--;
}

/* The frame that a frame of the log leads to; 0: it was the first. */
static inline phys_t ept_log_chunk_before(phys_t chunk)
{
	return *(phys_t *)phys_to_virt(chunk);
}

/* The first item in a frame of the log. */
static inline struct ept_log_item *ept_log_items_of(phys_t chunk)
{
	return (struct ept_log_item *)phys_to_virt(chunk) + 1;
}

/* Goes through all items, from last to first. */
struct ept_log_cursor {
	struct ept_log_item *start, *at;
	phys_t chunk; /* that both point into; 0: they point into 'first' */
	struct ept_log *log;
};
static inline struct ept_log_cursor ept_log_begin(struct ept_log *log)
{
	return (struct ept_log_cursor){
		.start = log->chunk ? ept_log_items_of(log->chunk) : log->first,
		.at = log->chunk ? log->next : log->first + log->n_first,
		.chunk = log->chunk,
		.log = log,
	};
}
/* Continue in the frame before, when all of one is done. False: there is none. */
static inline bool ept_log_step_back(struct ept_log_cursor *cursor)
{
	while (cursor->at == cursor->start) {
		if (cursor->chunk == 0)
			return false;
		cursor->chunk = ept_log_chunk_before(cursor->chunk);
		cursor->start =
			cursor->chunk ? ept_log_items_of(cursor->chunk) : cursor->log->first;
		cursor->at = cursor->start +
			     (cursor->chunk ? EPT_LOG_CHUNK_ITEMS : cursor->log->n_first);
	}
	return true;
}
/* The next item; NULL after the first of the log. */
static inline struct ept_log_item *ept_log_next(struct ept_log_cursor *cursor)
{
	return cursor->at != cursor->start || ept_log_step_back(cursor) ? --cursor->at : NULL;
}

/*
 * Take out the empty items, and free the frames that are left empty. The others move. Returns
 * how many frames.
 */
uint64_t ept_log_drop_empty(struct ept_log *log);

/*
 * Free up to n of the log's frames, after which no item is looked at again. False: there was none.
 */
bool ept_log_free_some(struct ept_log *log, unsigned n);
/* Free the latest of the log's frames, of which there is one, with the items in it. */
void ept_log_drop_latest(struct ept_log *log);
/* Free the log's frames, and empty the log. */
void ept_log_free(struct ept_log *log);
