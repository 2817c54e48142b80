/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * Deadlines, the earliest first: a pairing heap whose nodes are embedded in
 * their owners. Adding takes constant time, removing any node takes logarithmic
 * time on average. An empty heap is all zeros. Not locked: the owner's lock
 * guards the heap.
 */
struct deadline {
	uint64_t at; /* constant while it is in a heap */
	struct deadline *child, *next;
	struct deadline *before; /* the sibling before, or the parent of a first child */
};

struct deadlines {
	struct deadline *first; /* the earliest; NULL: none */
};

/* Parts of the two functions below. */
struct deadline *deadline_meld(struct deadline *a, struct deadline *b);
void deadline_unlink(struct deadlines *heap, struct deadline *deadline);

/* Add 'deadline', which is in no heap. Only its 'at' must be set. */
static inline void deadline_add(struct deadlines *heap, struct deadline *deadline)
{
	deadline->child = deadline->next = deadline->before = NULL;
	heap->first = heap->first ? deadline_meld(heap->first, deadline) : deadline;
}

/* Remove 'deadline', which is in this heap. */
static inline void deadline_remove(struct deadlines *heap, struct deadline *deadline)
{
	if (deadline == heap->first && deadline->child == NULL)
		heap->first = NULL;
	else
		deadline_unlink(heap, deadline);
}

/*
 * A deadline in a clock that reads 'now', as one in a clock that reads 'there'. What is over is due
 * at once, UINT64_MAX and what the other clock cannot express never comes.
 */
uint64_t deadline_translate(uint64_t at, uint64_t now, uint64_t there);

/* The time of the earliest deadline, UINT64_MAX if the heap is empty. */
static inline uint64_t deadline_next(const struct deadlines *heap)
{
	return heap->first ? heap->first->at : UINT64_MAX;
}
