/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/status.h"
#include "hv/lib/types.h"

/*
 * Frames that trees borrow because their pages were found equal: nobody writes
 * them any more. Found by a hash of their bytes, counted by the leaves that lead
 * to them. Any processor; the merged lock is taken inside a VM's and only the
 * frames lock inside it.
 *
 * A frame which nobody counts any more waits for merged_free(): a processor that
 * is behind may still be reading it. Until then it can be found again.
 */

/* In the words of Linux's KSM. */
struct merged_counters {
	uint64_t shared;  /* frames here that some leaf leads to */
	uint64_t sharing; /* leaves with EPT_MERGED: pages that take no frame of their own */
};

/* Room for n frames, in frames of its own. ERR_NOMEM: there is no such room, and nothing is kept
 * here ever. */
enum status merged_setup(uint32_t n_frames);

/* 'ret' becomes the n-th frame, from 0, with this hash. False: there are not so many. The bytes
 * may differ: they have to be compared, while the frame is counted. */
bool merged_get(uint64_t hash, unsigned n, phys_t *ret);
/* One count more of the frame, if it is one of those kept here: a layer's leaf leads to it. */
bool merged_get_frame(phys_t frame);
/* One count less, of a frame that was got and no leaf leads to. */
void merged_put(phys_t frame);

/* Whether merged_add() will succeed, as long as nobody else adds. */
bool merged_has_room(void);
/* The caller's frame is kept here from now on, counted once. False: there is no room. */
bool merged_add(uint64_t hash, phys_t frame);

/*
 * A leaf with EPT_MERGED has been made, or has gone. 'frame' need not be one of
 * those kept here: zeros and the pages of templates are not. A leaf that leads
 * to one of those here takes over a count.
 */
void merged_use(void);
void merged_drop(phys_t frame);

/*
 * Free those that nobody has counted since before the last call. In between,
 * every processor has to have caught up with every generation there was.
 */
void merged_free(void);

struct merged_counters merged_count(void);

/* Free everything; nobody counts a frame any more, and no processor is behind. */
void merged_end(void);

/* Forget everything, without giving back a frame: for tests, between cases. */
void merged_reset(void);
