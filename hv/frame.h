/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/status.h"
#include "hv/types.h"

/*
 * The machine's free memory in frames of 4 KiB. Single frames come from a stack
 * of the current processor, refilled in batches from the common stock; runs of
 * frames for images and tables made at start-up come from the common stock.
 * All functions may be called on any processor and take the frames lock when
 * they go to the common stock; it is a leaf but for the console's.
 */

/* Give [start, start + len) to the allocator; partial frames and frame 0 are left out. */
void frame_add_range(phys_t start, uint64_t len);

/* One frame, contents undefined; 0 when there is none left. */
phys_t frame_alloc(void);
/* One frame filled with zeros; 0 when there is none left. */
phys_t frame_alloc_zeroed(void);
void frame_free(phys_t frame);

/* n_frames contiguous ones, the first at a multiple of 'align' (bytes); 0 if there is no such run. */
phys_t frame_alloc_run(uint64_t n_frames, uint64_t align);
void frame_free_run(phys_t start, uint64_t n_frames);

/* The books: what was added, and what is free now, over all processors. */
uint64_t frame_total(void);
uint64_t frame_available(void);
