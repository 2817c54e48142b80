/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/status.h"
#include "hv/lib/types.h"

/*
 * The machine's free memory in frames of 4 KiB, each at home on a node of
 * hv/frame/numa.h. Single frames come from a stack of the current processor, which
 * holds frames of its own node only and is refilled in batches from that node's
 * stock; runs of frames for images and tables made at start-up come from the
 * stocks. A freed frame goes back to its node. All functions may be called on
 * any processor and take the frames lock when they go to a stock; it is a leaf
 * but for the console's.
 */

/*
 * What a processor keeps for itself: single free frames, each holding the
 * address of the next in its first word. Two chains, so that a processor which
 * takes and gives by turns does not go to the stock each time. Zeroed at start,
 * but for 'node', which may be set before the first use; used by its own
 * processor only, never from an interrupt handler.
 */
#define FRAME_BATCH 32
struct frame_stack {
	phys_t top;		  /* 0: empty */
	uint64_t n;		  /* frames in 'top' */
	uint64_t limit;		  /* of 'n': FRAME_BATCH; 0: not in use yet */
	phys_t home;		  /* the stretch of memory of which all is the node's, */
	uint64_t home_len;	  /* or its longest one */
	phys_t spare;		  /* 0, or a chain of FRAME_BATCH frames */
	struct frame_stack *next; /* all stacks in use, for the books */
	uint32_t node;		  /* has memory, or no node has */
};

/* The seam: the current processor's stack, on the machine in hv/host/cpu.c. */
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
 * 'numa' has been filled in after frames were added: sort them by node. While
 * one processor runs; its stack may have got its node before.
 */
void frame_sort_by_node(void);

/*
 * One frame, contents undefined; 0 when there is none left. From the own node,
 * else from the nearest that has one, which takes the lock each time. The up to
 * 2 * FRAME_BATCH frames in the stack of each other processor are out of reach.
 */
phys_t frame_alloc(void);
/* One frame filled with zeros; 0 when there is none left. */
phys_t frame_alloc_zeroed(void);
void frame_free(phys_t frame);

/*
 * So many frames are kept back: single frames are not taken from the stocks any more when there
 * are no more than these, runs are. What processors have in their stacks they may still give.
 */
void frame_keep_back(uint64_t n_frames);
/* Whether the stocks have n frames beside those. */
bool frame_can_spare(uint64_t n_frames);

/* Which nodes frames come from, as Linux's memory policies have it. */
enum frame_mode {
	FRAME_LOCAL,	  /* as frame_alloc() */
	FRAME_PREFERRED,  /* the nearest of the set that has one, else the nearest of all */
	FRAME_BIND,	  /* the nearest of the set, else none */
	FRAME_INTERLEAVE, /* the set's nodes by turns, else the one nearest to whose turn it is */
};
struct frame_policy {
	enum frame_mode mode;
	uint64_t nodes[2]; /* the set, for numa_set_has(); nodes without memory do not count */
	struct frame_reserve *reserve; /* to be drawn from; NULL: none */
};

/*
 * frame_alloc() by a policy. 'index' is the page's number in the object: it
 * says whose turn it is. Takes the lock unless the frame comes from the own
 * node. While the policy's reserve has frames each call makes it one shorter,
 * and does not fail. 0: none left where the policy allows it.
 */
phys_t frame_alloc_by(const struct frame_policy *policy, uint64_t index);

/*
 * Frames that are set aside for whoever holds them, and whose lock guards them: nobody
 * else gets them. Made of frames that the policy, which has no reserve, allows;
 * NULL: there are not so many, nothing was taken. The record takes a frame more.
 */
struct frame_reserve {
	phys_t top; /* chained through their first words; 0: empty */
	uint64_t n;
};
struct frame_reserve *frame_reserve_make(const struct frame_policy *policy, uint64_t n_frames);
/* Give back what is left, and the record. */
void frame_reserve_free(struct frame_reserve *reserve);

/*
 * n_frames contiguous ones on one node, the first at a multiple of 'align'
 * (bytes); 0 if there is no such run. Meant for start-up: gathering and sorting
 * the frames that were freed one by one can take long with the lock held, and
 * happens when there is no run without it.
 */
phys_t frame_alloc_run(uint64_t n_frames, uint64_t align);
phys_t frame_alloc_run_by(const struct frame_policy *policy, uint64_t n_frames, uint64_t align);
void frame_free_run(phys_t start, uint64_t n_frames);

/*
 * The books: what was added, and what is free now, over all processors. Exact
 * while no other processor takes or gives frames.
 */
uint64_t frame_total(void);
uint64_t frame_available(void);
uint64_t frame_available_on(unsigned node);

/*
 * Forget everything, the current processor's stack included: for tests, between
 * cases.
 */
void frame_reset(void);
