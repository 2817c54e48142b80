/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/monitor/line_history.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/support.h"

static struct line_history history;

static int begin(void **state)
{
	memset(&history, 0, sizeof(history));
	return 0;
}

static void an_empty_history_has_no_line(void **state)
{
	assert_null(line_history_older(&history));
	assert_null(line_history_newer(&history));
	line_history_add(&history, "");
	assert_null(line_history_older(&history));
}

static void lines_come_back_in_both_directions(void **state)
{
	line_history_add(&history, "one");
	line_history_add(&history, "two");
	line_history_add(&history, "three");
	assert_null(line_history_newer(&history));
	assert_string_equal(line_history_older(&history), "three");
	assert_string_equal(line_history_older(&history), "two");
	assert_string_equal(line_history_newer(&history), "three");
	assert_string_equal(line_history_older(&history), "two");
	assert_string_equal(line_history_older(&history), "one");
	assert_null(line_history_older(&history));
	assert_string_equal(line_history_newer(&history), "two");
	assert_string_equal(line_history_newer(&history), "three");
	assert_string_equal(line_history_newer(&history), "");
	assert_null(line_history_newer(&history));
	assert_string_equal(line_history_older(&history), "three");
}

static void a_new_line_is_the_newest(void **state)
{
	line_history_add(&history, "one");
	line_history_add(&history, "two");
	(void)line_history_older(&history);
	(void)line_history_older(&history);
	line_history_add(&history, "one");
	assert_string_equal(line_history_older(&history), "one");
	assert_string_equal(line_history_older(&history), "two");
}

static void a_line_entered_again_is_kept_once(void **state)
{
	line_history_add(&history, "one");
	line_history_add(&history, "two");
	line_history_add(&history, "two");
	line_history_add(&history, "");
	assert_string_equal(line_history_older(&history), "two");
	assert_string_equal(line_history_older(&history), "one");
	assert_null(line_history_older(&history));
}

static void the_oldest_lines_make_room(void **state)
{
	char line[256];
	const char *text;
	unsigned n = 0, expected = 999;

	for (unsigned i = 0; i < 1000; i++) {
		snprintf(line, sizeof(line), "%0*u", (int)(i % 255 + 1), i);
		line_history_add(&history, line);
	}
	while ((text = line_history_older(&history)) != NULL) {
		assert_int_equal(strlen(text), expected % 255 + 1);
		expected--;
		n++;
	}
	assert_in_range(n, 8, 20);
	memset(line, 'x', 255);
	line[255] = '\0';
	line_history_add(&history, line);
	assert_string_equal(line_history_older(&history), line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(an_empty_history_has_no_line, begin),
		cmocka_unit_test_setup(lines_come_back_in_both_directions, begin),
		cmocka_unit_test_setup(a_new_line_is_the_newest, begin),
		cmocka_unit_test_setup(a_line_entered_again_is_kept_once, begin),
		cmocka_unit_test_setup(the_oldest_lines_make_room, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
