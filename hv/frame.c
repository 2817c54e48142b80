/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Free memory. Three places hold it: runs, sorted by address and never
 * adjacent, as they were added; loose batches, freed one by one and chained
 * without order; and each processor's stack. A processor takes and gives single
 * frames without a lock until its stack is empty or full, then a batch at a
 * time. Loose frames go back among the runs only when a run is wanted that is
 * not there.
 *
 * All records live in the free frames themselves, so whoever writes to a frame
 * after freeing it destroys them: 'frame_poison' is there to find out who.
 */
#include "hv/frame.h"

#include "hv/assert.h"
#include "hv/lock.h"
#include "hv/phys.h"
#include "hv/string.h"

#define POISON UINT64_C(0xdeadf4a3dbdbdbdb)

/* At the start of a single free frame, or of the first frame of a run. */
struct free_frame {
	phys_t next;	   /* in the chain, or the next run */
	uint64_t n_frames; /* of a run */
	phys_t next_batch; /* of a batch's first frame, in the common stock */
};

bool frame_poison;

/*
 * The common stock. 'lock' guards everything here, and stack lists; nothing is
 * taken inside it.
 */
static struct {
	struct lock lock;
	phys_t runs;
	phys_t batches;	      /* chains of FRAME_BATCH frames */
	uint64_t n_available; /* in runs and batches */
	uint64_t n_total;
	struct frame_stack *stacks;
} frames;

static struct free_frame *free_at(phys_t frame)
{
	return phys_to_virt(frame);
}

static phys_t run_end(phys_t run)
{
	return run + free_at(run)->n_frames * PAGE_SIZE;
}

static void put_run(phys_t start, uint64_t n_frames)
{
	phys_t *link = &frames.runs, before = 0, after;

	while (*link != 0 && *link < start) {
		before = *link;
		link = &free_at(before)->next;
	}
	after = *link;
	assert(before == 0 || run_end(before) <= start);
	assert(after == 0 || start + n_frames * PAGE_SIZE <= after);

	if (start + n_frames * PAGE_SIZE == after) {
		n_frames += free_at(after)->n_frames;
		after = free_at(after)->next;
	}
	if (before != 0 && run_end(before) == start) {
		n_frames += free_at(before)->n_frames;
		start = before;
	} else {
		*link = start;
	}
	*free_at(start) = (struct free_frame){.next = after, .n_frames = n_frames};
}

void frame_add_range(phys_t start, uint64_t len)
{
	phys_t end = align_down(start + len, PAGE_SIZE);

	assert(start + len >= start);
	start = start == 0 ? PAGE_SIZE : start;
	if (start > end || align_up(start, PAGE_SIZE) >= end)
		return;
	start = align_up(start, PAGE_SIZE);
	lock_acquire(&frames.lock);
	put_run(start, (end - start) / PAGE_SIZE);
	frames.n_available += (end - start) / PAGE_SIZE;
	frames.n_total += (end - start) / PAGE_SIZE;
	lock_release(&frames.lock);
}

/* The end of a run, so that the run itself does not move. */
static phys_t take_tail(phys_t *link, uint64_t n_frames)
{
	struct free_frame *run = free_at(*link);
	phys_t end = run_end(*link);

	run->n_frames -= n_frames;
	if (run->n_frames == 0)
		*link = run->next;
	return end - n_frames * PAGE_SIZE;
}

/* Up to a batch from the lowest run, as a chain; its length. */
static uint64_t cut_batch(phys_t *ret)
{
	uint64_t n = FRAME_BATCH;
	phys_t frame, next = 0;

	if (frames.runs == 0)
		return 0;
	if (n > free_at(frames.runs)->n_frames)
		n = free_at(frames.runs)->n_frames;
	frame = take_tail(&frames.runs, n) + n * PAGE_SIZE;
	for (uint64_t i = 0; i < n; i++) {
		frame -= PAGE_SIZE;
		*free_at(frame) = (struct free_frame){.next = next};
		next = frame;
	}
	*ret = frame;
	return n;
}

static void list_stack(struct frame_stack *stack)
{
	if (stack->is_listed)
		return;
	stack->is_listed = true;
	stack->next = frames.stacks;
	frames.stacks = stack;
}

/* 'n' is read by others for the books. */
static void set_n(struct frame_stack *stack, uint64_t n)
{
	__atomic_store_n(&stack->n, n, __ATOMIC_RELAXED);
}

/* The stack is empty. */
static void refill(struct frame_stack *stack)
{
	phys_t top = stack->spare;
	uint64_t n = FRAME_BATCH;

	stack->spare = 0;
	if (top == 0) {
		lock_acquire(&frames.lock);
		list_stack(stack);
		top = frames.batches;
		if (top != 0)
			frames.batches = free_at(top)->next_batch;
		else
			n = cut_batch(&top);
		frames.n_available -= n;
		lock_release(&frames.lock);
	}
	stack->top = top;
	set_n(stack, n);
}

/* The stack is full: a batch. */
static void make_room(struct frame_stack *stack)
{
	if (stack->spare != 0 || !stack->is_listed) {
		lock_acquire(&frames.lock);
		list_stack(stack);
		if (stack->spare != 0) {
			free_at(stack->spare)->next_batch = frames.batches;
			frames.batches = stack->spare;
			frames.n_available += FRAME_BATCH;
		}
		lock_release(&frames.lock);
	}
	stack->spare = stack->top;
	stack->top = 0;
	set_n(stack, 0);
}

static void poison(phys_t frame)
{
	uint64_t *word = phys_to_virt(frame);

	for (size_t i = sizeof(struct free_frame) / 8; i < PAGE_SIZE / 8; i++)
		word[i] = POISON;
}

/*
 * Frames which have never been freed are not poisoned: the last word tells,
 * nearly always.
 */
static void check_poison(phys_t frame)
{
	const uint64_t *word = phys_to_virt(frame);

	if (word[PAGE_SIZE / 8 - 1] != POISON)
		return;
	for (size_t i = sizeof(struct free_frame) / 8; i < PAGE_SIZE / 8; i++)
		assert(word[i] == POISON); /* written after it was freed */
}

phys_t frame_alloc(void)
{
	struct frame_stack *stack = frame_stack_here();
	phys_t frame;

	if (stack->top == 0)
		refill(stack);
	frame = stack->top;
	if (frame == 0)
		return 0;
	stack->top = free_at(frame)->next;
	set_n(stack, stack->n - 1);
	if (frame_poison)
		check_poison(frame);
	return frame;
}

phys_t frame_alloc_zeroed(void)
{
	phys_t frame = frame_alloc();

	if (frame != 0)
		memset(phys_to_virt(frame), 0, PAGE_SIZE);
	return frame;
}

void frame_free(phys_t frame)
{
	struct frame_stack *stack = frame_stack_here();

	assert(frame != 0 && is_aligned(frame, PAGE_SIZE));
	if (frame_poison)
		poison(frame);
	if (stack->n == FRAME_BATCH || !stack->is_listed)
		make_room(stack);
	free_at(frame)->next = stack->top;
	stack->top = frame;
	set_n(stack, stack->n + 1);
}

/* The highest place that fits, out of the way of single frames. */
static phys_t take_run(uint64_t n_frames, uint64_t align)
{
	phys_t *best = NULL, start;
	uint64_t n_behind;

	for (phys_t *link = &frames.runs; *link != 0; link = &free_at(*link)->next)
		if (free_at(*link)->n_frames >= n_frames &&
		    align_down(run_end(*link) - n_frames * PAGE_SIZE, align) >= *link)
			best = link;
	if (best == NULL)
		return 0;
	start = align_down(run_end(*best) - n_frames * PAGE_SIZE, align);
	n_behind = (run_end(*best) - start) / PAGE_SIZE - n_frames;
	take_tail(best, n_frames + n_behind);
	if (n_behind > 0)
		put_run(start + n_frames * PAGE_SIZE, n_behind);
	frames.n_available -= n_frames;
	return start;
}

/* Split a chain in two halves. */
static phys_t split_chain(phys_t chain)
{
	phys_t middle = chain, end = free_at(chain)->next, second;

	while (end != 0 && free_at(end)->next != 0) {
		middle = free_at(middle)->next;
		end = free_at(free_at(end)->next)->next;
	}
	second = free_at(middle)->next;
	free_at(middle)->next = 0;
	return second;
}

static phys_t merge_chains(phys_t a, phys_t b)
{
	phys_t sorted = 0, *link = &sorted;

	while (a != 0 && b != 0) {
		phys_t *lower = a < b ? &a : &b;

		*link = *lower;
		link = &free_at(*lower)->next;
		*lower = *link;
	}
	*link = a != 0 ? a : b;
	return sorted;
}

/* Merge sort by address; recursion as deep as the length has binary digits. */
static phys_t sort_chain(phys_t chain)
{
	phys_t second;

	if (chain == 0 || free_at(chain)->next == 0)
		return chain;
	second = split_chain(chain);
	return merge_chains(sort_chain(chain), sort_chain(second));
}

static phys_t join_chains(phys_t a, phys_t b)
{
	phys_t *link = &a;

	while (*link != 0)
		link = &free_at(*link)->next;
	*link = b;
	return a;
}

/* Two sorted chains of runs become one, adjacent runs becoming one. */
static void merge_into_runs(phys_t chain)
{
	phys_t last = 0, run;

	for (run = chain; run != 0; run = free_at(run)->next)
		free_at(run)->n_frames = 1;
	chain = merge_chains(frames.runs, chain);
	frames.runs = chain;
	for (run = chain; run != 0; run = free_at(run)->next) {
		assert(last == 0 || run_end(last) <= run);
		if (last != 0 && run_end(last) == run) {
			free_at(last)->n_frames += free_at(run)->n_frames;
			free_at(last)->next = free_at(run)->next;
		} else {
			last = run;
		}
	}
}

/* All single frames in reach go back among the runs. */
static void gather(struct frame_stack *stack)
{
	phys_t chain = join_chains(stack->top, stack->spare);

	frames.n_available += stack->n + (stack->spare != 0 ? FRAME_BATCH : 0);
	stack->top = stack->spare = 0;
	set_n(stack, 0);
	while (frames.batches != 0) {
		phys_t batch = frames.batches;

		frames.batches = free_at(batch)->next_batch;
		chain = join_chains(batch, chain);
	}
	merge_into_runs(sort_chain(chain));
}

phys_t frame_alloc_run(uint64_t n_frames, uint64_t align)
{
	struct frame_stack *stack = frame_stack_here();
	phys_t start;

	assert(n_frames > 0 && align != 0 && (align & (align - 1)) == 0);
	if (align < PAGE_SIZE)
		align = PAGE_SIZE;
	lock_acquire(&frames.lock);
	start = take_run(n_frames, align);
	if (start == 0) {
		gather(stack);
		start = take_run(n_frames, align);
	}
	lock_release(&frames.lock);
	return start;
}

void frame_free_run(phys_t start, uint64_t n_frames)
{
	assert(start != 0 && n_frames > 0 && is_aligned(start, PAGE_SIZE));
	lock_acquire(&frames.lock);
	put_run(start, n_frames);
	frames.n_available += n_frames;
	lock_release(&frames.lock);
}

uint64_t frame_total(void)
{
	uint64_t n;

	lock_acquire(&frames.lock);
	n = frames.n_total;
	lock_release(&frames.lock);
	return n;
}

uint64_t frame_available(void)
{
	uint64_t n;

	lock_acquire(&frames.lock);
	n = frames.n_available;
	for (const struct frame_stack *stack = frames.stacks; stack != NULL; stack = stack->next) {
		n += __atomic_load_n(&stack->n, __ATOMIC_RELAXED);
		n += __atomic_load_n(&stack->spare, __ATOMIC_RELAXED) != 0 ? FRAME_BATCH : 0;
	}
	lock_release(&frames.lock);
	return n;
}

void frame_reset(void)
{
	while (frames.stacks != NULL) {
		struct frame_stack *stack = frames.stacks;

		frames.stacks = stack->next;
		*stack = (struct frame_stack){0};
	}
	memset(&frames, 0, sizeof(frames));
}
