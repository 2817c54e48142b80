/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/frame/numa.h"
#include "hv/frame/phys.h"
#include "hv/lib/status.h"
#include "hv/lib/types.h"

/*
 * The machine's free memory, in frames of 4 KiB. Each frame belongs to a node
 * of hv/frame/numa.h. Single frames come from the current processor's stack,
 * which holds frames of its own node only and is refilled in batches from that
 * node's stock. Runs of frames, for images and tables, and blocks of 2 MiB, for
 * pages of that size, come from the stocks, where free frames join with their
 * neighbors (hv/frame/free_map.h). A freed frame returns to its node. A block
 * stays whole while its node has other memory for single frames. All functions may be called on any
 * processor. They take a node's lock when they access its stock; see hv/lib/lock.h.
 */

/*
 * A processor's own free frames, each holding the address of the next in its
 * first word. Two chains, so that alternating allocations and releases do not
 * access the stock each time, and one of frames that go back to another node.
 * Zeroed at start, except 'node', which may be set before the first use. Used by
 * its own processor only, never by an interrupt handler; others read the
 * numbers, to count free frames.
 */
#define FRAME_BATCH 32
struct frame_stack {
	phys_t top;	/* 0: the stack is empty */
	uint64_t n;	/* frames in 'top' */
	uint64_t limit; /* of 'n': FRAME_BATCH, or 0 before the first use */
	/* The longest stretch of memory that belongs to the node. */
	phys_t home;
	uint64_t home_len;
	phys_t spare;		  /* a chain of FRAME_BATCH frames, or 0 */
	struct frame_stack *next; /* in the list of all stacks in use */
	phys_t away;		  /* a chain of n_away frames of the node 'away_node' */
	uint32_t n_away;	  /* less than FRAME_BATCH */
	uint32_t away_node;
	uint32_t node;		      /* has memory, unless no node has */
	uint32_t n_order;	      /* nodes with memory, */
	uint8_t order[NUMA_NODE_MAX]; /* the nearest first */
};

/*
 * The current processor's stack: at this offset in its struct cpu, which GS leads to. In line,
 * because each clone and each copy of a page comes here. Tests have a function.
 */
#define FRAME_STACK_AT 48
#if __STDC_HOSTED__
struct frame_stack *frame_stack_here(void);
#else
static inline struct frame_stack *frame_stack_here(void)
{
	char *cpu;

	/* Not volatile: a function runs on one processor from its start to its end. */
	asm("mov %%gs:0, %0" : "=r"(cpu));
	return (struct frame_stack *)(cpu + FRAME_STACK_AT);
}
#endif

/*
 * For debugging: while set, a freed frame is filled with a pattern, and the
 * machine stops if the pattern has changed when the frame is allocated again.
 * Set before the first frame is freed. Costs 512 stores per frame.
 */
extern bool frame_poison;

/*
 * The first MiB is never free memory: on some machines the firmware's SMM code writes there.
 */
#define FRAME_LOWEST MIB(1)

/*
 * Add [start, start + len) to the free memory, except partial frames, those below FRAME_LOWEST, and
 * at its beginning, 40 KiB for each GiB of addresses that the map of free frames meets for the
 * first time. What is too small for that is left out. The memory must be mapped, and must not have
 * been added before.
 */
void frame_add_range(phys_t start, uint64_t len);

/*
 * Sort the free frames by node, after 'numa' was filled in. Call while one
 * processor runs. The node of its stack may have been set before.
 */
void frame_sort_by_node(void);

/*
 * Allocate one frame with undefined contents; 0: none is left. The frame comes
 * from the processor's own node, or else from the nearest node that has one,
 * which takes that node's lock each time. The up to 3 * FRAME_BATCH frames on
 * the stack of each other processor are out of reach.
 */
phys_t frame_alloc(void);
/* Allocate one frame filled with zeros; 0: none is left. */
phys_t frame_alloc_zeroed(void);
/*
 * Allocate the lowest frame, filled with zeros, for what must be below 4 GiB, or else any; 0: none
 * is left. Call before frame_sort_by_node().
 */
phys_t frame_alloc_lowest(void);
void frame_free(phys_t frame);

/* The stack is neither full nor unused, and the frame belongs to its node. */
static inline void frame_push(struct frame_stack *stack, phys_t frame)
{
	*(phys_t *)phys_to_virt(frame) = stack->top;
	stack->top = frame;
	__atomic_store_n(&stack->n, stack->n + 1, __ATOMIC_RELAXED);
}

/* frame_free() without a call each, for who frees many. 'stack' is frame_stack_here(). */
static inline void frame_free_here(struct frame_stack *stack, phys_t frame)
{
	if (frame_poison || stack->n == stack->limit || frame - stack->home >= stack->home_len)
		frame_free(frame);
	else
		frame_push(stack, frame);
}

/*
 * Withhold so many frames, which are the hypervisor's own and files': only runs
 * are taken from them, and return to them. Single frames are given while the
 * stocks have more than the withheld ones; processors that allocate at the same
 * moment can take a batch each of them. Frames on the processors' stacks are not
 * withheld. 0: withhold nothing.
 */
void frame_keep_back(uint64_t n_frames);

/*
 * A run of whole frames that counts like single ones, for a VM. 0: there is none
 * besides the withheld frames.
 */
phys_t frame_alloc_vm_run(uint64_t n_frames);
void frame_free_vm_run(phys_t start, uint64_t n_frames);

/*
 * Whether less than a sixteenth is left of what single frames may take: no time to allocate in
 * advance.
 */
bool frame_is_scarce(void);

/* Which nodes frames come from, as in Linux's memory policies. */
enum frame_mode {
	FRAME_LOCAL, /* as frame_alloc() */
	/* The nearest node of the set that has a frame, else the nearest of all. */
	FRAME_PREFERRED,
	FRAME_BIND, /* the nearest node of the set that has a frame, else none */
	/* The nodes of the set in turn; else the nearest to the one whose turn it is. */
	FRAME_INTERLEAVE,
};
struct frame_policy {
	enum frame_mode mode;
	uint64_t nodes[2]; /* the set, for numa_set_has(); nodes without memory are ignored */
	struct frame_reserve *reserve; /* frames are taken from here first; NULL: no reserve */
};

/*
 * frame_alloc() by a policy. 'index' is the page's number in the object, and
 * determines whose turn it is. Takes the node's lock unless the frame comes from
 * the processor's own node. While the policy's reserve has frames, each call takes
 * one off and succeeds. 0: no frame is left where the policy allows one.
 */
phys_t frame_alloc_by(const struct frame_policy *policy, uint64_t index);

/*
 * FRAME_BLOCK frames that begin at a multiple of their size, with undefined
 * contents, which count like single ones. They come from the node that
 * frame_alloc_by() would take a frame from, and from no other: memory that is
 * near is worth more than a large page. 'index' is the block's number in the
 * object. The policy's reserve is not used. Takes the node's lock, for the same time
 * however much memory is free. 0: the node has no block, which does not mean that it
 * has no memory.
 */
phys_t frame_alloc_block_by(const struct frame_policy *policy, uint64_t index);
/* Free a block as a whole. Its frames may instead be freed one by one. */
void frame_free_block(phys_t block);

/*
 * Frames that only the holder of the reserve can allocate. The holder's lock
 * guards them. They are allocated by the policy, which must not have a reserve.
 * The record takes one more frame. NULL: not enough frames; none were taken.
 */
struct frame_reserve {
	phys_t top; /* chained through their first words; 0: empty */
	uint64_t n;
};
struct frame_reserve *frame_reserve_make(const struct frame_policy *policy, uint64_t n_frames);
/* Add frames to the reserve, by its policy. ERR_NOMEM: some were added. */
enum status frame_reserve_add(struct frame_reserve *reserve, const struct frame_policy *policy,
			      uint64_t n_frames);
/* Free what is left, and the record. */
void frame_reserve_free(struct frame_reserve *reserve);
/* The same, n frames at a time. False: the record was freed, too. */
bool frame_reserve_free_some(struct frame_reserve *reserve, uint64_t n);

/*
 * Allocate n_frames contiguous frames on one node, the first at a multiple of
 * 'align' (bytes); 0: none was found, see free_map_take_run(). If the node's map has
 * none, its batches of single frames are put there first, a few each time that the
 * lock is held.
 */
phys_t frame_alloc_run(uint64_t n_frames, uint64_t align);
phys_t frame_alloc_run_by(const struct frame_policy *policy, uint64_t n_frames, uint64_t align);
void frame_free_run(phys_t start, uint64_t n_frames);

/*
 * All memory that was added, and what is free now, on all processors. Exact
 * while no other processor allocates or frees.
 */
uint64_t frame_total(void);
uint64_t frame_available(void);
uint64_t frame_available_on(unsigned node);

/*
 * Call 'visit' with each free frame, while no other processor allocates or frees. 'visit' does
 * neither. The frames of reserves are not free.
 */
typedef void frame_visit(void *context, phys_t frame);
void frame_each_free(frame_visit *visit, void *context);
void frame_each_reserved(const struct frame_reserve *reserve, frame_visit *visit, void *context);
/* The end of the highest memory that was added or noted. */
phys_t frame_end(void);
/*
 * Memory that ends at 'end' has a use already, such as the ramdisk's, and is not added. Call at
 * start-up only.
 */
void frame_note_used(phys_t end);

/* Forget everything, including the current processor's stack. For tests, between cases. */
void frame_reset(void);
