/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Free memory. The free frames of a node are in three places: its map, which knows buddies and
 * runs; batches of single frames, of which the stock keeps a bounded number, and one that was
 * begun; and the stacks of the node's processors. A processor allocates and frees single frames
 * without a lock until its stack is empty or full, and then moves a batch. Batches that the stock
 * does not keep go to the map, where frames join; those that it keeps go there if no run is long
 * enough for a request. Frames of other nodes never enter a stack: the processor collects those
 * of one node beside it, and gives a batch back at a time. Reserved frames are not free: no node
 * counts them.
 *
 * Records of single frames are in the frames themselves, so that a write to a frame after its
 * release destroys them: set 'frame_poison' to detect such writes.
 */
#include "hv/frame/frame.h"

#include "hv/frame/free_map.h"
#include "hv/frame/numa.h"
#include "hv/frame/phys.h"
#include "hv/lib/assert.h"
#include "hv/lib/lock.h"
#include "hv/lib/string.h"

#define POISON	     UINT64_C(0xdeadf4a3dbdbdbdb)
#define BLOCK_SIZE   (FRAME_BLOCK * PAGE_SIZE)
#define BATCHES_KEPT 64
#define AT_ONCE	     8	     /* frames that join others while the lock is held */
#define PUT_AT_ONCE  MIB(16) /* bytes of a run that are returned then */

/* The record in a single free frame. */
struct free_frame {
	phys_t next;	   /* in the chain */
	phys_t next_batch; /* of a batch's first frame: the next batch of the stock */
	uint64_t n_frames; /* of a run's first frame, while nodes are sorted */
};

bool frame_poison;

/* The free frames of a node that are on no processor's stack. 'lock' guards them; it is a leaf. */
struct stock {
	struct lock lock;
	struct free_map map;
	phys_t batches; /* chains of FRAME_BATCH frames */
	phys_t loose;	/* one chain, shorter than a batch */
	uint32_t n_batches;
	uint32_t n_loose;
	uint64_t n_available;	/* all of the above; read without the lock, too */
} __attribute__((aligned(64))); /* no two in a cache line */

static struct {
	struct lock lock; /* guards the list of stacks; a leaf */
	struct frame_stack *stacks;
	uint64_t n_total; /* set at start, as 'end' */
	phys_t end;
	/*
	 * Frames withheld from single allocations; atomic. Runs are taken from them: negative, if
	 * these were more.
	 */
	int64_t n_kept_back;
	bool keeps_back;
	struct stock stock[NUMA_NODE_MAX];
} frames;

_Static_assert(sizeof(((struct frame_policy *)0)->nodes) == NUMA_NODE_WORDS * 8,
	       "one set of nodes");

static struct free_frame *free_at(phys_t frame)
{
	return phys_to_virt(frame);
}

/* The stock's lock is held, which guards against other writers. */
static void count(struct stock *stock, int64_t n_frames)
{
	__atomic_store_n(&stock->n_available, stock->n_available + (uint64_t)n_frames,
			 __ATOMIC_RELAXED);
}

static uint64_t n_in(const struct stock *stock)
{
	return __atomic_load_n(&stock->n_available, __ATOMIC_RELAXED);
}

/* The end of a part of a run, which is returned while the lock of its node is held. */
static phys_t part_end(phys_t start, phys_t end)
{
	phys_t node_end = free_map_node_end(start);
	phys_t part = align_down(start, PUT_AT_ONCE) + PUT_AT_ONCE;

	end = end < node_end ? end : node_end;
	return end < part ? end : part;
}

/* Return a run to the stocks of the nodes that its frames belong to. */
static void put_run_home(phys_t start, uint64_t n_frames)
{
	while (n_frames > 0) {
		struct stock *stock = &frames.stock[free_map_node_of(start)];
		uint64_t n = (part_end(start, start + n_frames * PAGE_SIZE) - start) / PAGE_SIZE;

		lock_acquire(&stock->lock);
		free_map_put(&stock->map, start, n);
		count(stock, (int64_t)n);
		lock_release(&stock->lock);
		start += n * PAGE_SIZE;
		n_frames -= n;
	}
}

/* Add whole frames, all in one GiB. */
static void add_part(phys_t start, phys_t end)
{
	if (!free_map_covers(start))
		return;
	put_run_home(start, (end - start) / PAGE_SIZE);
	frames.n_total += (end - start) / PAGE_SIZE;
}

void frame_add_range(phys_t start, uint64_t len)
{
	phys_t end = align_down(start + len, PAGE_SIZE), stop;

	assert(start + len >= start);
	start = start < FRAME_LOWEST ? FRAME_LOWEST : start;
	if (start > end || align_up(start, PAGE_SIZE) >= end)
		return;
	frame_note_used(end);
	start = align_up(start, PAGE_SIZE);
	free_map_cover(&start, end);
	for (; start < end; start = stop) {
		stop = align_down(start, GIB(1)) + GIB(1);
		stop = stop < end ? stop : end;
		add_part(start, stop);
	}
}

/* Put n contiguous frames in front of a chain, the lowest first. */
static void chain_frames(phys_t start, uint64_t n, phys_t *chain)
{
	for (phys_t frame = start + n * PAGE_SIZE; frame > start;) {
		frame -= PAGE_SIZE;
		*free_at(frame) = (struct free_frame){.next = *chain};
		*chain = frame;
	}
}

/* Take up to a batch out of the map, as a chain. Returns its length. */
static uint64_t cut_batch(struct stock *stock, phys_t *ret)
{
	uint64_t n = 0, n_more;
	phys_t start;

	*ret = 0;
	while (n < FRAME_BATCH &&
	       (n_more = free_map_take(&stock->map, FRAME_BATCH - n, &start)) > 0) {
		chain_frames(start, n_more, ret);
		n += n_more;
	}
	return n;
}

/* Take a batch off the stock, as a chain; 0: it has none. */
static phys_t take_batch(struct stock *stock)
{
	phys_t batch = stock->batches;

	if (batch == 0)
		return 0;
	stock->batches = free_at(batch)->next_batch;
	stock->n_batches--;
	return batch;
}

/* Take the frames that are in no batch, as a chain. Returns its length. */
static uint64_t take_loose(struct stock *stock, phys_t *ret)
{
	uint64_t n = stock->n_loose;

	*ret = stock->loose;
	stock->loose = stock->n_loose = 0;
	return n;
}

/* Take up to a batch of single frames, as a chain. Returns its length. */
static uint64_t take_chain(struct stock *stock, phys_t *ret)
{
	uint64_t n = FRAME_BATCH;

	*ret = take_batch(stock);
	if (*ret == 0)
		n = cut_batch(stock, ret);
	if (n == 0)
		n = take_loose(stock, ret);
	count(stock, -(int64_t)n);
	return n;
}

static void put_batch(struct stock *stock, phys_t chain)
{
	free_at(chain)->next_batch = stock->batches;
	stock->batches = chain;
	stock->n_batches++;
}

static bool keeps_batch(const struct stock *stock)
{
	return stock->n_batches < BATCHES_KEPT;
}

/* Make a batch of single frames, while the stock keeps batches. */
static void put_single(struct stock *stock, phys_t frame)
{
	count(stock, 1);
	if (!keeps_batch(stock)) {
		free_map_put(&stock->map, frame, 1);
		return;
	}
	*free_at(frame) = (struct free_frame){.next = stock->loose};
	stock->loose = frame;
	if (++stock->n_loose < FRAME_BATCH)
		return;
	put_batch(stock, stock->loose);
	stock->loose = stock->n_loose = 0;
}

/* Put up to n frames of a chain into the map. Returns the rest. */
static phys_t put_some_in_map(struct stock *stock, phys_t chain, unsigned n)
{
	for (; chain != 0 && n > 0; n--) {
		phys_t next = free_at(chain)->next;

		free_map_put(&stock->map, chain, 1);
		count(stock, 1);
		chain = next;
	}
	return chain;
}

/* Let the frames of a chain join others. The lock is held for a few of them at a time. */
static void put_in_map(struct stock *stock, phys_t chain)
{
	while (chain != 0) {
		lock_acquire(&stock->lock);
		chain = put_some_in_map(stock, chain, AT_ONCE);
		lock_release(&stock->lock);
	}
}

static phys_t take_single(struct stock *stock)
{
	phys_t frame = stock->loose;
	uint64_t n;

	if (frame == 0) {
		n = take_chain(stock, &stock->loose);
		stock->n_loose = n;
		count(stock, (int64_t)n);
		frame = stock->loose;
	}
	if (frame == 0)
		return 0;
	stock->loose = free_at(frame)->next;
	stock->n_loose--;
	count(stock, -1);
	return frame;
}

/* Find the longest stretch of addresses that belongs to the stack's node. */
static void find_home(struct frame_stack *stack)
{
	stack->home = stack->home_len = 0;
	for (unsigned i = 0; i < numa.n_spans; i++) {
		phys_t start = align_up(numa.span[i].start, BLOCK_SIZE);
		phys_t end = free_map_node_end(start);

		if (free_map_node_of(start) != stack->node || end - start <= stack->home_len)
			continue;
		stack->home = start;
		stack->home_len = end - start;
	}
}

/* Where the stack's frames come from. */
static void find_nodes(struct frame_stack *stack)
{
	find_home(stack);
	stack->n_order = numa_order(&numa, stack->node, stack->order);
}

static void list_stack(struct frame_stack *stack)
{
	if (stack->limit != 0)
		return;
	stack->limit = FRAME_BATCH;
	find_nodes(stack);
	lock_acquire(&frames.lock);
	stack->next = frames.stacks;
	frames.stacks = stack;
	lock_release(&frames.lock);
}

/* Set 'n', which other processors read to count free frames. */
static void set_n(struct frame_stack *stack, uint64_t n)
{
	__atomic_store_n(&stack->n, n, __ATOMIC_RELAXED);
}

/* Set 'spare'; the same holds for it. */
static void set_spare(struct frame_stack *stack, phys_t chain)
{
	__atomic_store_n(&stack->spare, chain, __ATOMIC_RELAXED);
}

/* Frames in all stocks. */
static uint64_t count_stocks(void)
{
	uint64_t n = 0;

	for (unsigned node = 0; node < numa.n_nodes; node++)
		n += n_in(&frames.stock[node]);
	return n;
}

/* Frames in all stocks besides the withheld ones. */
static uint64_t count_spare(void)
{
	int64_t kept = __atomic_load_n(&frames.n_kept_back, __ATOMIC_RELAXED);
	uint64_t n = count_stocks();

	if (kept < 0)
		kept = 0;
	return n > (uint64_t)kept ? n - (uint64_t)kept : 0;
}

static bool gives_singly(void)
{
	return !frames.keeps_back || count_spare() > 0;
}

/* Note that so many withheld frames were taken; negative: given back. */
static void take_kept(int64_t n_frames)
{
	if (frames.keeps_back)
		__atomic_fetch_sub(&frames.n_kept_back, n_frames, __ATOMIC_RELAXED);
}

/* Fill an empty stack. */
static void refill(struct frame_stack *stack)
{
	struct stock *stock = &frames.stock[stack->node];
	phys_t top = stack->spare;
	uint64_t n = FRAME_BATCH;

	set_spare(stack, 0);
	if (top == 0) {
		list_stack(stack);
		n = 0;
		if (n_in(stock) > 0 && gives_singly()) {
			lock_acquire(&stock->lock);
			n = take_chain(stock, &top);
			lock_release(&stock->lock);
		}
	}
	stack->top = top;
	set_n(stack, n);
}

/* Give a chain of a whole batch to the node's stock. */
static void return_batch(unsigned node, phys_t chain)
{
	struct stock *stock = &frames.stock[node];
	bool keeps;

	lock_acquire(&stock->lock);
	keeps = keeps_batch(stock);
	if (keeps) {
		put_batch(stock, chain);
		count(stock, FRAME_BATCH);
	}
	lock_release(&stock->lock);
	if (!keeps)
		put_in_map(stock, chain);
}

/* Make room for a batch on a full stack. */
static void make_room(struct frame_stack *stack)
{
	if (stack->spare != 0)
		return_batch(stack->node, stack->spare);
	set_spare(stack, stack->top);
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
 * Check the pattern of a frame and return the frame. A frame that was never
 * freed has no pattern: its last word tells, almost always.
 */
static __attribute__((noinline)) phys_t check_poison(phys_t frame)
{
	const uint64_t *word = phys_to_virt(frame);

	if (word[PAGE_SIZE / 8 - 1] != POISON)
		return frame;
	for (size_t i = sizeof(struct free_frame) / 8; i < PAGE_SIZE / 8; i++)
		assert(word[i] == POISON); /* fails if written to after its release */
	return frame;
}

/* An empty node costs a load. */
static phys_t alloc_on(unsigned node)
{
	struct stock *stock = &frames.stock[node];
	phys_t frame = 0;

	if (n_in(stock) > 0 && gives_singly()) {
		lock_acquire(&stock->lock);
		frame = take_single(stock);
		lock_release(&stock->lock);
	}
	return frame_poison && frame != 0 ? check_poison(frame) : frame;
}

/* The stack is not empty. */
static inline phys_t pop(struct frame_stack *stack)
{
	phys_t frame = stack->top;

	stack->top = free_at(frame)->next;
	set_n(stack, stack->n - 1);
	return frame_poison ? check_poison(frame) : frame;
}

/* Allocate from the processor's own node; 0: it has no frame left. */
static phys_t alloc_here(struct frame_stack *stack)
{
	if (stack->top == 0)
		refill(stack);
	return stack->top != 0 ? pop(stack) : 0;
}

static void set_n_away(struct frame_stack *stack, uint32_t n)
{
	__atomic_store_n(&stack->n_away, n, __ATOMIC_RELAXED);
}

/* Give the frames of the other node back to it. Its lock is taken once. */
static void return_away(struct frame_stack *stack)
{
	struct stock *stock = &frames.stock[stack->away_node];
	phys_t frame = stack->away;

	if (stack->n_away == FRAME_BATCH) {
		return_batch(stack->away_node, frame);
	} else if (frame != 0) {
		lock_acquire(&stock->lock);
		while (frame != 0) {
			phys_t next = free_at(frame)->next;

			put_single(stock, frame);
			frame = next;
		}
		lock_release(&stock->lock);
	}
	stack->away = 0;
	set_n_away(stack, 0);
}

/* A function of its own, so that the usual case saves no registers. */
static __attribute__((noinline)) phys_t alloc_slowly(struct frame_stack *stack)
{
	phys_t frame = alloc_here(stack);

	if (frame == 0)
		return_away(stack);
	for (unsigned i = 0; i < stack->n_order && frame == 0; i++)
		frame = alloc_on(stack->order[i]);
	return frame;
}

phys_t frame_alloc(void)
{
	struct frame_stack *stack = frame_stack_here();

	return stack->top != 0 ? pop(stack) : alloc_slowly(stack);
}

phys_t frame_alloc_zeroed(void)
{
	phys_t frame = frame_alloc();

	if (frame != 0)
		memset(phys_to_virt(frame), 0, PAGE_SIZE);
	return frame;
}

phys_t frame_alloc_lowest(void)
{
	struct stock *stock = &frames.stock[0];
	phys_t frame;

	lock_acquire(&stock->lock);
	frame = free_map_take_lowest(&stock->map, GIB(4));
	count(stock, frame != 0 ? -1 : 0);
	lock_release(&stock->lock);
	if (frame == 0)
		return frame_alloc_zeroed();
	memset(phys_to_virt(frame), 0, PAGE_SIZE);
	return frame;
}

/* Collect a frame of another node. */
static void free_away(struct frame_stack *stack, unsigned node, phys_t frame)
{
	if (node != stack->away_node)
		return_away(stack);
	__atomic_store_n(&stack->away_node, node, __ATOMIC_RELAXED);
	free_at(frame)->next = stack->away;
	stack->away = frame;
	set_n_away(stack, stack->n_away + 1);
	if (stack->n_away == FRAME_BATCH)
		return_away(stack);
}

/* Free a frame to a stack that is unused or full, or a frame that may belong to another node. */
static __attribute__((noinline)) void free_slowly(struct frame_stack *stack, phys_t frame)
{
	unsigned node = free_map_node_of(frame);

	list_stack(stack);
	if (node != stack->node) {
		free_away(stack, node, frame);
		return;
	}
	if (stack->n == FRAME_BATCH)
		make_room(stack);
	frame_push(stack, frame);
}

void frame_free(phys_t frame)
{
	struct frame_stack *stack = frame_stack_here();

	assert(frame != 0 && is_aligned(frame, PAGE_SIZE));
	if (frame_poison)
		poison(frame);
	if (stack->n == stack->limit || frame - stack->home >= stack->home_len)
		free_slowly(stack, frame);
	else
		frame_push(stack, frame);
}

/* The node of the set whose turn it is; 0 if no node of the set has memory. */
static unsigned node_by_turns(const uint64_t nodes[NUMA_NODE_WORDS], uint64_t index)
{
	uint8_t turns[NUMA_NODE_MAX] = {0};
	unsigned n = 0;

	for (unsigned node = 0; node < numa.n_nodes; node++)
		if (numa_set_has(nodes, node) && numa_set_has(numa.with_memory, node))
			turns[n++] = (uint8_t)node;
	if (n == 0)
		return 0;
	return turns[index % n];
}

/* Nodes to allocate from, in order. */
struct node_order {
	uint8_t node[NUMA_NODE_MAX];
	unsigned n;
};

static void add_nodes(struct node_order *order, const struct frame_stack *stack,
		      const struct frame_policy *policy, bool is_in_set)
{
	for (unsigned i = 0; i < stack->n_order; i++)
		if (numa_set_has(policy->nodes, stack->order[i]) == is_in_set)
			order->node[order->n++] = stack->order[i];
}

/* The nodes to try. The stack is listed. */
static void find_order(const struct frame_policy *policy, const struct frame_stack *stack,
		       uint64_t index, struct node_order *ret)
{
	ret->n = 0;
	if (policy->mode == FRAME_LOCAL || !numa_nodes_exist(policy->nodes)) {
		if (policy->mode == FRAME_BIND)
			return;
		memcpy(ret->node, stack->order, stack->n_order);
		ret->n = stack->n_order;
	} else if (policy->mode == FRAME_INTERLEAVE) {
		ret->n = numa_order(&numa, node_by_turns(policy->nodes, index), ret->node);
	} else {
		add_nodes(ret, stack, policy, true);
		if (policy->mode == FRAME_PREFERRED)
			add_nodes(ret, stack, policy, false);
	}
}

static phys_t alloc_from(struct frame_stack *stack, unsigned node)
{
	return node == stack->node ? alloc_here(stack) : alloc_on(node);
}

static phys_t alloc_in_order(const struct frame_policy *policy, struct frame_stack *stack,
			     uint64_t index)
{
	struct node_order order;
	phys_t frame = 0;

	find_order(policy, stack, index, &order);
	for (unsigned i = 0; i < order.n && frame == 0; i++)
		frame = alloc_from(stack, order.node[i]);
	return frame;
}

static phys_t alloc_by(const struct frame_policy *policy, uint64_t index)
{
	struct frame_stack *stack = frame_stack_here();
	phys_t frame = 0;

	if (policy->mode == FRAME_LOCAL)
		return frame_alloc();
	list_stack(stack);
	if (policy->mode == FRAME_INTERLEAVE && numa_nodes_exist(policy->nodes))
		frame = alloc_from(stack, node_by_turns(policy->nodes, index));
	if (frame == 0)
		frame = alloc_in_order(policy, stack, index);
	if (frame != 0 || stack->n_away == 0)
		return frame;
	return_away(stack);
	return alloc_in_order(policy, stack, index);
}

static void put_aside(struct frame_reserve *reserve, phys_t frame)
{
	free_at(frame)->next = reserve->top;
	reserve->top = frame;
	reserve->n++;
}

static phys_t take_aside(struct frame_reserve *reserve)
{
	phys_t frame = reserve->top;

	if (frame == 0)
		return 0;
	reserve->top = free_at(frame)->next;
	reserve->n--;
	return frame;
}

/*
 * Take a reserved frame. Interleaving exchanges it for a frame of the node
 * whose turn it is, if there is one.
 */
static phys_t alloc_reserved(const struct frame_policy *policy, uint64_t index)
{
	phys_t reserved = take_aside(policy->reserve), frame;

	if (policy->mode != FRAME_INTERLEAVE)
		return reserved;
	frame = alloc_by(policy, index);
	if (frame == 0)
		return reserved;
	frame_free(reserved);
	return frame;
}

phys_t frame_alloc_by(const struct frame_policy *policy, uint64_t index)
{
	if (policy->reserve != NULL && policy->reserve->top != 0)
		return alloc_reserved(policy, index);
	return alloc_by(policy, index);
}

enum status frame_reserve_add(struct frame_reserve *reserve, const struct frame_policy *policy,
			      uint64_t n_frames)
{
	for (; n_frames > 0; n_frames--) {
		phys_t frame = alloc_by(policy, reserve->n);

		if (frame == 0)
			return ERR_NOMEM;
		put_aside(reserve, frame);
	}
	return OK;
}

struct frame_reserve *frame_reserve_make(const struct frame_policy *policy, uint64_t n_frames)
{
	phys_t record = frame_alloc();
	struct frame_reserve *reserve;

	assert(policy->reserve == NULL);
	if (record == 0)
		return NULL;
	reserve = phys_to_virt(record);
	*reserve = (struct frame_reserve){0};
	if (frame_reserve_add(reserve, policy, n_frames) == OK)
		return reserve;
	frame_reserve_free(reserve);
	return NULL;
}

bool frame_reserve_free_some(struct frame_reserve *reserve, uint64_t n)
{
	for (; n > 0; n--) {
		phys_t frame = take_aside(reserve);

		if (frame == 0) {
			frame_free(virt_to_phys(reserve));
			return false;
		}
		frame_free(frame);
	}
	return true;
}

void frame_reserve_free(struct frame_reserve *reserve)
{
	(void)frame_reserve_free_some(reserve, UINT64_MAX);
}

/* Move the stack's frames to their stocks. */
static void empty_stack(struct frame_stack *stack)
{
	struct stock *stock = &frames.stock[stack->node];
	phys_t frame;

	return_away(stack);
	if (stack->spare != 0)
		return_batch(stack->node, stack->spare);
	set_spare(stack, 0);
	lock_acquire(&stock->lock);
	while ((frame = stack->top) != 0) {
		stack->top = free_at(frame)->next;
		put_single(stock, frame);
	}
	lock_release(&stock->lock);
	set_n(stack, 0);
}

/* Put all batches and what is loose into the map. */
static void empty_batches(struct stock *stock)
{
	phys_t chain;
	uint64_t n;

	do {
		lock_acquire(&stock->lock);
		chain = take_batch(stock);
		n = chain != 0 ? FRAME_BATCH : take_loose(stock, &chain);
		count(stock, -(int64_t)n);
		lock_release(&stock->lock);
		put_in_map(stock, chain);
	} while (chain != 0);
}

static phys_t alloc_run_on(unsigned node, uint64_t n_frames, uint64_t align)
{
	struct stock *stock = &frames.stock[node];
	phys_t start;

	if (n_in(stock) < n_frames)
		return 0;
	lock_acquire(&stock->lock);
	start = free_map_take_run(&stock->map, n_frames, align);
	if (start != 0)
		count(stock, -(int64_t)n_frames);
	lock_release(&stock->lock);
	return start;
}

/* The same, after the node's single frames have joined. */
static phys_t alloc_joined_run_on(unsigned node, uint64_t n_frames, uint64_t align)
{
	if (n_in(&frames.stock[node]) < n_frames)
		return 0;
	empty_batches(&frames.stock[node]);
	return alloc_run_on(node, n_frames, align);
}

static phys_t alloc_run(const struct node_order *order, uint64_t n_frames, uint64_t align)
{
	phys_t start = 0;

	for (unsigned i = 0; i < order->n && start == 0; i++)
		start = alloc_run_on(order->node[i], n_frames, align);
	if (start == 0)
		empty_stack(frame_stack_here());
	for (unsigned i = 0; i < order->n && start == 0; i++)
		start = alloc_joined_run_on(order->node[i], n_frames, align);
	return start;
}

static void find_order_here(const struct frame_policy *policy, struct node_order *ret)
{
	list_stack(frame_stack_here());
	find_order(policy, frame_stack_here(), 0, ret);
}

phys_t frame_alloc_run_by(const struct frame_policy *policy, uint64_t n_frames, uint64_t align)
{
	struct node_order order;
	phys_t start;

	assert(n_frames > 0 && align != 0 && (align & (align - 1)) == 0);
	if (align < PAGE_SIZE)
		align = PAGE_SIZE;
	find_order_here(policy, &order);
	start = alloc_run(&order, n_frames, align);
	if (start != 0)
		take_kept((int64_t)n_frames);
	return start;
}

static void check_poison_of_block(phys_t block)
{
	for (phys_t frame = block; frame < block + BLOCK_SIZE; frame += PAGE_SIZE)
		(void)check_poison(frame);
}

static phys_t alloc_block_on(unsigned node)
{
	struct stock *stock = &frames.stock[node];
	phys_t block;

	lock_acquire(&stock->lock);
	block = free_map_take_block(&stock->map);
	if (block != 0)
		count(stock, -FRAME_BLOCK);
	lock_release(&stock->lock);
	if (frame_poison && block != 0)
		check_poison_of_block(block);
	return block;
}

phys_t frame_alloc_block_by(const struct frame_policy *policy, uint64_t index)
{
	struct frame_stack *stack = frame_stack_here();
	struct node_order order;
	unsigned i = 0;

	list_stack(stack);
	find_order(policy, stack, index, &order);
	while (i < order.n && n_in(&frames.stock[order.node[i]]) == 0)
		i++;
	if (i == order.n || count_spare() < FRAME_BLOCK)
		return 0;
	return alloc_block_on(order.node[i]);
}

void frame_free_block(phys_t block)
{
	assert(block != 0 && is_aligned(block, BLOCK_SIZE));
	for (phys_t frame = block; frame_poison && frame < block + BLOCK_SIZE; frame += PAGE_SIZE)
		poison(frame);
	put_run_home(block, FRAME_BLOCK);
}

static const struct frame_policy local = {.mode = FRAME_LOCAL};

phys_t frame_alloc_run(uint64_t n_frames, uint64_t align)
{
	return frame_alloc_run_by(&local, n_frames, align);
}

phys_t frame_alloc_vm_run(uint64_t n_frames)
{
	struct node_order order;

	assert(n_frames > 0);
	find_order_here(&local, &order);
	return count_spare() >= n_frames ? alloc_run(&order, n_frames, PAGE_SIZE) : 0;
}

void frame_free_vm_run(phys_t start, uint64_t n_frames)
{
	assert(start != 0 && n_frames > 0 && is_aligned(start, PAGE_SIZE));
	put_run_home(start, n_frames);
}

void frame_free_run(phys_t start, uint64_t n_frames)
{
	frame_free_vm_run(start, n_frames);
	take_kept(-(int64_t)n_frames);
}

/* Take all out of a map, as a chain of runs. */
static phys_t take_all(struct free_map *map)
{
	phys_t chain = 0, start;
	uint64_t n;

	while ((n = free_map_take_any(map, &start)) > 0) {
		*free_at(start) = (struct free_frame){.next = chain, .n_frames = n};
		chain = start;
	}
	return chain;
}

static bool all_are_of_node_0(void)
{
	return free_map_node_of(0) == 0 && free_map_node_end(0) == UINT64_MAX;
}

/* Move frames from node 0, which had all until now, to their nodes. */
void frame_sort_by_node(void)
{
	struct frame_stack *stack = frame_stack_here();
	unsigned node = stack->node;
	phys_t run;

	stack->node = 0;
	empty_stack(stack);
	stack->node = node;
	find_nodes(stack);
	if (all_are_of_node_0())
		return;
	empty_batches(&frames.stock[0]);
	run = take_all(&frames.stock[0].map);
	frames.stock[0] = (struct stock){0};
	while (run != 0) {
		phys_t start = run;

		run = free_at(start)->next;
		put_run_home(start, free_at(start)->n_frames);
	}
}

uint64_t frame_total(void)
{
	return frames.n_total;
}

/* On the stacks and in the stock. The lock of the list is held. */
static uint64_t count_available(unsigned node)
{
	uint64_t n = n_in(&frames.stock[node]);

	for (const struct frame_stack *stack = frames.stacks; stack != NULL; stack = stack->next) {
		if (__atomic_load_n(&stack->away_node, __ATOMIC_RELAXED) == node)
			n += __atomic_load_n(&stack->n_away, __ATOMIC_RELAXED);
		if (stack->node != node)
			continue;
		n += __atomic_load_n(&stack->n, __ATOMIC_RELAXED);
		n += __atomic_load_n(&stack->spare, __ATOMIC_RELAXED) != 0 ? FRAME_BATCH : 0;
	}
	return n;
}

uint64_t frame_available_on(unsigned node)
{
	uint64_t n;

	lock_acquire(&frames.lock);
	n = count_available(node);
	lock_release(&frames.lock);
	return n;
}

void frame_keep_back(uint64_t n_frames)
{
	__atomic_store_n(&frames.n_kept_back, (int64_t)n_frames, __ATOMIC_RELAXED);
	frames.keeps_back = n_frames > 0;
}

bool frame_is_scarce(void)
{
	uint64_t n = count_spare();

	return n < (frames.n_total - (count_stocks() - n)) / 16;
}

uint64_t frame_available(void)
{
	uint64_t n = 0;

	lock_acquire(&frames.lock);
	for (unsigned node = 0; node < numa.n_nodes; node++)
		n += count_available(node);
	lock_release(&frames.lock);
	return n;
}

phys_t frame_end(void)
{
	return frames.end;
}

void frame_note_used(phys_t end)
{
	frames.end = end > frames.end ? end : frames.end;
}

static void visit_chain(phys_t chain, frame_visit *visit, void *context)
{
	for (; chain != 0; chain = free_at(chain)->next)
		visit(context, chain);
}

/* What frame_each_free() was given. */
struct visitor {
	frame_visit *visit;
	void *context;
};

static void visit_run(void *context, phys_t start, uint64_t n)
{
	const struct visitor *visitor = context;

	for (uint64_t i = 0; i < n; i++)
		visitor->visit(visitor->context, start + i * PAGE_SIZE);
}

static void visit_stock(const struct stock *stock, frame_visit *visit, void *context)
{
	struct visitor visitor = {visit, context};

	free_map_each(&stock->map, visit_run, &visitor);
	for (phys_t batch = stock->batches; batch != 0; batch = free_at(batch)->next_batch)
		visit_chain(batch, visit, context);
	visit_chain(stock->loose, visit, context);
}

void frame_each_free(frame_visit *visit, void *context)
{
	for (unsigned node = 0; node < numa.n_nodes; node++) {
		lock_acquire(&frames.stock[node].lock);
		visit_stock(&frames.stock[node], visit, context);
		lock_release(&frames.stock[node].lock);
	}
	lock_acquire(&frames.lock);
	for (const struct frame_stack *stack = frames.stacks; stack != NULL; stack = stack->next) {
		visit_chain(stack->top, visit, context);
		visit_chain(stack->spare, visit, context);
		visit_chain(stack->away, visit, context);
	}
	lock_release(&frames.lock);
}

void frame_each_reserved(const struct frame_reserve *reserve, frame_visit *visit, void *context)
{
	visit(context, virt_to_phys(reserve));
	visit_chain(reserve->top, visit, context);
}

void frame_reset(void)
{
	while (frames.stacks != NULL) {
		struct frame_stack *stack = frames.stacks;

		frames.stacks = stack->next;
		*stack = (struct frame_stack){0};
	}
	memset(&frames, 0, sizeof(frames));
	free_map_reset();
}
