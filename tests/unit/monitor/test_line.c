/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/monitor/line.h"

#include <string.h>

#include "tests/unit/support.h"

static struct monitor_line line;
static char shown[4 * MONITOR_ECHO_SIZE];

static enum line_event event;

/* What a terminal shows, and where its cursor is. */
static struct {
	char text[2 * MONITOR_LINE_SIZE];
	size_t cursor;
} terminal;

static void show(const char *echo, size_t len)
{
	assert_in_range(len, 0, MONITOR_ECHO_SIZE);
	for (size_t i = 0; i < len; i++) {
		if (echo[i] == '\b')
			assert_true(terminal.cursor-- > 0);
		else
			terminal.text[terminal.cursor++] = echo[i];
	}
	strncat(shown, echo, len);
}

/* The terminal shows the line; blanks after it are rubbed out characters. */
static void assert_is_shown(void)
{
	size_t len = strlen(terminal.text);

	assert_int_equal(strlen(line.text), line.len);
	assert_int_equal(terminal.cursor, line.cursor);
	assert_in_range(line.cursor, 0, line.len);
	assert_memory_equal(terminal.text, line.text, line.len);
	while (len > line.len)
		assert_int_equal(terminal.text[--len], ' ');
}

/* Type a text; returns how often a line was entered. */
static unsigned type(const char *text)
{
	char echo[MONITOR_ECHO_SIZE];
	unsigned n_entered = 0;

	*shown = '\0';
	for (; *text; text++) {
		show(echo, monitor_line_type(&line, (uint8_t)*text, echo, &event));
		n_entered += event == LINE_ENTERED;
		if (event == LINE_ENTERED)
			memset(&terminal, 0, sizeof(terminal));
	}
	return n_entered;
}

static int begin(void **state)
{
	memset(&line, 0, sizeof(line));
	memset(&terminal, 0, sizeof(terminal));
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
		{"abc\x15q", "q", "abc\b\b\b   \b\b\bq"},
		{"a\x1c\x07\xff\xc3\xa4z", "az", "az"},
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

#define UP    "\x1b[A"
#define DOWN  "\x1b[B"
#define RIGHT "\x1b[C"
#define LEFT  "\x1b[D"

static void the_cursor_is_where_the_next_byte_goes(void **state)
{
	static const struct {
		const char *typed, *line;
	} cases[] = {
		{"ac" LEFT "b", "abc"},
		{"bc" LEFT LEFT LEFT "a", "abc"},
		{"ab" LEFT RIGHT RIGHT "c", "abc"},
		{"bc\x01"
		 "a\x05"
		 "d",
		 "abcd"},
		{"bc\x1b[H"
		 "a\x1b[F"
		 "d",
		 "abcd"},
		{"bc\x1bOH"
		 "a\x1bOF"
		 "d",
		 "abcd"},
		{"bc\x1b[1~"
		 "a\x1b[4~"
		 "d",
		 "abcd"},
		{"ac\x02"
		 "b\x06"
		 "d",
		 "abcd"},
		{"abc" LEFT "\b", "ac"},
		{"abc" LEFT LEFT "\x1b[3~", "ac"},
		{"abc\x01\x04", "bc"},
		{"abc\x04\x1b[3~", "abc"},
		{"abc\x01\b", "abc"},
		{"stop one" LEFT LEFT "\x15", "ne"},
		{"stop one" LEFT LEFT "\x0b", "stop o"},
		{"stop one\x17", "stop "},
		{"stop one  \x17two", "stop two"},
		{"stop one" LEFT "\x17", "stop e"},
		{"\x17\x15\x0b\x01\x05", ""},
		{"a" UP DOWN "\tb", "ab"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		begin(state);
		assert_int_equal(type(cases[i].typed), 0);
		assert_string_equal(line.text, cases[i].line);
		assert_is_shown();
	}
}

static void keys_for_another_line_are_events(void **state)
{
	static const struct {
		const char *typed;
		enum line_event event;
	} cases[] = {
		{UP, LINE_OLDER},    {"\x10", LINE_OLDER}, {"\x1bOA", LINE_OLDER},
		{DOWN, LINE_NEWER},  {"\x0e", LINE_NEWER}, {"\t", LINE_COMPLETE},
		{"x", LINE_CHANGED}, {"\r", LINE_ENTERED},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		(void)type(cases[i].typed);
		assert_int_equal(event, cases[i].event);
	}
}

static void a_line_is_put_in_the_place_of_another(void **state)
{
	char echo[MONITOR_ECHO_SIZE], full[MONITOR_LINE_SIZE];

	(void)type("info vms" LEFT LEFT);
	show(echo, monitor_line_set(&line, "stop", echo));
	assert_string_equal(line.text, "stop");
	assert_is_shown();
	show(echo, monitor_line_set(&line, "info status", echo));
	assert_string_equal(line.text, "info status");
	assert_is_shown();
	memset(full, 'x', sizeof(full) - 1);
	full[sizeof(full) - 1] = '\0';
	(void)type("\x01");
	show(echo, monitor_line_set(&line, full, echo));
	assert_is_shown();
	show(echo, monitor_line_set(&line, "", echo));
	assert_int_equal(line.len, 0);
	assert_is_shown();
}

static void text_is_inserted_as_far_as_there_is_room(void **state)
{
	char echo[MONITOR_ECHO_SIZE];

	(void)type("ad" LEFT);
	show(echo, monitor_line_insert(&line, "bcx", 2, echo));
	assert_string_equal(line.text, "abcd");
	assert_is_shown();
	while (line.len < MONITOR_LINE_SIZE - 2)
		(void)type("x");
	show(echo, monitor_line_insert(&line, "12", 2, echo));
	assert_int_equal(line.len, MONITOR_LINE_SIZE - 1);
	assert_is_shown();
	show(echo, monitor_line_insert(&line, "12", 2, echo));
	assert_is_shown();
}

static void the_line_is_shown_again_with_its_cursor(void **state)
{
	char echo[MONITOR_ECHO_SIZE];

	(void)type("info vms" LEFT LEFT LEFT);
	memset(&terminal, 0, sizeof(terminal));
	show(echo, monitor_line_show(&line, echo));
	assert_is_shown();
	(void)type("my ");
	assert_string_equal(line.text, "info my vms");
	assert_is_shown();
}

/* What is shown is the line, whatever is typed. */
static void any_keys_are_taken(void **state)
{
	static const char keys[] = "ab \b\x01\x02\x04\x05\x06\x0b\x15\x17\x1b[ABCDO~;13";
	uint32_t random = 1;

	for (unsigned i = 0; i < 50000; i++) {
		random = random * 1664525 + 1013904223;
		(void)type((char[]){keys[(random >> 24) % (sizeof(keys) - 1)], '\0'});
		if (random >> 16 & 1)
			(void)type("z");
		assert_is_shown();
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
		cmocka_unit_test_setup(the_cursor_is_where_the_next_byte_goes, begin),
		cmocka_unit_test_setup(keys_for_another_line_are_events, begin),
		cmocka_unit_test_setup(a_line_is_put_in_the_place_of_another, begin),
		cmocka_unit_test_setup(text_is_inserted_as_far_as_there_is_room, begin),
		cmocka_unit_test_setup(the_line_is_shown_again_with_its_cursor, begin),
		cmocka_unit_test_setup(any_keys_are_taken, begin),
		cmocka_unit_test_setup(return_newline_and_both_enter_one_line, begin),
		cmocka_unit_test_setup(a_full_line_takes_no_more, begin),
		cmocka_unit_test(words_stand_between_blanks_or_quotes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
