/* SPDX-License-Identifier: BSD-2-Clause */
/* The log of a tree's own entries: a few in the struct, more in a chain of frames. */
#include "hv/ept/log.h"

#include "hv/frame/frame.h"
#include "hv/frame/phys.h"

/* The first word of a frame is the address of the frame before. */
#define CHUNK_ITEMS EPT_LOG_CHUNK_ITEMS
_Static_assert((CHUNK_ITEMS + 1) * sizeof(uint64_t) == PAGE_SIZE);

static uint64_t *items_of(phys_t chunk)
{
	return (uint64_t *)phys_to_virt(chunk) + 1;
}

phys_t ept_log_chunk_before(phys_t chunk)
{
	return *(phys_t *)phys_to_virt(chunk);
}

void ept_log_grow(struct ept_log *log, phys_t frame)
{
	*(phys_t *)phys_to_virt(frame) = log->chunk;
	log->chunk = frame;
	log->next = items_of(frame);
	log->end = log->next + CHUNK_ITEMS;
	log->n_chunks++;
}

struct ept_log_cursor ept_log_begin(struct ept_log *log)
{
	return (struct ept_log_cursor){
		.start = log->chunk ? items_of(log->chunk) : log->first,
		.at = log->chunk ? log->next : log->first + log->n_first,
		.chunk = log->chunk,
		.log = log,
	};
}

uint64_t *ept_log_next(struct ept_log_cursor *cursor)
{
	while (cursor->at == cursor->start) {
		if (cursor->chunk == 0)
			return NULL;
		cursor->chunk = ept_log_chunk_before(cursor->chunk);
		cursor->start = cursor->chunk ? items_of(cursor->chunk) : cursor->log->first;
		cursor->at = cursor->start + (cursor->chunk ? CHUNK_ITEMS : cursor->log->n_first);
	}
	return --cursor->at;
}

/* The item that was added last. There is one. */
static uint64_t *last_item(struct ept_log *log)
{
	return log->chunk != 0 ? log->next - 1 : &log->first[log->n_first - 1];
}

/* Take it back, with its frame if it was alone there. */
static void drop_last(struct ept_log *log)
{
	phys_t chunk = log->chunk;

	ept_log_take_back(log);
	if (chunk == 0 || log->next != items_of(chunk))
		return;
	log->chunk = ept_log_chunk_before(chunk);
	log->next = log->end = log->chunk != 0 ? items_of(log->chunk) + CHUNK_ITEMS : NULL;
	log->n_chunks--;
	frame_free(chunk);
}

uint64_t ept_log_drop_empty(struct ept_log *log)
{
	struct ept_log_cursor cursor = ept_log_begin(log);
	uint64_t n_before = log->n_chunks;

	/* What comes after the cursor is not empty. */
	for (uint64_t *item = ept_log_next(&cursor); item; item = ept_log_next(&cursor)) {
		bool is_last = item == last_item(log);

		if (*item)
			continue;
		*item = *last_item(log);
		drop_last(log);
		if (is_last)
			cursor = ept_log_begin(log);
	}
	return n_before - log->n_chunks;
}

bool ept_log_free_some(struct ept_log *log, unsigned n)
{
	bool has_frames = log->chunk != 0;

	for (; log->chunk != 0 && n > 0; n--) {
		phys_t chunk = log->chunk;

		log->chunk = ept_log_chunk_before(chunk);
		frame_free(chunk);
	}
	return has_frames;
}

void ept_log_free(struct ept_log *log)
{
	while (ept_log_free_some(log, UINT32_MAX))
		;
	*log = (struct ept_log){0};
}
