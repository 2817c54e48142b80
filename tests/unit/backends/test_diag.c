/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/backends/diag.h"

#include <stdlib.h>
#include <string.h>

#include "hv/backends/utf8.h"
#include "tests/unit/support.h"

static struct diag diag;

static int setup(void **state)
{
	diag = (struct diag){.file = "s.conf"};
	log_reset();
	return 0;
}

static void messages_carry_their_place_and_are_counted(void **state)
{
	diag_error(&diag, (struct diag_place){12, 34}, "no %s", "such");
	diag_hint(&diag, "try %d", 5);
	diag_warning(&diag, (struct diag_place){1, 2}, "old");
	diag_hint(&diag, "use new");
	diag_error(&diag, DIAG_NOWHERE, "ramdisk: bad");
	assert_string_equal(logged, "error: s.conf:12:34: no such\n"
				    "error: try 5\n"
				    "warning: s.conf:1:2: warning: old\n"
				    "warning: use new\n"
				    "error: ramdisk: bad\n");
	assert_int_equal(diag.n_errors, 2);
	assert_int_equal(diag.n_warnings, 1);
}

static void the_line_is_shown_with_a_mark(void **state)
{
	static const char text[] = "\xef\xbb\xbfone\r\n\ttw\xc3\xb6\x1b three\nlast";

	diag.text = text;
	diag.len = sizeof(text) - 1;
	diag_error(&diag, (struct diag_place){1, 2}, "a");
	diag_advice(&diag, "did you mean %s?", "b");
	diag_warning(&diag, (struct diag_place){2, 8}, "c");
	diag_error(&diag, (struct diag_place){3, 5}, "d");
	assert_string_equal(logged, "error: s.conf:1:2: a\n"
				    "error:     1 | one\n"
				    "error:       |  ^\n"
				    "error:       = did you mean b?\n"
				    "warning: s.conf:2:8: warning: c\n"
				    "warning:     2 |  tw\xc3\xb6? three\n"
				    "warning:       |       ^\n"
				    "error: s.conf:3:5: d\n"
				    "error:     3 | last\n"
				    "error:       |     ^\n");
}

/* Of a long line the part around the column. */
static void long_lines_are_cut(void **state)
{
	char text[300];

	memset(text, 'x', sizeof(text));
	text[199] = 'y';
	diag.text = text;
	diag.len = sizeof(text);
	diag_error(&diag, (struct diag_place){1, 200}, "a");
	assert_string_equal(logged, "error: s.conf:1:200: a\n"
				    "error:     1 | ...xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxyxxxxxxxxxxxx"
				    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n"
				    "error:       |                                  ^\n");
}

static void terminals_get_nothing_to_act_upon(void **state)
{
	diag_error(&diag, DIAG_NOWHERE, "%s", "a\x1b[2J\x7f\n\xc2\x9b\xff\xe2\x82z\xc3\xa9");
	assert_string_equal(logged, "error: a?[2J???????z\xc3\xa9\n");
}

static void long_messages_end_in_dots(void **state)
{
	char text[900];

	memset(text, 'x', sizeof(text));
	text[700] = '\0';
	diag_error(&diag, DIAG_NOWHERE, "%s", text);
	assert_null(strstr(logged, "..."));
	text[700] = 'x';
	text[701] = '\0';
	log_reset();
	diag_error(&diag, DIAG_NOWHERE, "%s", text);
	assert_int_equal(strlen(logged), strlen("error: ") + 700 + 1);
	assert_non_null(strstr(logged, "xx...\n"));
}

static void a_flood_is_cut_but_counted(void **state)
{
	unsigned lines = 0;

	for (int i = 0; i < 2 * DIAG_SHOWN_MAX; i++) {
		diag_error(&diag, (struct diag_place){1, 1}, "e");
		diag_hint(&diag, "h");
	}
	for (const char *p = logged; (p = strchr(p, '\n')) != NULL; p++)
		lines++;
	assert_int_equal(lines, 2 * DIAG_SHOWN_MAX + 1);
	assert_non_null(strstr(logged, "error: too many errors\n"));
	assert_int_equal(diag.n_errors, 2 * DIAG_SHOWN_MAX);
	diag_warning(&diag, DIAG_NOWHERE, "w");
	assert_non_null(strstr(logged, "warning: warning: w\n"));
}

/* Lines that are empty, shorter than the place says, or not there. */
static void a_place_outside_of_the_text_has_no_mark(void **state)
{
	static const struct {
		const char *text;
		struct diag_place place;
		const char *reported;
	} cases[] = {
		{"", {1, 1}, "error: s.conf:1:1: a\nerror:     1 | \nerror:       | ^\n"},
		{"x\n\r\ny", {2, 1}, "error: s.conf:2:1: a\nerror:     2 | \nerror:       | ^\n"},
		{"x\ny", {2, 3}, "error: s.conf:2:3: a\n"},
		{"x\ny", {3, 2}, "error: s.conf:3:2: a\n"},
		{"xy", {5, 2}, "error: s.conf:5:2: a\n"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		/* A copy without spare bytes, so that ASan checks its end. */
		size_t len = strlen(cases[i].text);
		char *copy = malloc(len + 1);

		memcpy(copy + 1, cases[i].text, len);
		diag.text = copy + 1;
		diag.len = len;
		log_reset();
		diag_error(&diag, cases[i].place, "a");
		assert_string_equal(logged, cases[i].reported);
		free(copy);
	}
}

static void no_character_is_cut_in_two(void **state)
{
	char text[301];

	for (size_t i = 0; i < 150; i++)
		memcpy(text + 2 * i, "\xc3\xb6", 3);
	diag.text = text;
	diag.len = 300;
	for (unsigned column = 199; column <= 201; column += 2) {
		log_reset();
		diag_error(&diag, (struct diag_place){1, column}, "a");
		assert_non_null(strstr(logged, "| ...\xc3\xb6\xc3\xb6"));
		assert_null(strchr(logged, '?'));
	}
}

static void a_flood_of_warnings_is_cut_too(void **state)
{
	for (int i = 0; i < DIAG_SHOWN_MAX + 5; i++)
		diag_warning(&diag, (struct diag_place){1, 1}, "w%d", i);
	assert_non_null(strstr(logged, "warning: too many warnings\n"));
	assert_null(strstr(logged, "too many errors"));
	assert_int_equal(diag.n_warnings, DIAG_SHOWN_MAX + 5);
	assert_int_equal(diag.n_errors, 0);
}

static void utf8_is_what_unicode_says(void **state)
{
	static const struct {
		const char *text;
		size_t len, want;
	} rows[] = {
		{"", 0, 0},
		{"a", 1, 1},
		{" ", 1, 1},
		{"~", 1, 1},
		{"\x7f", 1, 0},
		{"\x1f", 1, 0},
		{"\0", 1, 0},
		{"\x80", 1, 0},
		{"\xc1\xbf", 2, 0},
		{"\xc2\x80", 2, 0},
		{"\xc2\x9f", 2, 0},
		{"\xc2\xa0", 2, 2},
		{"\xc3\xa9", 2, 2},
		{"\xc3\xa9", 1, 0},
		{"\xc3z", 2, 0},
		{"\xdf\xbf", 2, 2},
		{"\xe0\x9f\xbf", 3, 0},
		{"\xe0\xa0\x80", 3, 3},
		{"\xed\x9f\xbf", 3, 3},
		{"\xed\xa0\x80", 3, 0},
		{"\xed\xbf\xbf", 3, 0},
		{"\xee\x80\x80", 3, 3},
		{"\xef\xbf\xbf", 3, 3},
		{"\xe2\x82", 2, 0},
		{"\xf0\x8f\xbf\xbf", 4, 0},
		{"\xf0\x90\x80\x80", 4, 4},
		{"\xf4\x8f\xbf\xbf", 4, 4},
		{"\xf4\x90\x80\x80", 4, 0},
		{"\xf5\x80\x80\x80", 4, 0},
		{"\xff", 1, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		/* A copy without spare bytes, so that ASan checks its end. */
		char *copy = malloc(rows[i].len + 1);

		memcpy(copy + 1, rows[i].text, rows[i].len);
		assert_int_equal(utf8_printable(copy + 1, rows[i].len), rows[i].want);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(messages_carry_their_place_and_are_counted, setup),
		cmocka_unit_test_setup(the_line_is_shown_with_a_mark, setup),
		cmocka_unit_test_setup(long_lines_are_cut, setup),
		cmocka_unit_test_setup(terminals_get_nothing_to_act_upon, setup),
		cmocka_unit_test_setup(long_messages_end_in_dots, setup),
		cmocka_unit_test_setup(a_flood_is_cut_but_counted, setup),
		cmocka_unit_test_setup(a_place_outside_of_the_text_has_no_mark, setup),
		cmocka_unit_test_setup(no_character_is_cut_in_two, setup),
		cmocka_unit_test_setup(a_flood_of_warnings_is_cut_too, setup),
		cmocka_unit_test(utf8_is_what_unicode_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
