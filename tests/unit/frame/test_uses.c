/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/frame/uses.h"

#include <string.h>

#include "tests/unit/support.h"

enum { N_FRAMES = 8 };

static uint8_t use[N_FRAMES];
static struct frame_uses uses = {use, N_FRAMES};

static int set_up(void **state)
{
	memset(use, FRAME_OTHER, sizeof(use));
	return 0;
}

static void a_frame_has_one_use(void **state)
{
	assert_true(frame_claim(&uses, 3 * PAGE_SIZE, FRAME_TREE));
	assert_false(frame_claim(&uses, 3 * PAGE_SIZE, FRAME_TREE));
	assert_false(frame_claim(&uses, 3 * PAGE_SIZE, FRAME_FREE));
	assert_int_equal(frame_use_of(&uses, 3 * PAGE_SIZE), FRAME_TREE);
	assert_int_equal(frame_use_of(&uses, 2 * PAGE_SIZE), FRAME_OTHER);
}

static void above_all_memory_nothing_can_be_used(void **state)
{
	assert_true(frame_claim(&uses, (N_FRAMES - 1) * PAGE_SIZE, FRAME_IMAGE));
	assert_false(frame_claim(&uses, N_FRAMES * PAGE_SIZE, FRAME_IMAGE));
	assert_false(frame_claim(&uses, UINT64_MAX - PAGE_SIZE + 1, FRAME_IMAGE));
	assert_int_equal(frame_use_of(&uses, N_FRAMES * PAGE_SIZE), FRAME_OTHER);
}

static void each_use_has_a_name_of_its_own(void **state)
{
	for (unsigned i = 0; i < N_FRAME_USES; i++)
		for (unsigned k = 0; k < i; k++)
			assert_string_not_equal(frame_use_name((enum frame_use)i),
						frame_use_name((enum frame_use)k));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_frame_has_one_use, set_up),
		cmocka_unit_test_setup(above_all_memory_nothing_can_be_used, set_up),
		cmocka_unit_test(each_use_has_a_name_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
