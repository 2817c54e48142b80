/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"
#include "hv/vm/guest_line.h"

/*
 * Lines of a VM on their way to the console, in frames that the queue has while lines wait. A full
 * queue loses its oldest lines, and so does one that gets no frame; they are counted. Not locked.
 */
#define OUTPUT_PAGES_MAX  16   /* of a VM: some seconds of a serial line */
#define OUTPUT_PAGES_HELD 8    /* enough: the rest is for guests that do not wait */
#define OUTPUT_TURN	  1024 /* bytes that a VM may send before the next VM's turn */
#define OUTPUT_LINE_MAX	  GUEST_LINE_MAX

struct output_page;

struct output_queue {
	struct output_page *first, *last;
	uint32_t n_lost; /* lines, since the last line that says so */
	uint16_t n_pages;
	bool is_listed;	 /* in a struct output_turns; atomic */
	bool is_awaited; /* the VM waits until the queue is less than half full */

	/* Undefined until a line is put, and the caller has set the name. */

	const char *name;	   /* of the VM, for the line that says how many are lost */
	struct output_queue *next; /* valid if is_listed */
	int32_t credit;		   /* bytes that are left of the turn */
};

/* Without the lock. */
static inline bool output_queue_is_listed(const struct output_queue *queue)
{
	return __atomic_load_n(&queue->is_listed, __ATOMIC_ACQUIRE);
}

/* The queues in which lines wait, in the order of their turns. All zeros: none. */
struct output_turns {
	struct output_queue *first, *last;
	uint64_t n_lost; /* lines, of which a line has told; atomic */
};

/* Add a line, of at most OUTPUT_LINE_MAX bytes. */
void output_queue_put(struct output_turns *turns, struct output_queue *queue, const char *line,
		      size_t len);

/*
 * Take the oldest line of the queue whose turn it is, or the line that says how many were lost.
 * Returns its length; 0: no line waits.
 */
size_t output_queue_take(struct output_turns *turns, char line[OUTPUT_LINE_MAX]);

/* Whether the queue is half full. If so, output_queue_frees_vm() will tell when it no longer is. */
bool output_queue_holds_vm(struct output_queue *queue);
/* Whether the queue was half full for a VM that waits, and no longer is. True once. */
bool output_queue_frees_vm(struct output_queue *queue);

/* Move all lines to the end of 'to', because the VM of 'from' is freed. */
void output_queue_move(struct output_turns *turns, struct output_queue *from,
		       struct output_queue *to);
