/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/status.h"
#include "hv/lib/types.h"

/*
 * Frames that trees borrow because their pages were found equal, and that are
 * never written again. Found by a hash of their bytes, counted by the leaves
 * that lead to them. All functions may be called on any processor, with a VM's
 * lock held.
 *
 * A frame without a count waits for merged_free(), because a processor that has
 * not caught up may still read it. Until then it can be found again.
 */

/* Named as in Linux's KSM. */
struct merged_counters {
	uint64_t shared;  /* frames here that at least one leaf leads to */
	uint64_t sharing; /* leaves with EPT_MERGED: pages without a frame of their own */
};

/* Make room for n frames. ERR_NOMEM: there is no memory; no frame will be kept here. */
enum status merged_setup(uint32_t n_frames);

/* Goes through the frames with one hash. merged_free() ends it. */
struct merged_cursor {
	uint64_t hash;
	uint32_t next;
};
struct merged_cursor merged_find(uint64_t hash);
/*
 * Return the next frame, and take a count on it. False: there is none. The bytes
 * may differ: compare them while the frame is counted.
 */
bool merged_get(struct merged_cursor *cursor, phys_t *ret);
/* Take a count on a frame that a layer's leaf leads to, if it is kept here. */
bool merged_get_frame(phys_t frame);
/* Drop a count that no leaf holds. */
void merged_put(phys_t frame);

/* Whether merged_add() will succeed, unless another processor adds a frame first. */
bool merged_has_room(void);
/* Keep the caller's frame here from now on, with one count. False: there is no room. */
bool merged_add(uint64_t hash, phys_t frame);

/*
 * A leaf with EPT_MERGED was made, or is gone. 'frame' need not be kept here:
 * zeros and the pages of templates are not. A leaf that leads to a frame kept
 * here takes over a count.
 */
void merged_use(void);
void merged_drop(phys_t frame);

/*
 * Free the frames that have had no count since before the last call. Between
 * two calls, every processor must have caught up with every generation.
 */
void merged_free(void);
/*
 * The same in pieces: look at the next n records from number '*next' on, which begins and ends at
 * 0. False: the call has ended.
 */
bool merged_free_some(uint32_t *next, uint32_t n);

struct merged_counters merged_count(void);

/* Call 'visit' with each frame that is kept here. 'visit' calls nothing of this file. */
void merged_each(void (*visit)(void *context, phys_t frame), void *context);

/* Free everything. No frame has a count, and every processor has caught up. */
void merged_end(void);

/* Forget everything, without freeing a frame. For tests, between cases. */
void merged_reset(void);
