/* SPDX-License-Identifier: BSD-2-Clause */
/* Free memory on a machine of several nodes. */
#include <stdlib.h>
#include <string.h>

#include "hv/frame/frame.h"
#include "hv/frame/numa.h"
#include "hv/frame/numa_parse.h"
#include "hv/frame/phys.h"
#include "tests/unit/support.h"

#define START	 MIB(2)
#define PART	 FRAME_BLOCK /* frames in each part: a block is of one node */
#define N_FRAMES (4 * PART)
#define N_NODES	 3

/* Node 0 has the first part and the last. The distance from 0 to 1 is the longest. */
static const uint8_t node_of_part[] = {0, 1, 2, 0};
static const uint64_t n_on[N_NODES] = {2 * PART, PART, PART};
static const uint8_t distance[N_NODES][N_NODES] = {{10, 30, 20}, {30, 10, 25}, {20, 25, 10}};

static struct frame_stack stacks[N_NODES];
static phys_t taken[N_FRAMES + 1];

static phys_t part(unsigned n)
{
	return START + (uint64_t)n * PART * PAGE_SIZE;
}

static void set_machine(void)
{
	memset(&numa, 0, sizeof(numa));
	numa.n_nodes = N_NODES;
	numa.n_spans = ARRAY_SIZE(node_of_part);
	for (unsigned i = 0; i < numa.n_spans; i++)
		numa.span[i] = (struct numa_span){i == 0 ? 0 : part(i), node_of_part[i]};
	for (unsigned i = 0; i < N_NODES; i++)
		memcpy(numa.distance[i], distance[i], N_NODES);
	numa_add_memory(&numa, START, N_FRAMES * PAGE_SIZE);
}

static void run_on(unsigned node)
{
	stack_here = &stacks[node];
}

static int setup(void **state)
{
	frame_reset();
	frame_poison = false;
	phys_arena(START, N_FRAMES * PAGE_SIZE);
	memset(stacks, 0, sizeof(stacks));
	set_machine();
	for (unsigned i = 0; i < N_NODES; i++)
		stacks[i].node = i;
	run_on(0);
	frame_add_range(START, N_FRAMES * PAGE_SIZE);
	return 0;
}

static void assert_available(uint64_t on_0, uint64_t on_1, uint64_t on_2)
{
	assert_int_equal(frame_available_on(0), on_0);
	assert_int_equal(frame_available_on(1), on_1);
	assert_int_equal(frame_available_on(2), on_2);
	assert_int_equal(frame_available(), on_0 + on_1 + on_2);
}

static struct frame_policy policy_of(enum frame_mode mode, uint64_t nodes)
{
	return (struct frame_policy){.mode = mode, .nodes = {nodes}};
}

static void a_range_goes_to_the_nodes_it_lies_on(void **state)
{
	assert_available(2 * PART, PART, PART);
	assert_int_equal(frame_total(), N_FRAMES);
}

static void the_own_node_comes_first_then_the_nearest(void **state)
{
	static const uint8_t expected[N_NODES][N_NODES] = {{0, 2, 1}, {1, 2, 0}, {2, 0, 1}};

	for (unsigned own = 0; own < N_NODES; own++) {
		setup(NULL);
		run_on(own);
		for (unsigned k = 0; k < N_NODES; k++) {
			for (unsigned i = 0; i < n_on[expected[own][k]]; i++) {
				phys_t frame = frame_alloc();

				assert_int_equal(numa_node_of(&numa, frame), expected[own][k]);
				memset(phys_to_virt(frame), 0xee, PAGE_SIZE);
			}
			assert_int_equal(frame_available_on(expected[own][k]), 0);
		}
		assert_int_equal(frame_alloc(), 0);
		assert_int_equal(frame_alloc_run(1, 1), 0);
		assert_available(0, 0, 0);
	}
}

static void a_freed_frame_returns_to_its_node(void **state)
{
	for (unsigned own = 0; own < N_NODES; own++) {
		unsigned n = 0;

		setup(NULL);
		while ((taken[n] = frame_alloc()) != 0)
			n++;
		assert_int_equal(n, N_FRAMES);
		run_on(own);
		while (n > 0)
			frame_free(taken[--n]);
		assert_available(2 * PART, PART, PART);
		/* The stack holds only frames of its own node. */
		assert_true(stack_here->n <= FRAME_BATCH);
		for (unsigned i = 0; i < 2 * FRAME_BATCH; i++)
			assert_int_equal(numa_node_of(&numa, frame_alloc()), own);
	}
}

static void freed_one_by_one_far_away_and_yet_whole_again(void **state)
{
	unsigned n = 0;

	while ((taken[n] = frame_alloc()) != 0)
		n++;
	run_on(1);
	for (unsigned i = 0; i < n; i++)
		frame_free(taken[i * 5 % n]);
	for (unsigned i = 0; i < 3; i++)
		assert_true(frame_alloc_run(PART, PAGE_SIZE) != 0);
	run_on(0);
	assert_true(frame_alloc_run(PART, PAGE_SIZE) != 0);
	assert_available(0, 0, 0);
}

static void runs_lie_on_one_node(void **state)
{
	phys_t run;

	/* Neighbors in memory, but on different nodes. */
	assert_int_equal(frame_alloc_run(PART + 1, PAGE_SIZE), 0);
	run_on(1);
	assert_int_equal(frame_alloc_run(PART, PAGE_SIZE), part(1));
	run = frame_alloc_run(PART, PAGE_SIZE);
	assert_int_equal(run, part(2)); /* the nearest */
	frame_free_run(run, PART);
	assert_available(2 * PART, 0, PART);
	frame_free_run(part(1), PART);
	assert_available(2 * PART, PART, PART);
}

static void a_range_across_nodes_is_added_in_pieces(void **state)
{
	frame_reset();
	phys_arena(START, N_FRAMES * PAGE_SIZE);
	run_on(0);
	frame_add_range(part(1) - PAGE_SIZE, (PART + 2) * PAGE_SIZE);
	assert_available(1, PART, 1);
	assert_int_equal(frame_total(), PART + 2);
}

static void frames_added_before_the_nodes_are_known_are_sorted_later(void **state)
{
	unsigned n;

	for (unsigned own = 0; own < N_NODES; own++) {
		frame_reset();
		memset(stacks, 0, sizeof(stacks));
		phys_arena(START, N_FRAMES * PAGE_SIZE);
		memset(&numa, 0, sizeof(numa));
		numa.n_nodes = numa.n_spans = 1;
		run_on(0);
		frame_add_range(START, N_FRAMES * PAGE_SIZE);
		/* Some on the stack, some in its spare chain, some loose, some in use. */
		for (n = 0; n < 100; n++)
			taken[n] = frame_alloc();
		for (n = 0; n < 90; n++)
			frame_free(taken[n]);
		set_machine();
		stack_here->node = own;
		frame_sort_by_node();
		assert_int_equal(frame_available(), N_FRAMES - 10);
		assert_int_equal(stack_here->n, 0);
		for (n = 90; n < 100; n++)
			frame_free(taken[n]);
		assert_available(2 * PART, PART, PART);
		assert_int_equal(numa_node_of(&numa, frame_alloc()), own);
		assert_int_equal(frame_total(), N_FRAMES);
	}
}

static void default_policy_is_no_policy(void **state)
{
	static const struct frame_policy local = {.mode = FRAME_LOCAL};

	run_on(2);
	for (unsigned i = 0; i < PART; i++)
		assert_int_equal(numa_node_of(&numa, frame_alloc_by(&local, i)), 2);
	assert_int_equal(numa_node_of(&numa, frame_alloc_by(&local, 0)), 0);
}

/* For every set, seen from every node: the order of frames until none is left. */
static void bound_frames_come_from_the_set_nearest_first_and_from_nowhere_else(void **state)
{
	for (unsigned own = 0; own < N_NODES; own++) {
		for (unsigned set = 0; set < 1 << (N_NODES + 1); set++) {
			struct frame_policy policy = policy_of(FRAME_BIND, set);
			uint64_t n = 0, expected = 0;
			unsigned last = 0;
			phys_t frame;

			setup(NULL);
			run_on(own);
			for (unsigned i = 0; i < N_NODES; i++)
				expected += set >> i & 1 ? n_on[i] : 0;
			for (; (frame = frame_alloc_by(&policy, n)) != 0; n++) {
				unsigned node = numa_node_of(&numa, frame);

				assert_true(set >> node & 1);
				assert_true(distance[own][node] >= last);
				last = distance[own][node];
			}
			assert_int_equal(n, expected);
			assert_int_equal(frame_alloc_run_by(&policy, 1, 1), 0);
			for (unsigned i = 0; i < N_NODES; i++)
				assert_int_equal(frame_available_on(i), set >> i & 1 ? 0 : n_on[i]);
		}
	}
}

static void preferred_frames_come_from_the_set_then_from_the_others(void **state)
{
	for (unsigned own = 0; own < N_NODES; own++) {
		for (unsigned set = 0; set < 1 << (N_NODES + 1); set++) {
			struct frame_policy policy = policy_of(FRAME_PREFERRED, set);
			unsigned last = 0;

			setup(NULL);
			run_on(own);
			for (unsigned n = 0; n < N_FRAMES; n++) {
				phys_t frame = frame_alloc_by(&policy, n);
				unsigned node = numa_node_of(&numa, frame);
				unsigned rank = distance[own][node] + (set >> node & 1 ? 0U : 100U);

				assert_int_not_equal(frame, 0);
				assert_true(rank >= last);
				last = rank;
			}
			assert_int_equal(frame_alloc_by(&policy, 0), 0);
		}
	}
}

static void interleaved_frames_come_from_the_set_by_turns(void **state)
{
	static const uint8_t nodes[][4] = {
		/* for each set: how many nodes, and which */
		[1] = {1, 0},	 [2] = {1, 1},	  [3] = {2, 0, 1},    [4] = {1, 2},
		[5] = {2, 0, 2}, [6] = {2, 1, 2}, [7] = {3, 0, 1, 2}, [9] = {1, 0},
	};

	for (unsigned own = 0; own < N_NODES; own++) {
		for (unsigned set = 1; set < ARRAY_SIZE(nodes); set++) {
			struct frame_policy policy = policy_of(FRAME_INTERLEAVE, set);

			if (nodes[set][0] == 0)
				continue;
			setup(NULL);
			run_on(own);
			for (uint64_t i = 0; i < PART; i++) {
				/* The number of the page decides, not the order of allocation. */
				uint64_t index = i * 7;
				phys_t frame = frame_alloc_by(&policy, index);

				assert_int_equal(numa_node_of(&numa, frame),
						 nodes[set][1 + index % nodes[set][0]]);
			}
		}
	}
}

static void a_turn_that_finds_nothing_takes_from_the_nearest(void **state)
{
	struct frame_policy policy = policy_of(FRAME_INTERLEAVE, 2);

	for (unsigned i = 0; i < PART; i++)
		assert_int_equal(numa_node_of(&numa, frame_alloc_by(&policy, i)), 1);
	/* Nearest to node 1, although this runs on node 0. */
	for (unsigned i = 0; i < PART; i++)
		assert_int_equal(numa_node_of(&numa, frame_alloc_by(&policy, i)), 2);
	assert_int_equal(numa_node_of(&numa, frame_alloc_by(&policy, 0)), 0);
}

static void runs_follow_the_policy_too(void **state)
{
	struct frame_policy bind = policy_of(FRAME_BIND, 4), turns = policy_of(FRAME_INTERLEAVE, 2);
	struct frame_policy prefer = policy_of(FRAME_PREFERRED, 4);

	assert_int_equal(numa_node_of(&numa, frame_alloc_run_by(&bind, PART / 2, 1)), 2);
	assert_int_equal(numa_node_of(&numa, frame_alloc_run_by(&prefer, PART / 2, 1)), 2);
	assert_int_equal(frame_alloc_run_by(&bind, PART / 2, 1), 0);
	assert_int_equal(numa_node_of(&numa, frame_alloc_run_by(&prefer, PART / 2, 1)), 0);
	assert_int_equal(numa_node_of(&numa, frame_alloc_run_by(&turns, PART / 2, 1)), 1);
}

static void nodes_without_memory_do_not_count(void **state)
{
	struct frame_policy turns = policy_of(FRAME_INTERLEAVE, 7);

	numa.with_memory[0] = 5;
	for (unsigned i = 0; i < 16; i++)
		assert_int_equal(numa_node_of(&numa, frame_alloc_by(&turns, i)), i % 2 * 2);
}

static void random_use_keeps_the_books_of_each_node(void **state)
{
	uint64_t n = 0, used[N_NODES] = {0};

	srand(2);
	for (unsigned step = 0; step < 40000; step++) {
		struct frame_policy policy =
			policy_of((enum frame_mode)(rand() % 4), 1 + (uint64_t)rand() % 7);

		run_on((unsigned)rand() % N_NODES);
		if (rand() % 400 < (step / 500 % 2 ? 150 : 250)) {
			taken[n] = frame_alloc_by(&policy, (uint64_t)rand());
			if (taken[n] == 0)
				continue;
			memset(phys_to_virt(taken[n]), 0x55, PAGE_SIZE);
			used[numa_node_of(&numa, taken[n++])]++;
		} else if (n > 0) {
			uint64_t k = (uint64_t)rand() % n;

			used[numa_node_of(&numa, taken[k])]--;
			frame_free(taken[k]);
			taken[k] = taken[--n];
		}
		assert_available(n_on[0] - used[0], n_on[1] - used[1], n_on[2] - used[2]);
	}
}

static void poison_is_checked_on_every_way(void **state)
{
	struct frame_policy bind = policy_of(FRAME_BIND, 2);
	phys_t frame = 0;

	frame_poison = true;
	for (unsigned i = 0; i < FRAME_BATCH; i++)
		taken[i] = frame_alloc_by(&bind, 0);
	for (unsigned i = 0; i < FRAME_BATCH; i++)
		frame_free(frame = taken[i]);
	assert_int_not_equal(((uint64_t *)phys_to_virt(frame))[100], 0);
	assert_int_equal(frame_alloc_by(&bind, 0), frame);
}

/* A processor of node 0 frees frames of node 1. */
static void frames_of_another_node_go_back_by_batches(void **state)
{
	struct frame_policy bind = policy_of(FRAME_BIND, 2);

	run_on(1);
	for (unsigned i = 0; i < PART; i++)
		taken[i] = frame_alloc_by(&bind, i);
	run_on(0);
	for (unsigned i = 0; i < FRAME_BATCH - 1; i++)
		frame_free(taken[i]);
	assert_available(2 * PART, FRAME_BATCH - 1, PART);
	run_on(1);
	assert_int_equal(frame_alloc_by(&bind, 0), 0);
	run_on(0);
	frame_free(taken[FRAME_BATCH]);
	assert_available(2 * PART, FRAME_BATCH, PART);
	run_on(1);
	assert_int_equal(numa_node_of(&numa, frame_alloc_by(&bind, 0)), 1);
}

static void frames_of_two_other_nodes_do_not_mix(void **state)
{
	struct frame_policy turns = policy_of(FRAME_INTERLEAVE, 6);

	for (unsigned i = 0; i < 8; i++)
		taken[i] = frame_alloc_by(&turns, i);
	for (unsigned i = 0; i < 8; i++) {
		frame_free(taken[i]);
		assert_int_equal(stack_here->n_away, 1);
		assert_int_equal(stack_here->away_node, numa_node_of(&numa, taken[i]));
	}
	assert_available(2 * PART, PART, PART);
}

static void what_waits_to_go_back_is_allocated_when_nothing_else_is_left(void **state)
{
	struct frame_policy bind = policy_of(FRAME_BIND, 2);
	unsigned n = 0;

	while ((taken[n] = frame_alloc()) != 0)
		n++;
	while (numa_node_of(&numa, taken[--n]) != 1)
		;
	frame_free(taken[n]);
	assert_int_equal(frame_alloc(), taken[n]);
	frame_free(taken[n]);
	assert_int_equal(frame_alloc_by(&bind, 0), taken[n]);
	frame_free(taken[n]);
	assert_int_equal(frame_alloc_run(1, PAGE_SIZE), taken[n]);
	assert_available(0, 0, 0);
}

/* The processor's node has two stretches: its stack keeps frames of the longest at home. */
static void the_longest_stretch_is_home(void **state)
{
	phys_t frame;

	numa.span[2].node = 0; /* parts 0 and 2; part 0 begins at address 0 */
	numa.span[3].node = 2;
	frame_reset();
	memset(stacks, 0, sizeof(stacks));
	phys_arena(START, N_FRAMES * PAGE_SIZE);
	stacks[2].node = 2;
	frame_add_range(START, N_FRAMES * PAGE_SIZE);
	frame = frame_alloc();
	assert_int_equal(stack_here->home, 0);
	assert_int_equal(stack_here->home_len, part(1));
	frame_free(frame);
	assert_available(2 * PART, PART, PART);
	run_on(2);
	assert_int_equal(numa_node_of(&numa, frame_alloc()), 2);
	assert_int_equal(stack_here->home, part(3));
}

static void what_is_kept_back_is_kept_on_all_nodes(void **state)
{
	struct frame_policy bind = policy_of(FRAME_BIND, 2);

	frame_keep_back(N_FRAMES);
	frame_poison = true; /* there is no frame to check */
	assert_int_equal(frame_alloc_by(&bind, 0), 0);
	frame_keep_back(0);
	assert_int_equal(numa_node_of(&numa, frame_alloc_by(&bind, 0)), 1);
}

static int teardown(void **state)
{
	stack_here = &stacks[0];
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_range_goes_to_the_nodes_it_lies_on, setup),
		cmocka_unit_test_setup(the_own_node_comes_first_then_the_nearest, setup),
		cmocka_unit_test_setup(a_freed_frame_returns_to_its_node, setup),
		cmocka_unit_test_setup(freed_one_by_one_far_away_and_yet_whole_again, setup),
		cmocka_unit_test_setup(runs_lie_on_one_node, setup),
		cmocka_unit_test_setup(a_range_across_nodes_is_added_in_pieces, setup),
		cmocka_unit_test_setup(frames_added_before_the_nodes_are_known_are_sorted_later,
				       setup),
		cmocka_unit_test_setup(default_policy_is_no_policy, setup),
		cmocka_unit_test_setup(
			bound_frames_come_from_the_set_nearest_first_and_from_nowhere_else, setup),
		cmocka_unit_test_setup(preferred_frames_come_from_the_set_then_from_the_others,
				       setup),
		cmocka_unit_test_setup(interleaved_frames_come_from_the_set_by_turns, setup),
		cmocka_unit_test_setup(a_turn_that_finds_nothing_takes_from_the_nearest, setup),
		cmocka_unit_test_setup(runs_follow_the_policy_too, setup),
		cmocka_unit_test_setup(nodes_without_memory_do_not_count, setup),
		cmocka_unit_test_setup(random_use_keeps_the_books_of_each_node, setup),
		cmocka_unit_test_setup(poison_is_checked_on_every_way, setup),
		cmocka_unit_test_setup(frames_of_another_node_go_back_by_batches, setup),
		cmocka_unit_test_setup(frames_of_two_other_nodes_do_not_mix, setup),
		cmocka_unit_test_setup(what_waits_to_go_back_is_allocated_when_nothing_else_is_left,
				       setup),
		cmocka_unit_test_setup(the_longest_stretch_is_home, setup),
		cmocka_unit_test_setup(what_is_kept_back_is_kept_on_all_nodes, setup),
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}
