/* SPDX-License-Identifier: BSD-2-Clause */
/* Buddies and runs, against a model that has a byte for each frame. */
#include "hv/frame/free_map.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/support.h"

#define START	 (GIB(1) - MIB(6)) /* so that blocks are neighbors across a GiB */
#define N_BLOCKS 8
#define N_FRAMES (N_BLOCKS * FRAME_BLOCK)
#define END	 (START + N_FRAMES * PAGE_SIZE)

static struct free_map map;
static bool is_free[N_FRAMES];

static phys_t frame_at(uint64_t i)
{
	return START + i * PAGE_SIZE;
}

static void cover(phys_t start, phys_t end)
{
	phys_t from = start;

	free_map_cover(&from, end);
	assert_int_equal(from, start); /* the records are apart */
	assert_true(free_map_covers(start) && free_map_covers(end - PAGE_SIZE));
}

static int setup(void **state)
{
	numa = (struct numa){.n_nodes = 1, .n_spans = 1, .with_memory = {1}};
	free_map_reset();
	free_map_is_apart = true;
	memset(&map, 0, sizeof(map));
	memset(is_free, 0, sizeof(is_free));
	cover(START, END);
	return 0;
}

static void set(phys_t start, uint64_t n, bool value)
{
	for (uint64_t i = 0; i < n; i++) {
		uint64_t k = (start - START) / PAGE_SIZE + i;

		assert_true(k < N_FRAMES);
		assert_int_equal(is_free[k], !value);
		is_free[k] = value;
	}
}

static void put(uint64_t first, uint64_t n)
{
	free_map_put(&map, frame_at(first), n);
	set(frame_at(first), n, true);
}

static phys_t take_run(uint64_t n, uint64_t align)
{
	phys_t at = free_map_take_run(&map, n, align);

	if (at != 0) {
		assert_true(is_aligned(at, align));
		set(at, n, false);
	}
	return at;
}

static void visit(void *context, phys_t start, uint64_t n)
{
	bool *seen = context;

	for (uint64_t i = (start - START) / PAGE_SIZE; n > 0; n--, i++) {
		assert_true(i < N_FRAMES && !seen[i]);
		seen[i] = true;
	}
}

static void assert_agrees(void)
{
	static bool seen[N_FRAMES];

	memset(seen, 0, sizeof(seen));
	free_map_each(&map, visit, seen);
	assert_memory_equal(seen, is_free, sizeof(seen));
}

/* Whether n frames are free that begin at a multiple of 'step'. */
static bool model_has(uint64_t n, uint64_t step)
{
	for (uint64_t i = 0; i + n <= N_FRAMES; i += step)
		if (is_free[i] && memchr(&is_free[i], false, n) == NULL)
			return true;
	return false;
}

static void buddies_of_each_size_are_found_and_join_again(void **state)
{
	for (unsigned k = 0; k <= 9; k++) {
		uint64_t n = UINT64_C(1) << k, n_taken = 0;
		static phys_t at[N_FRAMES];

		setup(NULL);
		put(0, N_FRAMES);
		while ((at[n_taken] = take_run(n, n * PAGE_SIZE)) != 0)
			if (++n_taken == N_FRAMES)
				break;
		assert_int_equal(n_taken, N_FRAMES / n);
		assert_agrees();
		/* Every second one, and then the others: until then no two of them are one. */
		for (uint64_t i = 0; i < n_taken; i++) {
			if (i == n_taken / 2) {
				assert_int_equal(take_run(2 * n, PAGE_SIZE), 0);
			}
			i < n_taken / 2 ? put((at[2 * i] - START) / PAGE_SIZE, n)
					: put((at[2 * i - n_taken + 1] - START) / PAGE_SIZE, n);
		}
		assert_int_equal(take_run(N_FRAMES, PAGE_SIZE), START);
	}
}

static void the_smallest_buddies_are_used_up_first(void **state)
{
	static const struct {
		uint64_t first, n;
	} stretches[] = {
		{6 * FRAME_BLOCK + 1, 2}, {4 * FRAME_BLOCK, 64}, {FRAME_BLOCK, 2 * FRAME_BLOCK}};
	phys_t at;

	for (size_t i = ARRAY_SIZE(stretches); i > 0; i--)
		put(stretches[i - 1].first, stretches[i - 1].n);
	for (size_t i = 0; i < ARRAY_SIZE(stretches); i++) {
		for (uint64_t n = 0; n < stretches[i].n; n++) {
			assert_int_equal(free_map_take(&map, 1, &at), 1);
			assert_in_range(at, frame_at(stretches[i].first),
					frame_at(stretches[i].first + stretches[i].n - 1));
			set(at, 1, false);
		}
	}
	assert_int_equal(free_map_take(&map, 1, &at), 0);
	assert_int_equal(take_run(1, PAGE_SIZE), 0);
}

/* The block that single frames come from is in no list. */
static void a_run_comes_from_the_open_block_too(void **state)
{
	phys_t at;

	put(0, FRAME_BLOCK);
	assert_int_equal(free_map_take(&map, 1, &at), 1);
	set(at, 1, false);
	assert_int_equal(take_run(FRAME_BLOCK - 1, PAGE_SIZE), START);
	assert_agrees();
}

static void single_frames_come_by_the_row(void **state)
{
	phys_t at;

	put(0, FRAME_BLOCK);
	assert_int_equal(free_map_take(&map, 32, &at), 32);
	assert_int_equal(at, frame_at(FRAME_BLOCK - 32));
	assert_int_equal(free_map_take(&map, 64, &at), 32); /* up to the end of the word */
	assert_int_equal(free_map_take(&map, 64, &at), 64);
	assert_int_equal(free_map_take(&map, UINT64_MAX, &at), 64);
}

/* What only neighbors make long enough. */
static void a_run_reaches_into_the_neighbors(void **state)
{
	static const struct {
		uint64_t first, n;
	} cases[] = {
		{FRAME_BLOCK - 1, 2},			     /* two halves of nothing */
		{FRAME_BLOCK - 511, 1022},		     /* no whole block */
		{FRAME_BLOCK - 511, 511 + FRAME_BLOCK},	     /* one behind a part */
		{FRAME_BLOCK, FRAME_BLOCK + 511},	     /* one in front of a part */
		{FRAME_BLOCK - 511, 1022 + 3 * FRAME_BLOCK}, /* some between two, across a GiB */
		{2 * FRAME_BLOCK + 100, 300},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		setup(NULL);
		put(cases[i].first, cases[i].n);
		assert_int_equal(take_run(cases[i].n + 1, PAGE_SIZE), 0);
		assert_int_equal(take_run(cases[i].n, PAGE_SIZE), frame_at(cases[i].first));
		assert_agrees();
		put(cases[i].first, cases[i].n);
		assert_int_equal(take_run(cases[i].n, PAGE_SIZE), frame_at(cases[i].first));
	}
}

static void what_cannot_be_is_refused(void **state)
{
	assert_int_equal(take_run(1, PAGE_SIZE), 0);
	assert_int_equal(free_map_take_block(&map), 0);
	put(1, N_FRAMES - 2);
	assert_int_equal(take_run(N_FRAMES - 1, PAGE_SIZE), 0);
	assert_int_equal(take_run(UINT64_MAX, PAGE_SIZE), 0);
	assert_int_equal(take_run(1, GIB(4)), 0);
	assert_int_equal(take_run(FRAME_BLOCK, GIB(1)), GIB(1));
	assert_agrees();
}

/* Neighbors in memory, but each on its node, with a map of its own. */
static void blocks_of_two_nodes_do_not_join(void **state)
{
	struct free_map other = {0};

	numa.n_nodes = numa.n_spans = 2;
	numa.span[1] = (struct numa_span){frame_at(4 * FRAME_BLOCK), 1};
	free_map_put(&other, frame_at(4 * FRAME_BLOCK), 4 * FRAME_BLOCK);
	put(0, 4 * FRAME_BLOCK);
	assert_int_equal(take_run(4 * FRAME_BLOCK + 1, PAGE_SIZE), 0);
	assert_int_equal(free_map_take_run(&other, 4 * FRAME_BLOCK, PAGE_SIZE),
			 frame_at(4 * FRAME_BLOCK));
	assert_int_equal(take_run(4 * FRAME_BLOCK, PAGE_SIZE), START);
}

static void a_block_belongs_to_the_node_of_its_first_frame(void **state)
{
	numa.n_nodes = numa.n_spans = 2;
	numa.span[1] = (struct numa_span){frame_at(FRAME_BLOCK + 7), 1};
	assert_int_equal(free_map_node_of(frame_at(2 * FRAME_BLOCK - 1)), 0);
	assert_int_equal(free_map_node_of(frame_at(2 * FRAME_BLOCK)), 1);
	assert_int_equal(free_map_node_end(START), frame_at(2 * FRAME_BLOCK));
	assert_int_equal(free_map_node_end(frame_at(FRAME_BLOCK + 9)), frame_at(2 * FRAME_BLOCK));
	assert_int_equal(free_map_node_end(frame_at(2 * FRAME_BLOCK)), UINT64_MAX);
}

/* On the machine, the records are in the memory that they describe. */
static void records_take_the_first_frames(void **state)
{
	phys_t start = START, end = START + FREE_MAP_GIBS + FREE_MAP_RECORDS, at;

	phys_arena(START, MIB(2));
	free_map_reset();
	free_map_is_apart = false;
	free_map_cover(&start, START + PAGE_SIZE - 1);
	assert_int_equal(start, START);
	assert_false(free_map_covers(START));
	free_map_cover(&start, end);
	assert_int_equal(start, end);
	assert_true(free_map_covers(START));
	start = END - PAGE_SIZE; /* of another GiB: records do not fit into a frame */
	free_map_cover(&start, END);
	assert_false(free_map_covers(END - PAGE_SIZE));
	start = START + MIB(1);
	free_map_cover(&start, START + MIB(1) + PAGE_SIZE);
	assert_int_equal(start, START + MIB(1));
	free_map_put(&map, start, 1);
	assert_int_equal(free_map_take(&map, 5, &at), 1);
	assert_int_equal(at, start);
	start = UINT64_C(1) << 47; /* beyond the page tables */
	free_map_cover(&start, start + GIB(1));
	assert_int_equal(start, UINT64_C(1) << 47);
	assert_false(free_map_covers(start));
}

/* However many GiB there are, what follows the records is one run. */
static void records_do_not_cut_memory_into_pieces(void **state)
{
	phys_t start = START, end = START + GIB(3), at;
	uint64_t n;

	phys_arena(START, MIB(2));
	free_map_reset();
	free_map_is_apart = false;
	free_map_cover(&start, end);
	assert_int_equal(start, START + FREE_MAP_GIBS + 4 * FREE_MAP_RECORDS);
	n = (end - start) / PAGE_SIZE;
	free_map_put(&map, start, n);
	at = free_map_take_run(&map, n, PAGE_SIZE);
	assert_int_equal(at, start);
}

static void the_lowest_frame_is_taken_wherever_it_is(void **state)
{
	phys_t at;

	assert_int_equal(free_map_take_lowest(&map, END), 0);
	put(FRAME_BLOCK + 5, 2);
	put(3 * FRAME_BLOCK, 3 * FRAME_BLOCK);
	assert_int_equal(free_map_take(&map, 1, &at),
			 1); /* of the same block, which is open then */
	set(at, 1, false);
	assert_int_equal(free_map_take_lowest(&map, frame_at(FRAME_BLOCK)), 0);
	assert_int_equal(free_map_take_lowest(&map, END), frame_at(FRAME_BLOCK + 5));
	set(frame_at(FRAME_BLOCK + 5), 1, false);
	assert_int_equal(free_map_take_lowest(&map, END), frame_at(3 * FRAME_BLOCK));
	set(frame_at(3 * FRAME_BLOCK), 1, false);
	assert_agrees();
	assert_int_equal(take_run(3 * FRAME_BLOCK - 1, PAGE_SIZE), frame_at(3 * FRAME_BLOCK + 1));
}

static void put_twice(void)
{
	put(7, 1);
	free_map_put(&map, frame_at(7), 1);
}

static void put_a_block_twice(void)
{
	put(0, FRAME_BLOCK);
	free_map_put(&map, START, FRAME_BLOCK);
}

static void put_what_has_no_record(void)
{
	free_map_put(&map, GIB(5), 1);
}

static void misuse_is_noticed(void **state)
{
	assert_true(aborts(put_twice));
	assert_true(aborts(put_a_block_twice));
	assert_true(aborts(put_what_has_no_record));
}

/* Give back a part of what is in use. */
static void put_some(void)
{
	uint64_t n = UINT64_C(1) << rand() % 11, first = (uint64_t)rand() % N_FRAMES;

	while (first < N_FRAMES && is_free[first])
		first++;
	if (first == N_FRAMES)
		return;
	n = n < N_FRAMES - first ? n : N_FRAMES - first;
	for (uint64_t i = 0; i < n; i++)
		if (is_free[first + i])
			n = i;
	put(first, n);
}

/* A run is found wherever there is a buddy for it. */
static void take_some(void)
{
	uint64_t n = 1 + (uint64_t)rand() % (1 << rand() % 12), buddy = 1;
	bool exists;

	while (buddy < n)
		buddy *= 2;
	exists = model_has(buddy, buddy < FRAME_BLOCK ? buddy : FRAME_BLOCK);
	if (take_run(n, PAGE_SIZE) == 0)
		assert_false(exists);
}

static void take_singly(void)
{
	phys_t at;
	uint64_t n = free_map_take(&map, 1 + (uint64_t)rand() % 32, &at);

	if (n == 0)
		assert_null(memchr(is_free, true, N_FRAMES));
	set(at, n, false);
}

static void take_a_block(void)
{
	bool exists = model_has(FRAME_BLOCK, FRAME_BLOCK);
	phys_t at = free_map_take_block(&map);

	assert_int_equal(at != 0, exists);
	if (at != 0)
		set(at, FRAME_BLOCK, false);
}

static void random_use_agrees_with_the_model(void **state)
{
	phys_t at;
	uint64_t n;

	srand(3);
	for (unsigned step = 0; step < 60000; step++) {
		switch (rand() % 8) {
		case 0:
			take_some();
			break;
		case 1:
			take_a_block();
			break;
		case 2:
		case 3:
			take_singly();
			break;
		default:
			put_some();
		}
		if (step % 16 == 0)
			assert_agrees();
	}
	while ((n = free_map_take_any(&map, &at)) > 0)
		set(at, n, false);
	assert_null(memchr(is_free, true, N_FRAMES));
	put(0, N_FRAMES);
	assert_int_equal(take_run(N_FRAMES, PAGE_SIZE), START);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(buddies_of_each_size_are_found_and_join_again, setup),
		cmocka_unit_test_setup(the_smallest_buddies_are_used_up_first, setup),
		cmocka_unit_test_setup(a_run_comes_from_the_open_block_too, setup),
		cmocka_unit_test_setup(single_frames_come_by_the_row, setup),
		cmocka_unit_test_setup(a_run_reaches_into_the_neighbors, setup),
		cmocka_unit_test_setup(what_cannot_be_is_refused, setup),
		cmocka_unit_test_setup(blocks_of_two_nodes_do_not_join, setup),
		cmocka_unit_test_setup(a_block_belongs_to_the_node_of_its_first_frame, setup),
		cmocka_unit_test_setup(records_take_the_first_frames, setup),
		cmocka_unit_test_setup(records_do_not_cut_memory_into_pieces, setup),
		cmocka_unit_test_setup(the_lowest_frame_is_taken_wherever_it_is, setup),
		cmocka_unit_test_setup(misuse_is_noticed, setup),
		cmocka_unit_test_setup(random_use_agrees_with_the_model, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
