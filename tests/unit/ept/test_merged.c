/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of merged frames: no room, records used again, and lists that share a slot. */
#include "hv/ept/merged.h"

#include "hv/frame/frame.h"
#include "tests/unit/support.h"

#define FRAMES	 MIB(2)
#define N_FRAMES 32
#define ROOM	 4 /* a power of two */

static phys_t frames[ROOM + 1];

static int setup_without_table(void **state)
{
	merged_reset();
	frame_reset();
	phys_arena(FRAMES, MIB(2));
	frame_add_range(FRAMES, N_FRAMES * PAGE_SIZE);
	for (unsigned i = 0; i <= ROOM; i++)
		frames[i] = frame_alloc();
	return 0;
}

static int setup(void **state)
{
	setup_without_table(state);
	assert_int_equal(merged_setup(ROOM - 1), OK); /* rounded up */
	return 0;
}

/* The first frame with that hash, counted, or 0. */
static phys_t find(uint64_t hash)
{
	struct merged_cursor cursor = merged_find(hash);
	phys_t frame;

	return merged_get(&cursor, &frame) ? frame : 0;
}

/* Every processor has caught up twice. */
static void free_uncounted(void)
{
	merged_free();
	merged_free();
}

static void without_a_table_nothing_is_kept(void **state)
{
	uint64_t available = frame_available();

	assert_int_equal(merged_setup(1000000), ERR_NOMEM);
	assert_int_equal(frame_available(), available);
	assert_false(merged_has_room());
	assert_false(merged_add(5, frames[0]));
	assert_int_equal(find(5), 0);
	assert_false(merged_get_frame(frames[0]));
	/* The leaves of zeros are counted all the same. */
	merged_use();
	assert_int_equal(merged_count().sharing, 1);
	merged_drop(frames[0]);
	assert_int_equal(merged_count().sharing, 0);
	assert_int_equal(merged_count().shared, 0);
	merged_end();
	assert_int_equal(frame_available(), available);
}

static void a_full_table_refuses_a_frame_and_finds_the_others(void **state)
{
	for (uint64_t i = 0; i < ROOM; i++)
		assert_true(merged_add(100 + i, frames[i]));
	assert_false(merged_has_room());
	assert_false(merged_add(100 + ROOM, frames[ROOM]));
	assert_int_equal(merged_count().shared, ROOM);
	assert_int_equal(find(100 + ROOM), 0);
	assert_false(merged_get_frame(frames[ROOM]));
	for (uint64_t i = 0; i < ROOM; i++)
		assert_int_equal(find(100 + i), frames[i]);
}

/* In pieces of three records, of which the last finds one. */
static void freeing_can_be_continued(void **state)
{
	uint64_t available;
	uint32_t next = 0;

	for (uint64_t i = 0; i < ROOM; i++)
		assert_true(merged_add(i, frames[i]));
	available = frame_available();
	for (uint64_t i = 0; i < ROOM; i++)
		merged_put(frames[i]);
	merged_free();
	assert_true(merged_free_some(&next, 3));
	assert_int_equal(next, 3);
	assert_int_equal(frame_available(), available + 3);
	assert_false(merged_free_some(&next, 3));
	assert_int_equal(next, 0);
	assert_int_equal(frame_available(), available + ROOM);
}

/* All hashes fall on one list; those that stay are found after any one was taken out. */
static void a_record_is_used_again_after_its_frame_is_free(void **state)
{
	for (uint64_t out = 0; out < ROOM; out++) {
		uint64_t available;

		setup(state);
		for (uint64_t i = 0; i < ROOM; i++)
			assert_true(merged_add(i * ROOM, frames[i]));
		available = frame_available();
		merged_put(frames[out]);
		merged_free();
		assert_int_equal(frame_available(), available);
		assert_false(merged_has_room());
		merged_free();
		assert_int_equal(frame_available(), available + 1);
		for (uint64_t i = 0; i < ROOM; i++)
			assert_int_equal(find(i * ROOM), i == out ? 0 : frames[i]);
		assert_true(merged_has_room());
		assert_true(merged_add(out * ROOM, frames[ROOM]));
		assert_int_equal(find(out * ROOM), frames[ROOM]);
		assert_false(merged_get_frame(frames[out]));
		assert_false(merged_has_room());
	}
}

/* A leaf of zeros and one of a kept frame: only the latter has a count there. */
static void a_leaf_that_is_gone_gives_its_count_back(void **state)
{
	assert_true(merged_add(7, frames[0])); /* the count that the leaf takes over */
	merged_use();
	merged_use();
	assert_int_equal(merged_count().sharing, 2);
	merged_drop(frames[1]);
	assert_int_equal(merged_count().shared, 1);
	merged_drop(frames[0]);
	assert_int_equal(merged_count().shared, 0);
	assert_int_equal(merged_count().sharing, 0);
	/* A layer's leaf counts it again before it is freed. */
	assert_true(merged_get_frame(frames[0]));
	assert_int_equal(merged_count().shared, 1);
	free_uncounted();
	assert_int_equal(find(7), frames[0]);
}

static phys_t visited[ROOM];
static unsigned n_visited;

static void visit(void *context, phys_t frame)
{
	assert_ptr_equal(context, &n_visited);
	visited[n_visited++] = frame;
}

static void each_frame_that_is_kept_is_visited_once(void **state)
{
	n_visited = 0;
	for (uint64_t i = 0; i < 3; i++)
		assert_true(merged_add(i, frames[i]));
	merged_put(frames[1]);
	free_uncounted();
	merged_put(frames[2]); /* it waits, and is still kept */
	merged_each(visit, &n_visited);
	assert_int_equal(n_visited, 2);
	assert_int_equal(visited[0], frames[0]);
	assert_int_equal(visited[1], frames[2]);
}

static void the_end_frees_frames_and_table(void **state)
{
	uint64_t available = frame_available();

	for (uint64_t i = 0; i < 3; i++)
		assert_true(merged_add(i, frames[i]));
	for (unsigned i = 0; i < 3; i++)
		merged_put(frames[i]);
	merged_end();
	assert_int_equal(frame_available(), available + 3 + 1); /* the table is one frame */
	assert_false(merged_has_room());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(without_a_table_nothing_is_kept, setup_without_table),
		cmocka_unit_test_setup(a_full_table_refuses_a_frame_and_finds_the_others, setup),
		cmocka_unit_test_setup(freeing_can_be_continued, setup),
		cmocka_unit_test(a_record_is_used_again_after_its_frame_is_free),
		cmocka_unit_test_setup(a_leaf_that_is_gone_gives_its_count_back, setup),
		cmocka_unit_test_setup(each_frame_that_is_kept_is_visited_once, setup),
		cmocka_unit_test_setup(the_end_frees_frames_and_table, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
