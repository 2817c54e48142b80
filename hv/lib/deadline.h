/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * Things that are due one day, the earliest at hand: a pairing heap, whose nodes are in what they
 * belong to. Adding is constant, taking one out logarithmic on average, wherever it is. All
 * zeros is an empty heap. No lock: the owner's.
 */
struct deadline {
	uint64_t at; /* constant while it is in a heap */
	struct deadline *child, *next;
	struct deadline *before; /* the sibling before it, or the parent of a first child */
};

struct deadlines {
	struct deadline *first; /* the earliest; NULL: none */
};

/* 'deadline', of which only 'at' counts, is in no heap. */
void deadline_add(struct deadlines *heap, struct deadline *deadline);
/* It is in this heap. */
void deadline_remove(struct deadlines *heap, struct deadline *deadline);

/* UINT64_MAX: none. */
static inline uint64_t deadline_next(const struct deadlines *heap)
{
	return heap->first ? heap->first->at : UINT64_MAX;
}
