/* SPDX-License-Identifier: BSD-2-Clause */
/* The log of a tree's own entries loses nothing at the borders of its chunks. */
#include "tests/unit/support.h"

#include "hv/ept/log.h"
#include "hv/frame/frame.h"

#define FRAMES	 UINT64_C(0x200000)
#define N_FRAMES 8
#define PER_PAGE EPT_LOG_CHUNK_ITEMS

static int setup(void **state)
{
	(void)state;
	frame_reset();
	phys_arena(FRAMES, MIB(2));
	frame_add_range(FRAMES, N_FRAMES * PAGE_SIZE);
	return 0;
}

static void add(struct ept_log *log, uint64_t n)
{
	for (uint64_t i = 1; i <= n; i++) {
		if (!ept_log_has_room(log))
			ept_log_grow(log, frame_alloc());
		ept_log_add(log, (struct ept_log_item){.slot = i});
	}
}

static void items_come_back_the_last_one_first(void **state)
{
	static const uint64_t counts[] = {0,
					  1,
					  EPT_LOG_FIRST,
					  EPT_LOG_FIRST + 1,
					  EPT_LOG_FIRST + PER_PAGE,
					  EPT_LOG_FIRST + PER_PAGE + 1,
					  EPT_LOG_FIRST + 3 * PER_PAGE};

	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		struct ept_log log = {0};
		struct ept_log_cursor cursor;

		add(&log, counts[i]);
		cursor = ept_log_begin(&log);
		for (uint64_t expected = counts[i]; expected > 0; expected--)
			assert_int_equal(ept_log_next(&cursor)->slot, expected);
		assert_null(ept_log_next(&cursor));
		assert_int_equal(frame_available(), N_FRAMES - log.n_chunks);
		ept_log_free(&log);
		assert_int_equal(frame_available(), N_FRAMES);
	}
}

static void the_first_ones_take_no_frame(void **state)
{
	struct ept_log log = {0};

	add(&log, EPT_LOG_FIRST);
	assert_int_equal(frame_available(), N_FRAMES);
	assert_false(ept_log_has_room(&log));
}

/* Whichever items are left, in whichever order: no other, and no frame too many. */
static void empty_items_go_with_their_frames(void **state)
{
	enum { N = EPT_LOG_FIRST + 3 * PER_PAGE + 5 };

	for (unsigned step = 1; step < 1200; step = step * 2 + 1) {
		struct ept_log log = {0};
		struct ept_log_cursor cursor;
		uint64_t sum = 0, n = 0, left = 0;
		struct ept_log_item *item;

		add(&log, N);
		cursor = ept_log_begin(&log);
		for (item = ept_log_next(&cursor); item; item = ept_log_next(&cursor)) {
			if (item->slot % step == 0 && step > 1) {
				sum += item->slot;
				left++;
			} else {
				item->slot = 0;
			}
		}
		n = log.n_chunks;
		n -= ept_log_drop_empty(&log);
		assert_int_equal(log.n_chunks, n);
		assert_int_equal(log.n_chunks,
				 left <= EPT_LOG_FIRST
					 ? 0
					 : (left - EPT_LOG_FIRST + PER_PAGE - 1) / PER_PAGE);
		assert_int_equal(frame_available(), N_FRAMES - log.n_chunks);
		add(&log, 1);
		cursor = ept_log_begin(&log);
		assert_int_equal(ept_log_next(&cursor)->slot, 1);
		for (item = ept_log_next(&cursor); item; item = ept_log_next(&cursor)) {
			assert_int_not_equal(item->slot, 0);
			sum -= item->slot;
			left--;
		}
		assert_true(sum == 0 && left == 0);
		ept_log_free(&log);
	}
}

/* A table's item before those in the table: the tree frees by this order. */
static void items_that_stay_keep_their_order(void **state)
{
	enum { N = EPT_LOG_FIRST + 3 * PER_PAGE + 5 };
	struct ept_log log = {0};
	struct ept_log_cursor cursor;
	uint64_t before = UINT64_MAX;
	struct ept_log_item *item;

	add(&log, N);
	cursor = ept_log_begin(&log);
	for (item = ept_log_next(&cursor); item; item = ept_log_next(&cursor))
		if (item->slot % 3 == 0 || (item->slot > 600 && item->slot < 1300))
			item->slot = 0;
	(void)ept_log_drop_empty(&log);
	cursor = ept_log_begin(&log);
	for (item = ept_log_next(&cursor); item; item = ept_log_next(&cursor)) {
		assert_true(item->slot < before);
		before = item->slot;
	}
	assert_int_equal(before, 1);
	ept_log_free(&log);
	assert_int_equal(frame_available(), N_FRAMES);
}

/* Some at a time; a log without frames has none to free. */
static void its_frames_are_freed_in_pieces(void **state)
{
	struct ept_log log = {0};

	add(&log, EPT_LOG_FIRST + 4 * PER_PAGE + 1);
	assert_int_equal(frame_available(), N_FRAMES - 5);
	assert_true(ept_log_free_some(&log, 2));
	assert_int_equal(frame_available(), N_FRAMES - 3);
	assert_true(ept_log_free_some(&log, 3));
	assert_int_equal(frame_available(), N_FRAMES);
	assert_false(ept_log_free_some(&log, 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(items_come_back_the_last_one_first, setup),
		cmocka_unit_test_setup(the_first_ones_take_no_frame, setup),
		cmocka_unit_test_setup(empty_items_go_with_their_frames, setup),
		cmocka_unit_test_setup(items_that_stay_keep_their_order, setup),
		cmocka_unit_test_setup(its_frames_are_freed_in_pieces, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
