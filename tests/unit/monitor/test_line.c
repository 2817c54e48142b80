/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/monitor/line.h"

#include <string.h>

#include "tests/unit/support.h"

static struct monitor_line line;
static char shown[4 * MONITOR_ECHO_SIZE];

/* Type a text; returns how often a line was entered. */
static unsigned type(const char *text)
{
	char echo[MONITOR_ECHO_SIZE];
	unsigned n_entered = 0;

	*shown = '\0';
	for (; *text; text++) {
		bool entered;
		size_t len = monitor_line_type(&line, (uint8_t)*text, echo, &entered);

		assert_in_range(len, 0, sizeof(echo));
		strncat(shown, echo, len);
		n_entered += entered;
	}
	return n_entered;
}

static int begin(void **state)
{
	memset(&line, 0, sizeof(line));
	return 0;
}

static void what_is_typed_is_shown_and_edited(void **state)
{
	static const struct {
		const char *typed, *line, *shown;
	} cases[] = {
		{"info", "info", "info"},
		{"ab\bc", "ac", "ab\b \bc"},
		{"ab\x7f\x7f\x7f!", "!", "ab\b \b\b \b!"},
		{"abc\x15q", "q", "abc\b \b\b \b\b \bq"},
		{"a\x01\x1b\t\xff\xc3\xa4z", "az", "az"},
		{"\b\x15", "", ""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		begin(state);
		assert_int_equal(type(cases[i].typed), 0);
		assert_string_equal(line.text, cases[i].line);
		assert_int_equal(line.len, strlen(cases[i].line));
		assert_string_equal(shown, cases[i].shown);
	}
}

static void return_newline_and_both_enter_one_line(void **state)
{
	assert_int_equal(type("stop\r"), 1);
	assert_string_equal(line.text, "stop");
	monitor_line_clear(&line);
	assert_int_equal(type("\n"), 0); /* belongs to the same key */
	assert_int_equal(type("cont\n"), 1);
	assert_string_equal(line.text, "cont");
	monitor_line_clear(&line);
	assert_int_equal(type("\n"), 1);
	assert_int_equal(type("\r\r"), 2);
	assert_int_equal(type("\nx\n"), 1);
}

static void a_full_line_takes_no_more(void **state)
{
	for (unsigned i = 0; i < 2 * MONITOR_LINE_SIZE; i++)
		(void)type("x");
	assert_int_equal(line.len, MONITOR_LINE_SIZE - 1);
	assert_int_equal(strlen(line.text), MONITOR_LINE_SIZE - 1);
	(void)type("\x15");
	assert_int_equal(strlen(shown), 3 * (MONITOR_LINE_SIZE - 1));
	assert_int_equal(line.len, 0);
}

static void words_stand_between_blanks_or_quotes(void **state)
{
	static const struct {
		const char *text;
		enum status status;
		size_t n;
		const char *words[MONITOR_WORDS_MAX];
	} cases[] = {
		{"", OK, 0, {NULL}},
		{"   ", OK, 0, {NULL}},
		{"stop", OK, 1, {"stop"}},
		{"  info   mtree -f ", OK, 3, {"info", "mtree", "-f"}},
		{"send \"/a b\"", OK, 2, {"send", "/a b"}},
		{"send \"\\\"\\\\\" x", OK, 3, {"send", "\"\\", "x"}},
		{"send \"\"", OK, 2, {"send", ""}},
		{"a\\b", OK, 1, {"a\\b"}},
		{"1 2 3 4 5 6 7 8", OK, 8, {"1", "2", "3", "4", "5", "6", "7", "8"}},
		{"1 2 3 4 5 6 7 8 9", ERR_RANGE, 0, {NULL}},
		{"send \"/a", ERR_CORRUPT, 0, {NULL}},
		{"send \"\\\"", ERR_CORRUPT, 0, {NULL}},
		{"\"\\", ERR_CORRUPT, 0, {NULL}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *words[MONITOR_WORDS_MAX];
		char text[64];
		size_t n = 99;

		strcpy(text, cases[i].text);
		assert_int_equal(monitor_split(text, words, &n), cases[i].status);
		assert_int_equal(n, cases[i].status == OK ? cases[i].n : 99);
		for (size_t w = 0; w < cases[i].n; w++)
			assert_string_equal(words[w], cases[i].words[w]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_is_typed_is_shown_and_edited, begin),
		cmocka_unit_test_setup(return_newline_and_both_enter_one_line, begin),
		cmocka_unit_test_setup(a_full_line_takes_no_more, begin),
		cmocka_unit_test(words_stand_between_blanks_or_quotes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
