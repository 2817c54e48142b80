/* SPDX-License-Identifier: BSD-2-Clause */
/* A line gets all its clones, and never too many at a time, whatever attempts fail. */
#include "hv/vm/clone_line.h"

#include "tests/unit/support.h"

static void a_line_starts_as_many_as_it_says(void **state)
{
	struct clone_config line = {.count = 5, .parallel = 2};
	unsigned n = 0;

	while (clone_line_take(&line)) {
		clone_line_made(&line);
		if (++n % 2 == 0) {
			assert_false(clone_line_take(&line));
			assert_false(clone_line_left(&line));
			assert_false(clone_line_left(&line));
		}
	}
	assert_int_equal(n, 5);
	assert_int_equal(line.n_running, 1);
	assert_true(clone_line_left(&line));
	assert_false(clone_line_waits(&line));
}

static void a_clone_without_memory_is_tried_again(void **state)
{
	struct clone_config line = {.count = 10, .parallel = 3};
	unsigned n_made = 0, n_tries = 0;

	while (n_made < 10) {
		assert_true(n_tries < 1000);
		if (!clone_line_take(&line)) {
			assert_false(clone_line_left(&line));
			continue;
		}
		assert_true(line.n_running <= 3);
		if (n_tries++ % 4 != 3) {
			assert_int_equal(clone_line_refused(&line), n_tries % 4 == 1);
			assert_true(clone_line_waits(&line));
			continue;
		}
		clone_line_made(&line);
		n_made++;
		assert_false(clone_line_waits(&line));
	}
	assert_int_equal(n_tries, 40);
	assert_int_equal(line.n_started, 10);
	assert_false(clone_line_take(&line));
}

/* While one processor tries again, no other one does: the line does not wait. */
static void a_line_that_is_being_tried_does_not_wait(void **state)
{
	struct clone_config line = {.count = 2, .parallel = 2};

	assert_true(clone_line_take(&line));
	clone_line_made(&line);
	assert_true(clone_line_take(&line));
	assert_true(clone_line_refused(&line));
	assert_true(clone_line_waits(&line));
	assert_true(clone_line_take(&line));
	assert_false(clone_line_waits(&line));
	assert_false(clone_line_refused(&line)); /* the operator knows */
	assert_true(clone_line_waits(&line));
	assert_true(clone_line_take(&line));
	clone_line_made(&line);
	assert_false(clone_line_waits(&line));
}

static void a_line_is_added_to_the_list(void **state)
{
	struct clone_config second = {0}, first = {.next = &second}, added = {0};

	clone_lines_set(&first);
	assert_ptr_equal(clone_lines(), &first);
	clone_line_add(&added);
	assert_ptr_equal(clone_lines(), &added);
	assert_ptr_equal(added.next, &first);
	clone_lines_set(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_starts_as_many_as_it_says),
		cmocka_unit_test(a_clone_without_memory_is_tried_again),
		cmocka_unit_test(a_line_that_is_being_tried_does_not_wait),
		cmocka_unit_test(a_line_is_added_to_the_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
