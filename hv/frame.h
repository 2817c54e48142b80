/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/status.h"
#include "hv/types.h"

/*
 * The machine's free memory in frames of 4 KiB. Single frames come from a stack
 * of the current processor, refilled in batches from the common stock; runs of
 * frames for images and tables made at start-up come from the common stock. All
 * functions may be called on any processor and take the frames lock when they
 * go to the common stock; it is a leaf but for the console's.
 */

/*
 * What a processor keeps for itself: single free frames, each holding the
 * address of the next in its first word. Two chains, so that a processor which
 * takes and gives by turns does not go to the common stock each time. Zeroed at
 * start; used by its own processor only, never from an interrupt handler.
 */
#define FRAME_BATCH 32
struct frame_stack {
	phys_t top;		  /* 0: empty */
	uint64_t n;		  /* frames in 'top' */
	phys_t spare;		  /* 0, or a chain of FRAME_BATCH frames */
	struct frame_stack *next; /* all stacks which ever held a frame, for the books */
	bool is_listed;
};

/* The seam: the current processor's stack, on the machine in hv/cpu.c. */
struct frame_stack *frame_stack_here(void);

/*
 * Debugging: while set, a freed frame is filled with a pattern, and a frame
 * whose pattern has changed when it is handed out again stops the machine. Set
 * before the first frame is freed; costs 512 stores a frame.
 */
extern bool frame_poison;

/* Give [start, start + len) to the allocator; partial frames and frame 0 are left out. Must be
 * mapped, and not be there already. */
void frame_add_range(phys_t start, uint64_t len);

/*
 * One frame, contents undefined; 0 when there is none left. The up to 2 *
 * FRAME_BATCH frames in the stack of each other processor are out of reach.
 */
phys_t frame_alloc(void);
/* One frame filled with zeros; 0 when there is none left. */
phys_t frame_alloc_zeroed(void);
void frame_free(phys_t frame);

/*
 * n_frames contiguous ones, the first at a multiple of 'align' (bytes); 0 if
 * there is no such run. Meant for start-up: gathering and sorting the frames
 * that were freed one by one can take long with the lock held, and happens when
 * there is no run without it.
 */
phys_t frame_alloc_run(uint64_t n_frames, uint64_t align);
void frame_free_run(phys_t start, uint64_t n_frames);

/*
 * The books: what was added, and what is free now, over all processors. Exact
 * while no other processor takes or gives frames.
 */
uint64_t frame_total(void);
uint64_t frame_available(void);

/*
 * Forget everything, the current processor's stack included: for tests, between
 * cases.
 */
void frame_reset(void);
