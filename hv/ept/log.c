/* SPDX-License-Identifier: BSD-2-Clause */
/* The log of a tree's own entries: a few in the struct, more in a chain of frames. */
#include "hv/ept/log.h"

#include "hv/frame/frame.h"
#include "hv/frame/phys.h"

/* In place of an item, a frame begins with the address of the frame before. */
#define CHUNK_ITEMS EPT_LOG_CHUNK_ITEMS
_Static_assert((CHUNK_ITEMS + 1) * sizeof(struct ept_log_item) == PAGE_SIZE);

void ept_log_grow(struct ept_log *log, phys_t frame)
{
	*(phys_t *)phys_to_virt(frame) = log->chunk;
	log->chunk = frame;
	log->next = ept_log_items_of(frame);
	log->end = log->next + CHUNK_ITEMS;
	log->n_chunks++;
}

unsigned ept_log_frames_for(const struct ept_log *log, unsigned n)
{
	unsigned room = (unsigned)(log->end - log->next);

	if (log->chunk == 0)
		room += EPT_LOG_FIRST - (unsigned)log->n_first;
	return n > room ? (n - room + CHUNK_ITEMS - 1) / CHUNK_ITEMS : 0;
}

/* Make each frame of the chain lead to the one after it. Returns the first one. */
static phys_t turn_around(phys_t chunk)
{
	phys_t after = 0;

	while (chunk != 0) {
		phys_t before = ept_log_chunk_before(chunk);

		*(phys_t *)phys_to_virt(chunk) = after;
		after = chunk;
		chunk = before;
	}
	return after;
}

/* Add what is not empty of items that lie in 'chunk', which the log may take as its next frame. */
static void add_full(struct ept_log *log, const struct ept_log_item *items,
		     const struct ept_log_item *end, phys_t chunk)
{
	for (; items < end; items++) {
		if (items->slot == 0)
			continue;
		if (!ept_log_has_room(log))
			ept_log_grow(log, chunk);
		ept_log_add(log, *items);
	}
}

uint64_t ept_log_drop_empty(struct ept_log *log)
{
	struct ept_log old = *log;
	phys_t chunk = turn_around(old.chunk);

	*log = (struct ept_log){0};
	add_full(log, old.first, old.first + old.n_first, 0);
	/* An item moves forward, or stays: none is overwritten before it was read. */
	while (chunk != 0) {
		phys_t next = *(phys_t *)phys_to_virt(chunk);

		add_full(log, ept_log_items_of(chunk),
			 next ? ept_log_items_of(chunk) + CHUNK_ITEMS : old.next, chunk);
		if (log->chunk != chunk)
			frame_free(chunk);
		chunk = next;
	}
	return old.n_chunks - log->n_chunks;
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

void ept_log_drop_latest(struct ept_log *log)
{
	(void)ept_log_free_some(log, 1);
	log->n_chunks--;
	log->next = log->end =
		log->chunk ? ept_log_items_of(log->chunk) + EPT_LOG_CHUNK_ITEMS : NULL;
}

void ept_log_free(struct ept_log *log)
{
	while (ept_log_free_some(log, UINT32_MAX))
		;
	log->next = log->end = NULL;
	log->n_first = log->n_chunks = 0;
}
