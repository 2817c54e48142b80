/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/frame/frame.h"

#include <stdlib.h>
#include <string.h>

#include "hv/frame/free_map.h"
#include "hv/frame/phys.h"
#include "tests/unit/support.h"

#define START	 UINT64_C(0x100000)
#define N_FRAMES 512

static int setup(void **state)
{
	frame_reset();
	frame_poison = false;
	phys_arena(START, N_FRAMES * PAGE_SIZE);
	return 0;
}

static uint64_t *words(phys_t frame)
{
	return phys_to_virt(frame);
}

static void partial_frames_and_the_first_mib_are_left_out(void **state)
{
	static const struct {
		uint64_t start, len, n_frames;
	} cases[] = {
		{START, 0, 0},
		{START, PAGE_SIZE, 1},
		{START, PAGE_SIZE - 1, 0},
		{START + 1, PAGE_SIZE, 0},
		{START + 1, 2 * PAGE_SIZE - 2, 0},
		{START + 1, 2 * PAGE_SIZE - 1, 1},
		{START + 0xfff, 3 * PAGE_SIZE, 2},
		{0, 0, 0},
		{0, PAGE_SIZE, 0},
		{0, FRAME_LOWEST, 0},
		{0x7f000, 2 * PAGE_SIZE, 0},
		{0, FRAME_LOWEST + 3 * PAGE_SIZE, 3},
		{FRAME_LOWEST - PAGE_SIZE, 2 * PAGE_SIZE, 1},
		{FRAME_LOWEST - 1, 2 * PAGE_SIZE, 1},
		{UINT64_MAX - 100, 100, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		setup(NULL);
		frame_add_range(cases[i].start, cases[i].len);
		assert_int_equal(frame_total(), cases[i].n_frames);
		assert_int_equal(frame_available(), cases[i].n_frames);
		for (uint64_t n = 0; n < cases[i].n_frames; n++) {
			phys_t frame = frame_alloc();

			assert_true(frame >= cases[i].start && frame >= FRAME_LOWEST);
			assert_true(frame + PAGE_SIZE <= cases[i].start + cases[i].len);
			assert_true(is_aligned(frame, PAGE_SIZE));
		}
		assert_int_equal(frame_alloc(), 0);
	}
}

static void every_frame_is_handed_out_once(void **state)
{
	static bool seen[N_FRAMES];
	phys_t taken[N_FRAMES + 1];

	memset(seen, 0, sizeof(seen));
	frame_add_range(START, N_FRAMES * PAGE_SIZE);
	for (unsigned i = 0; i < N_FRAMES; i++) {
		assert_int_equal(frame_available(), N_FRAMES - i);
		taken[i] = frame_alloc();
		assert_true(taken[i] >= START && taken[i] < START + N_FRAMES * PAGE_SIZE);
		assert_false(seen[(taken[i] - START) / PAGE_SIZE]);
		seen[(taken[i] - START) / PAGE_SIZE] = true;
		memset(phys_to_virt(taken[i]), 0xee, PAGE_SIZE);
	}
	assert_int_equal(frame_alloc(), 0);
	assert_int_equal(frame_alloc_zeroed(), 0);
	assert_int_equal(frame_alloc_run(1, 1), 0);
	assert_int_equal(frame_available(), 0);
	for (unsigned i = 0; i < N_FRAMES; i++) {
		frame_free(taken[i]);
		assert_int_equal(frame_available(), i + 1);
	}
	assert_int_equal(frame_total(), N_FRAMES);
	/* Frames that were freed one by one form a run again. */
	assert_int_equal(frame_alloc_run(N_FRAMES, PAGE_SIZE), START);
	assert_int_equal(frame_available(), 0);
}

static void zeroed_means_zeroed(void **state)
{
	frame_add_range(START, PAGE_SIZE);
	phys_t frame = frame_alloc();

	memset(phys_to_virt(frame), 0xff, PAGE_SIZE);
	frame_free(frame);
	assert_int_equal(frame_alloc_zeroed(), frame);
	for (unsigned i = 0; i < 512; i++)
		assert_int_equal(words(frame)[i], 0);
}

static void the_lowest_frame_can_be_asked_for(void **state)
{
	frame_add_range(START, 3 * PAGE_SIZE);
	memset(phys_to_virt(START), 0xff, PAGE_SIZE);
	assert_int_equal(frame_alloc_lowest(), START);
	assert_int_equal(words(START)[511], 0);
	assert_int_equal(frame_available(), 2);
	assert_int_equal(frame_alloc_lowest(), START + PAGE_SIZE);
	(void)frame_alloc();
	assert_int_equal(frame_alloc_lowest(), 0);
	assert_int_equal(frame_available(), 0);
}

static void the_frame_freed_last_comes_first(void **state)
{
	frame_add_range(START, 4 * PAGE_SIZE);
	phys_t a = frame_alloc(), b = frame_alloc();

	frame_free(a);
	frame_free(b);
	assert_int_equal(frame_alloc(), b);
	assert_int_equal(frame_alloc(), a);
}

/* A full stack, and a frame that is poisoned, take the usual way. */
static void many_frames_can_be_freed_without_a_call(void **state)
{
	enum { N = 4 * FRAME_BATCH };
	phys_t taken[N + 1];
	uint64_t n = 0;

	frame_add_range(START, N * PAGE_SIZE);
	while ((taken[n] = frame_alloc()) != 0)
		n++;
	assert_int_equal(n, N);
	for (uint64_t i = 0; i < n; i++) {
		frame_poison = i == 5;
		frame_free_here(frame_stack_here(), taken[i]);
		assert_int_equal(frame_available(), i + 1);
		assert_true(stack_here->n <= FRAME_BATCH);
	}
	frame_poison = false;
	assert_int_equal(frame_alloc(), taken[n - 1]);
}

static void ranges_join_in_any_order(void **state)
{
	static const unsigned orders[][4] = {
		{0, 1, 2, 3}, {3, 2, 1, 0}, {0, 2, 1, 3}, {0, 3, 1, 2}, {1, 3, 2, 0}, {2, 0, 3, 1},
	};

	for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
		setup(NULL);
		for (unsigned k = 0; k < 4; k++) {
			frame_add_range(START + orders[i][k] * 16 * PAGE_SIZE, 16 * PAGE_SIZE);
			if (k < 3) {
				assert_int_equal(frame_alloc_run(64, PAGE_SIZE), 0);
			}
		}
		assert_int_equal(frame_alloc_run(64, PAGE_SIZE), START);
	}
}

static void runs_join_when_they_are_freed(void **state)
{
	frame_add_range(START, N_FRAMES * PAGE_SIZE);
	assert_int_equal(frame_alloc_run(N_FRAMES - 1, PAGE_SIZE), START + PAGE_SIZE);
	phys_t single = frame_alloc();

	frame_free(single);
	for (unsigned third = 0; third < 3; third++)
		frame_free_run(START + (1 + (third * 2 % 3) * 100) * PAGE_SIZE, 100);
	assert_int_equal(frame_alloc_run(300, PAGE_SIZE), START + PAGE_SIZE);
	/* The run did not need the single frames on the stack. */
	assert_int_equal(stack_here->n, 1);
}

static void runs_are_aligned_and_leave_the_rest(void **state)
{
	static const struct {
		uint64_t n_frames, align;
	} cases[] = {
		{1, 1}, {1, PAGE_SIZE}, {3, 8 * PAGE_SIZE}, {16, 16 * PAGE_SIZE},
		{7, 8}, {100, MIB(1)},	{200, MIB(1)},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t n = cases[i].n_frames, n_taken = 0, at[N_FRAMES];

		setup(NULL);
		frame_add_range(START + 3 * PAGE_SIZE, (N_FRAMES - 5) * PAGE_SIZE);
		for (;; n_taken++) {
			phys_t run = frame_alloc_run(n, cases[i].align);

			if (run == 0)
				break;
			assert_true(is_aligned(run, cases[i].align));
			assert_true(run >= START + 3 * PAGE_SIZE);
			assert_true(run + n * PAGE_SIZE <= START + (N_FRAMES - 2) * PAGE_SIZE);
			memset(phys_to_virt(run), (int)n_taken, n * PAGE_SIZE);
			at[n_taken] = run;
			assert_int_equal(frame_available(), N_FRAMES - 5 - n * (n_taken + 1));
		}
		assert_true(n_taken > 0);
		for (uint64_t k = 0; k < n_taken; k++)
			for (uint64_t b = 0; b < n * PAGE_SIZE; b += 512)
				assert_int_equal(*((uint8_t *)phys_to_virt(at[k]) + b), k & 0xff);
		for (uint64_t k = 0; k < n_taken; k++)
			frame_free_run(at[k], n);
		assert_int_equal(frame_available(), N_FRAMES - 5);
		assert_int_equal(frame_alloc_run(N_FRAMES - 5, PAGE_SIZE), START + 3 * PAGE_SIZE);
	}
}

static void a_run_that_cannot_be_is_refused(void **state)
{
	frame_add_range(START + PAGE_SIZE, 8 * PAGE_SIZE);
	assert_int_equal(frame_alloc_run(9, PAGE_SIZE), 0);
	assert_int_equal(frame_alloc_run(UINT64_MAX, PAGE_SIZE), 0);
	assert_int_equal(frame_alloc_run(1, MIB(1)), 0);
	assert_int_equal(frame_alloc_run(8, 2 * PAGE_SIZE), 0);
	assert_int_equal(frame_available(), 8);
	assert_int_equal(frame_alloc_run(8, PAGE_SIZE), START + PAGE_SIZE);
}

static void a_run_gathers_what_was_freed_one_by_one(void **state)
{
	phys_t taken[N_FRAMES + 1];
	unsigned n = 0;

	frame_add_range(START, N_FRAMES * PAGE_SIZE);
	while ((taken[n] = frame_alloc()) != 0)
		n++;
	/* Odd ones first, even ones backwards: no batch has two neighbors. */
	for (unsigned i = 1; i < N_FRAMES; i += 2)
		frame_free(taken[i]);
	assert_int_equal(frame_alloc_run(2, PAGE_SIZE), 0);
	assert_int_equal(frame_available(), N_FRAMES / 2);
	for (unsigned i = N_FRAMES; i > 0; i -= 2)
		frame_free(taken[i - 2]);
	phys_t low = frame_alloc_run(N_FRAMES / 2, PAGE_SIZE);
	assert_int_equal(low, START + N_FRAMES / 2 * PAGE_SIZE);
	assert_int_equal(frame_alloc_run(N_FRAMES / 2, PAGE_SIZE), START);
	assert_int_equal(frame_available(), 0);
}

static void frames_move_between_processors_and_the_books_follow(void **state)
{
	static struct frame_stack second, third;
	struct frame_stack *first = stack_here;
	phys_t taken[N_FRAMES + 1];
	unsigned n = 0, m = 0;

	frame_add_range(START, N_FRAMES * PAGE_SIZE);
	while ((taken[n] = frame_alloc()) != 0)
		n++;
	stack_here = &third;
	assert_int_equal(frame_alloc(), 0);
	stack_here = &second;
	for (unsigned i = 0; i < n; i++) {
		frame_free(taken[i]);
		assert_int_equal(frame_available(), i + 1);
	}
	/* The first processor gets all except what the second may keep on its stack. */
	stack_here = first;
	while (frame_alloc() != 0)
		m++;
	assert_in_range(m, N_FRAMES - 2 * FRAME_BATCH, N_FRAMES);
	assert_int_equal(frame_available(), N_FRAMES - m);
	stack_here = &second;
	while (frame_alloc() != 0)
		m++;
	assert_int_equal(m, N_FRAMES);
	assert_int_equal(frame_available(), 0);
	stack_here = first;
}

static void taking_and_giving_at_an_edge_stays_off_the_common_stock(void **state)
{
	phys_t taken[3 * FRAME_BATCH];

	frame_add_range(START, N_FRAMES * PAGE_SIZE);
	for (unsigned i = 0; i < ARRAY_SIZE(taken); i++)
		taken[i] = frame_alloc();
	for (unsigned i = 0; i < 2 * FRAME_BATCH; i++)
		frame_free(taken[i]);
	assert_int_equal(stack_here->n, FRAME_BATCH);
	assert_true(stack_here->spare != 0);
	/* Two batches down and up again: if the common stock were used, the order would change. */
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 2 * FRAME_BATCH; i > 0; i--)
			assert_int_equal(frame_alloc(), taken[i - 1]);
		for (unsigned i = 0; i < 2 * FRAME_BATCH; i++)
			frame_free(taken[i]);
	}
}

static void random_use_keeps_the_books(void **state)
{
	static phys_t single[N_FRAMES], run[N_FRAMES];
	uint64_t n_single = 0, n_run = 0, n_in_runs = 0, length[N_FRAMES];

	srand(1);
	frame_add_range(START, 200 * PAGE_SIZE);
	frame_add_range(START + 211 * PAGE_SIZE, 301 * PAGE_SIZE);
	for (unsigned step = 0; step < 20000; step++) {
		uint64_t n = 1 + (uint64_t)rand() % 9, k;

		switch (rand() % 8) {
		case 0:
		case 1:
		case 2:
			if ((single[n_single] = frame_alloc()) != 0)
				memset(phys_to_virt(single[n_single++]), 0x55, PAGE_SIZE);
			break;
		case 3:
		case 4:
		case 5:
			if (n_single > 0) {
				k = (uint64_t)rand() % n_single;
				frame_free(single[k]);
				single[k] = single[--n_single];
			}
			break;
		case 6:
			if ((run[n_run] = frame_alloc_run(n, PAGE_SIZE << rand() % 3)) != 0) {
				memset(phys_to_virt(run[n_run]), 0xaa, n * PAGE_SIZE);
				length[n_run++] = n;
				n_in_runs += n;
			}
			break;
		case 7:
			if (n_run > 0) {
				k = (uint64_t)rand() % n_run;
				frame_free_run(run[k], length[k]);
				n_in_runs -= length[k];
				run[k] = run[--n_run];
				length[k] = length[n_run];
			}
			break;
		}
		assert_int_equal(frame_available(), 501 - n_single - n_in_runs);
	}
	while (n_single > 0)
		frame_free(single[--n_single]);
	while (n_run > 0) {
		n_run--;
		frame_free_run(run[n_run], length[n_run]);
	}
	assert_int_equal(frame_available(), 501);
	assert_int_equal(frame_alloc_run(301, PAGE_SIZE), START + 211 * PAGE_SIZE);
	assert_int_equal(frame_alloc_run(200, PAGE_SIZE), START);
}

static void poison_replaces_what_was_there(void **state)
{
	frame_poison = true;
	frame_add_range(START, 2 * PAGE_SIZE);
	phys_t frame = frame_alloc();

	words(frame)[100] = 42;
	frame_free(frame);
	assert_true(words(frame)[100] != 42 && words(frame)[100] != 0);
	assert_int_equal(frame_alloc(), frame); /* intact: the assertion holds */
	while (frame_alloc() != 0)
		;
	assert_int_equal(frame_available(), 0);
}

static void write_after_free(void)
{
	frame_poison = true;
	phys_t frame = frame_alloc();

	frame_free(frame);
	words(frame)[100] = 42;
	frame_alloc();
}

static void free_unaligned(void)
{
	frame_free(START + 8);
}

static void free_zero(void)
{
	frame_free(0);
}

/* Single frames are withheld, except those on the processor's stack; runs are not. */
static void what_is_kept_back_is_not_given_singly(void **state)
{
	const struct frame_policy local = {.mode = FRAME_LOCAL};
	uint64_t n = 0;
	phys_t run, frame;

	frame_add_range(START, 300 * PAGE_SIZE);
	frame_keep_back(100);
	assert_int_equal(frame_alloc_vm_run(201), 0);
	run = frame_alloc_vm_run(200);
	assert_true(run != 0);
	assert_int_equal(frame_alloc(), 0);
	frame_free_vm_run(run, 200);
	frame = frame_alloc();
	for (n = 1; frame_alloc() != 0; n++)
		assert_in_range(n, 0, 300);
	assert_in_range(n, 200, 200 + FRAME_BATCH);
	assert_int_equal(frame_alloc_by(&local, 0), 0);
	assert_int_equal(frame_alloc_zeroed(), 0);
	assert_int_equal(frame_alloc_vm_run(1), 0);
	run = frame_alloc_run(50, PAGE_SIZE);
	assert_true(run != 0);
	frame_free_run(run, 50);
	/* A freed frame can be allocated again. */
	frame_free(frame);
	assert_int_equal(frame_alloc(), frame);
	assert_int_equal(frame_alloc(), 0);
	frame_keep_back(0);
	assert_true(frame_alloc() != 0);
	assert_int_equal(frame_available(), 300 - n - 1);
}

/* Files and the hypervisor's own memory leave VMs what the budget says. */
static void runs_come_out_of_what_is_kept_back(void **state)
{
	uint64_t n = 0;
	phys_t run, vm_run;

	frame_add_range(START, 400 * PAGE_SIZE);
	frame_keep_back(200);
	run = frame_alloc_run(150, PAGE_SIZE);
	vm_run = frame_alloc_vm_run(100);
	assert_true(run != 0 && vm_run != 0);
	assert_int_equal(frame_alloc_vm_run(101), 0);
	while (frame_alloc() != 0)
		n++;
	assert_in_range(n, 100, 100 + FRAME_BATCH);
	/* The hypervisor's frames return to it, and a VM's to the VMs. */
	frame_free_run(run, 150);
	assert_int_equal(frame_alloc_vm_run(1), 0);
	frame_free_vm_run(vm_run, 100);
	assert_true(frame_alloc_vm_run(60) != 0);
}

static void note_visit(void *context, phys_t frame)
{
	bool *seen = context;

	assert_true(frame >= START && frame < START + N_FRAMES * PAGE_SIZE);
	assert_false(seen[(frame - START) / PAGE_SIZE]);
	seen[(frame - START) / PAGE_SIZE] = true;
}

/* On the stack, in its spare chain, in batches, in a batch that was begun, and in runs. */
static void each_free_frame_is_visited_once(void **state)
{
	static bool seen[N_FRAMES];
	phys_t taken[N_FRAMES];

	frame_add_range(START, N_FRAMES * PAGE_SIZE);
	for (unsigned i = 0; i < N_FRAMES - 100; i++)
		taken[i] = frame_alloc();
	for (unsigned i = 0; i < 10 * FRAME_BATCH + 5; i++)
		frame_free(taken[i]);
	memset(seen, 0, sizeof(seen));
	frame_each_free(note_visit, seen);
	for (unsigned i = 0; i < N_FRAMES - 100; i++)
		assert_int_equal(seen[(taken[i] - START) / PAGE_SIZE], i < 10 * FRAME_BATCH + 5);
	for (unsigned i = 10 * FRAME_BATCH + 5; i < N_FRAMES - 100; i++)
		seen[(taken[i] - START) / PAGE_SIZE] = true;
	assert_null(memchr(seen, false, sizeof(seen)));
}

static void a_reserve_is_used_up_first(void **state)
{
	struct frame_policy policy = {.mode = FRAME_LOCAL};

	frame_add_range(START, 10 * PAGE_SIZE);
	assert_null(frame_reserve_make(&policy, 10)); /* one more for the record */
	assert_int_equal(frame_available(), 10);
	policy.reserve = frame_reserve_make(&policy, 3);
	assert_non_null(policy.reserve);
	assert_int_equal(frame_available(), 6);
	for (unsigned i = 1; i <= 3; i++) {
		assert_true(frame_alloc_by(&policy, i) != 0);
		assert_int_equal(policy.reserve->n, 3 - i);
		assert_int_equal(frame_available(), 6);
	}
	assert_true(frame_alloc_by(&policy, 4) != 0);
	assert_int_equal(frame_available(), 5);
	assert_int_equal(frame_reserve_add(policy.reserve, &(struct frame_policy){0}, 2), OK);
	assert_int_equal(policy.reserve->n, 2);
	assert_int_equal(frame_reserve_add(policy.reserve, &(struct frame_policy){0}, 100),
			 ERR_NOMEM);
	frame_reserve_free(policy.reserve);
	assert_int_equal(frame_available(), 6);
}

static void free_a_free_run(void)
{
	frame_free_run(START, 1);
}

static void misuse_stops_the_machine(void **state)
{
	frame_add_range(START, 2 * PAGE_SIZE);
	assert_true(aborts(write_after_free));
	assert_true(aborts(free_unaligned));
	assert_true(aborts(free_zero));
	assert_true(aborts(free_a_free_run));
}

#define BLOCKS \
	MIB(4) /* in an arena of its own, with three aligned blocks and a rest on both sides */
#define N_BLOCKS 3
#define REST	 (5 * PAGE_SIZE)

static const struct frame_policy anywhere = {.mode = FRAME_LOCAL};

static void add_blocks(void)
{
	setup(NULL);
	phys_arena(BLOCKS - MIB(2), MIB(4) + N_BLOCKS * MIB(2));
	frame_add_range(BLOCKS - REST, 2 * REST + N_BLOCKS * MIB(2));
}

static void blocks_are_aligned_and_leave_the_rest(void **state)
{
	uint64_t n = 10 + N_BLOCKS * FRAME_BLOCK;
	phys_t frame;

	add_blocks();
	for (unsigned i = 0; i < N_BLOCKS; i++) {
		assert_int_equal(frame_alloc_block_by(&anywhere, i), BLOCKS + i * MIB(2));
		memset(phys_to_virt(BLOCKS + i * MIB(2)), 0xee, MIB(2));
		n -= FRAME_BLOCK;
		assert_int_equal(frame_available(), n);
	}
	assert_int_equal(frame_alloc_block_by(&anywhere, 0), 0);
	while ((frame = frame_alloc()) != 0) {
		assert_true(frame < BLOCKS || frame >= BLOCKS + N_BLOCKS * MIB(2));
		n--;
	}
	assert_int_equal(n, 0);
}

/* What the allocator has handed out, and gets back. */
static phys_t taken[N_BLOCKS * FRAME_BLOCK + 10];

static uint64_t take_all(void)
{
	uint64_t n = 0;

	while ((taken[n] = frame_alloc()) != 0)
		n++;
	return n;
}

static void a_block_stays_whole_until_nothing_else_is_left(void **state)
{
	phys_t block;

	add_blocks();
	block = frame_alloc_block_by(&anywhere, 0);
	frame_free_block(block);
	assert_int_equal(frame_available(), N_BLOCKS * FRAME_BLOCK + 10);
	assert_int_equal(frame_alloc_block_by(&anywhere, 0), block);
	frame_free_block(block);
	for (uint64_t n = 0; n < (N_BLOCKS - 1) * FRAME_BLOCK; n++)
		assert_int_not_equal(frame_alloc(), 0);
	block = frame_alloc_block_by(&anywhere, 0);
	assert_int_not_equal(block, 0);
	frame_free_block(block);
	/* Then it is split. */
	assert_int_equal(take_all(), FRAME_BLOCK + 10);
	assert_int_equal(frame_alloc_block_by(&anywhere, 0), 0);
	assert_int_equal(frame_available(), 0);
}

static void a_block_can_be_freed_frame_by_frame(void **state)
{
	phys_t block;

	add_blocks();
	block = frame_alloc_block_by(&anywhere, 0);
	for (unsigned i = 0; i < FRAME_BLOCK; i++)
		frame_free(block + i * PAGE_SIZE);
	assert_int_equal(frame_available(), N_BLOCKS * FRAME_BLOCK + 10);
	assert_int_equal(frame_alloc_run(N_BLOCKS * FRAME_BLOCK + 10, PAGE_SIZE), BLOCKS - REST);
}

static void a_run_takes_free_blocks_too(void **state)
{
	phys_t block[N_BLOCKS];

	add_blocks();
	for (unsigned i = 0; i < N_BLOCKS; i++)
		block[i] = frame_alloc_block_by(&anywhere, 0);
	for (unsigned i = 0; i < N_BLOCKS; i++)
		frame_free_block(block[i * 2 % N_BLOCKS]);
	assert_int_equal(frame_alloc_run(N_BLOCKS * FRAME_BLOCK + 10, PAGE_SIZE), BLOCKS - REST);
	assert_int_equal(frame_alloc_block_by(&anywhere, 0), 0);
}

/* The common stock is visited once for a batch, also if its runs are short. */
static void a_batch_comes_from_several_runs(void **state)
{
	struct frame_stack *stack = frame_stack_here();

	add_blocks();
	assert_int_not_equal(frame_alloc_run(FRAME_BLOCK, MIB(2)), 0);
	(void)take_all();
	for (unsigned i = 0; i < 3 * FRAME_BATCH; i++)
		frame_free_run(BLOCKS + i * 2 * PAGE_SIZE, 1);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(stack->n, 0);
		for (unsigned n = FRAME_BATCH; n > 0; n--) {
			assert_int_not_equal(frame_alloc(), 0);
			assert_int_equal(stack->n, n - 1);
		}
	}
	assert_int_equal(frame_alloc(), 0);
}

/* However many frames are free one by one, a block is found at once. */
static void a_block_behind_many_short_runs_is_found(void **state)
{
	enum { N = 2 * 64 };
	phys_t block;

	add_blocks();
	block = frame_alloc_run(FRAME_BLOCK, MIB(2));
	assert_int_equal(block, BLOCKS + 2 * MIB(2));
	(void)take_all();
	for (unsigned i = 0; i < N; i++)
		frame_free_run(BLOCKS + i * 2 * PAGE_SIZE, 1);
	frame_free_run(block, FRAME_BLOCK);
	assert_int_equal(frame_alloc_block_by(&anywhere, 0), block);
}

/* What is freed one by one, more than the stock keeps in batches, is whole blocks again at once. */
static void frames_freed_one_by_one_are_blocks_again(void **state)
{
	enum { N = 12 };
	static phys_t frame[N * FRAME_BLOCK];
	unsigned n_blocks = 0;

	setup(NULL);
	phys_arena(BLOCKS, N * MIB(2));
	frame_add_range(BLOCKS, N * MIB(2));
	for (unsigned i = 0; i < ARRAY_SIZE(frame); i++)
		frame[i] = frame_alloc();
	assert_int_equal(frame_available(), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(frame); i++)
		frame_free(frame[i]);
	assert_int_equal(frame_available(), N * FRAME_BLOCK);
	while (frame_alloc_block_by(&anywhere, 0) != 0)
		n_blocks++;
	assert_in_range(n_blocks, N - 6, N - 4); /* 66 batches are kept */
	assert_int_equal(frame_available(), (N - n_blocks) * FRAME_BLOCK);
}

static void blocks_are_not_taken_from_what_is_kept_back(void **state)
{
	phys_t block;

	add_blocks();
	frame_keep_back(2 * FRAME_BLOCK + 11);
	assert_int_equal(frame_alloc_block_by(&anywhere, 0), 0);
	frame_keep_back(2 * FRAME_BLOCK);
	block = frame_alloc_block_by(&anywhere, 0);
	assert_int_not_equal(block, 0);
	assert_int_equal(frame_alloc_block_by(&anywhere, 0), 0);
	frame_free_block(block);
	assert_int_equal(frame_alloc_block_by(&anywhere, 0), block);
	frame_keep_back(0);
}

static void write_after_free_of_a_block(void)
{
	phys_t block;

	add_blocks();
	frame_poison = true;
	block = frame_alloc_block_by(&anywhere, 0);
	frame_free_block(block);
	assert_int_equal(frame_alloc_block_by(&anywhere, 0), block); /* intact */
	frame_free_block(block);
	words(block + 7 * PAGE_SIZE)[100] = 42;
	(void)frame_alloc_block_by(&anywhere, 0);
}

static void free_unaligned_block(void)
{
	add_blocks();
	(void)frame_alloc_block_by(&anywhere, 0);
	frame_free_block(BLOCKS + PAGE_SIZE);
}

static void count_frame(void *count, phys_t frame)
{
	++*(uint64_t *)count;
}

static void free_blocks_are_visited(void **state)
{
	uint64_t n = 0;

	add_blocks();
	frame_free_block(frame_alloc_block_by(&anywhere, 0));
	frame_each_free(count_frame, &n);
	assert_int_equal(n, frame_available());
}

static void a_block_that_is_misused_is_noticed(void **state)
{
	assert_true(aborts(write_after_free_of_a_block));
	assert_true(aborts(free_unaligned_block));
	frame_poison = false;
}

/* As if the ramdisk were above all free memory. */
static void memory_that_is_used_from_the_start_counts_for_the_end(void **state)
{
	frame_note_used(START + 8 * PAGE_SIZE);
	frame_add_range(START, 2 * PAGE_SIZE);
	assert_int_equal(frame_end(), START + 8 * PAGE_SIZE);
	frame_note_used(START + PAGE_SIZE);
	assert_int_equal(frame_end(), START + 8 * PAGE_SIZE);
	assert_int_equal(frame_total(), 2);
	frame_add_range(START + 16 * PAGE_SIZE, PAGE_SIZE);
	assert_int_equal(frame_end(), START + 17 * PAGE_SIZE);
}

static uint64_t most_put; /* in one call: the lock of the frames' node is held */

void __real_free_map_put(struct free_map *map, phys_t start, uint64_t n);
void __wrap_free_map_put(struct free_map *map, phys_t start, uint64_t n);
void __wrap_free_map_put(struct free_map *map, phys_t start, uint64_t n)
{
	most_put = n > most_put ? n : most_put;
	__real_free_map_put(map, start, n);
}

static void a_long_run_is_returned_in_parts(void **state)
{
	const phys_t start = MIB(3);
	const uint64_t n = MIB(100) / PAGE_SIZE;
	phys_t run;

	most_put = 0;
	phys_arena(start, n * PAGE_SIZE);
	frame_add_range(start, n * PAGE_SIZE);
	run = frame_alloc_run(n, PAGE_SIZE);
	assert_int_equal(run, start);
	frame_free_run(run, n);
	assert_int_equal(most_put, MIB(16) / PAGE_SIZE);
	assert_int_equal(frame_available(), n);
	assert_int_equal(frame_alloc_run(n, PAGE_SIZE), start);
}

static void memory_of_one_node_is_not_sorted(void **state)
{
	const uint64_t n = MIB(8) / PAGE_SIZE;

	phys_arena(MIB(4), n * PAGE_SIZE);
	frame_add_range(MIB(4), n * PAGE_SIZE);
	frame_free(frame_alloc());
	most_put = 0;
	frame_sort_by_node();
	assert_int_equal(most_put, 0);
	assert_int_equal(frame_available(), n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(partial_frames_and_the_first_mib_are_left_out, setup),
		cmocka_unit_test_setup(every_frame_is_handed_out_once, setup),
		cmocka_unit_test_setup(zeroed_means_zeroed, setup),
		cmocka_unit_test_setup(memory_that_is_used_from_the_start_counts_for_the_end,
				       setup),
		cmocka_unit_test_setup(the_lowest_frame_can_be_asked_for, setup),
		cmocka_unit_test_setup(the_frame_freed_last_comes_first, setup),
		cmocka_unit_test_setup(many_frames_can_be_freed_without_a_call, setup),
		cmocka_unit_test_setup(ranges_join_in_any_order, setup),
		cmocka_unit_test_setup(runs_join_when_they_are_freed, setup),
		cmocka_unit_test_setup(runs_are_aligned_and_leave_the_rest, setup),
		cmocka_unit_test_setup(a_run_that_cannot_be_is_refused, setup),
		cmocka_unit_test_setup(a_run_gathers_what_was_freed_one_by_one, setup),
		cmocka_unit_test_setup(frames_move_between_processors_and_the_books_follow, setup),
		cmocka_unit_test_setup(taking_and_giving_at_an_edge_stays_off_the_common_stock,
				       setup),
		cmocka_unit_test_setup(random_use_keeps_the_books, setup),
		cmocka_unit_test_setup(poison_replaces_what_was_there, setup),
		cmocka_unit_test_setup(what_is_kept_back_is_not_given_singly, setup),
		cmocka_unit_test_setup(runs_come_out_of_what_is_kept_back, setup),
		cmocka_unit_test_setup(each_free_frame_is_visited_once, setup),
		cmocka_unit_test_setup(a_reserve_is_used_up_first, setup),
		cmocka_unit_test_setup(misuse_stops_the_machine, setup),
		cmocka_unit_test_setup(blocks_are_aligned_and_leave_the_rest, setup),
		cmocka_unit_test_setup(a_block_stays_whole_until_nothing_else_is_left, setup),
		cmocka_unit_test_setup(a_block_can_be_freed_frame_by_frame, setup),
		cmocka_unit_test_setup(a_run_takes_free_blocks_too, setup),
		cmocka_unit_test_setup(a_batch_comes_from_several_runs, setup),
		cmocka_unit_test_setup(a_block_behind_many_short_runs_is_found, setup),
		cmocka_unit_test_setup(frames_freed_one_by_one_are_blocks_again, setup),
		cmocka_unit_test_setup(blocks_are_not_taken_from_what_is_kept_back, setup),
		cmocka_unit_test_setup(a_long_run_is_returned_in_parts, setup),
		cmocka_unit_test_setup(memory_of_one_node_is_not_sorted, setup),
		cmocka_unit_test_setup(free_blocks_are_visited, setup),
		cmocka_unit_test_setup(a_block_that_is_misused_is_noticed, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
