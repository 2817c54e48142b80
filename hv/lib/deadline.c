/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A pairing heap: each node is no later than its children, which are in a list.
 * Fredman, Sedgewick, Sleator, Tarjan, "The Pairing Heap: A New Form of
 * Self-Adjusting Heap" (1986).
 */
#include "hv/lib/deadline.h"

/* Make one tree of two. Neither has siblings. */
struct deadline *deadline_meld(struct deadline *a, struct deadline *b)
{
	struct deadline *parent = a, *child = b;

	if (a == NULL || b == NULL)
		return a ? a : b;
	if (b->at < a->at) {
		parent = b;
		child = a;
	}
	child->next = parent->child;
	child->before = parent;
	if (child->next)
		child->next->before = child;
	parent->child = child;
	return parent;
}

/* Take the first tree off the list. */
static struct deadline *take_first(struct deadline **list)
{
	struct deadline *first = *list;

	if (first == NULL)
		return NULL;
	*list = first->next;
	first->next = first->before = NULL;
	return first;
}

/* Make one tree of siblings: meld pairs, then the pairs from last to first. */
static struct deadline *meld_all(struct deadline *siblings)
{
	struct deadline *pairs = NULL, *all = NULL;

	while (siblings) {
		struct deadline *one = take_first(&siblings);
		struct deadline *pair = deadline_meld(one, take_first(&siblings));

		pair->next = pairs;
		pairs = pair;
	}
	while (pairs)
		all = deadline_meld(all, take_first(&pairs));
	return all;
}

void deadline_unlink(struct deadlines *heap, struct deadline *deadline)
{
	struct deadline *children = meld_all(deadline->child);

	if (deadline == heap->first) {
		heap->first = children;
		return;
	}
	if (deadline->before->child == deadline)
		deadline->before->child = deadline->next;
	else
		deadline->before->next = deadline->next;
	if (deadline->next)
		deadline->next->before = deadline->before;
	heap->first = deadline_meld(heap->first, children);
}

uint64_t deadline_translate(uint64_t at, uint64_t now, uint64_t there)
{
	uint64_t ret;

	if (at == UINT64_MAX || __builtin_add_overflow(there, at > now ? at - now : 0, &ret))
		return UINT64_MAX;
	return ret;
}
