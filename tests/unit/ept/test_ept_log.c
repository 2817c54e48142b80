/* SPDX-License-Identifier: BSD-2-Clause */
/* The log of a tree's own entries loses nothing at the borders of its chunks. */
#include "tests/unit/support.h"

#include "hv/ept/log.h"
#include "hv/frame/frame.h"

#define FRAMES	 UINT64_C(0x200000)
#define N_FRAMES 8
#define PER_PAGE 511

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
		ept_log_add(log, i);
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
			assert_int_equal(*ept_log_next(&cursor), expected);
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
		cmocka_unit_test_setup(its_frames_are_freed_in_pieces, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
