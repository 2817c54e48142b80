/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/frame/numa.h"
#include "hv/frame/phys.h"

/*
 * Which frames of a node are free: buddies of 4 KiB to 2 MiB, and runs of whole blocks of 2 MiB.
 * Each block of the machine's memory has a record with a bit per frame. Blocks with free frames
 * are in lists by the largest buddy they have: in list k, 2^k free frames begin at a multiple of
 * their size. Whole blocks that are neighbors are one entry, in the list of its length. So a
 * frame, a buddy or a run is found without a walk over free memory, and freed frames join at
 * once. Free frames themselves are neither read nor written.
 *
 * A map belongs to a node, and its owner's lock guards it; zeroed at start. The records are the
 * machine's, and a block is of one node only: that of its first frame.
 */
#define FREE_MAP_LISTS 20 /* the last one: runs of 2 GiB and more */
struct free_map {
	uint32_t listed; /* bit k: list k has an entry */
	uint32_t list[FREE_MAP_LISTS];
	uint32_t open; /* the block that free_map_take() takes from, which is in no list; or 0 */
};

/* The records of a GiB of addresses, and of the GiBs of 512 GiB. */
#define FREE_MAP_RECORDS (10 * PAGE_SIZE)
#define FREE_MAP_GIBS	 PAGE_SIZE

/*
 * Where records may be, 'size' bytes: NULL for the memory that they describe. Tests have a
 * function, so that each frame they add is free.
 */
#if __STDC_HOSTED__
void *free_map_memory(uint64_t size);
#else
static inline void *free_map_memory(uint64_t size)
{
	(void)size;
	return NULL;
}
#endif

/*
 * Make the records of [*start, end) that do not exist. They take the first frames, after which
 * 'start' moves, so that what follows is in one piece. A GiB gets none if too few frames are
 * left, or if four levels of page tables do not map it.
 */
void free_map_cover(phys_t *start, phys_t end);
/* Whether the frame's GiB has records. */
bool free_map_covers(phys_t frame);

/* The node of a frame's block. */
unsigned free_map_node_of(phys_t frame);
/* The end of the blocks around 'frame' that belong to its node, or UINT64_MAX. */
phys_t free_map_node_end(phys_t frame);

/* Put n frames, all covered and of the map's node, none of which is free: that is asserted. */
void free_map_put(struct free_map *map, phys_t start, uint64_t n);

/* Take up to n contiguous frames, out of the smallest buddies. Returns how many; 0: none is free.
 */
uint64_t free_map_take(struct free_map *map, uint64_t n, phys_t *ret);

/* Take a whole block; 0: there is none. */
phys_t free_map_take_block(struct free_map *map);

/*
 * Take n contiguous frames that begin at a multiple of 'align', at least PAGE_SIZE; 0: not found.
 * A buddy that is large enough is always found. A run that only neighbors make long enough, or
 * one of an alignment beyond its size, is sought in a bounded number of places.
 */
phys_t free_map_take_run(struct free_map *map, uint64_t n, uint64_t align);

/*
 * Take the lowest frame, if it is below 'limit'; 0: none is. Looks at each block below, and the map
 * has them all: for start-up.
 */
phys_t free_map_take_lowest(struct free_map *map, phys_t limit);

/* Take any frames, as many in a row as the map knows. Returns their number; 0: it is empty. */
uint64_t free_map_take_any(struct free_map *map, phys_t *ret);

typedef void free_map_visit(void *context, phys_t start, uint64_t n);
void free_map_each(const struct free_map *map, free_map_visit *visit, void *context);

/* Forget all records. For tests; maps are zeroed by their owners. */
void free_map_reset(void);
