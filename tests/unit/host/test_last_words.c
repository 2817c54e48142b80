/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/host/last_words.h"

#include <string.h>

#include "tests/unit/support.h"

static _Alignas(16) char frame[PAGE_SIZE];

static void leave(const char *text)
{
	memset(frame, 0, sizeof(frame));
	last_words_init(frame);
	last_words_begin();
	last_words_add(text, strlen(text));
	last_words_end();
	log_reset();
}

static void the_next_run_shows_the_text_once(void **state)
{
	leave("stencil: error: panic\nsecond\n");
	last_words_add("later\n", 6);
	last_words_init(frame);
	assert_string_equal(logged, "warning: the last run ended with a panic:\n"
				    "warning: last run: stencil: error: panic\n"
				    "warning: last run: second\n");
	log_reset();
	last_words_init(frame);
	assert_string_equal(logged, "");
}

static void damaged_text_is_refused(void **state)
{
	for (size_t at = 0; at < 16 + 5; at++)
		for (unsigned bit = 0; bit < 8; bit++) {
			leave("panic");
			frame[at] ^= (char)(1 << bit);
			last_words_init(frame);
			assert_string_equal(logged, "");
		}
	memset(frame, 0xff, sizeof(frame));
	last_words_init(frame);
	memset(frame, 0, sizeof(frame));
	last_words_init(frame);
	assert_string_equal(logged, "");
}

static void bytes_that_a_terminal_obeys_are_not_shown(void **state)
{
	leave("a\x1b[2Jb\xff\x7f\n");
	last_words_init(frame);
	assert_non_null(strstr(logged, "last run: a?[2Jb??\n"));
}

static void a_full_frame_keeps_the_first_lines(void **state)
{
	char line[301];

	memset(line, 'x', 300);
	line[300] = '\n';
	memset(frame, 0, sizeof(frame));
	last_words_init(frame);
	last_words_begin();
	for (unsigned i = 0; i < 20; i++)
		last_words_add(line, sizeof(line));
	last_words_end();
	log_reset();
	last_words_init(frame);
	/* 13 of these fit; each is shown with 199 characters. */
	assert_int_equal(strlen(logged), strlen("warning: the last run ended with a panic:\n") +
						 13 * (strlen("warning: last run: ") + 199 + 1));
}

static void without_a_frame_nothing_is_kept(void **state)
{
	log_reset();
	last_words_init(NULL);
	last_words_begin();
	last_words_add("x\n", 2);
	last_words_end();
	assert_string_equal(logged, "");
}

static void a_panic_in_the_middle_of_a_line_is_shown(void **state)
{
	leave("first\nsec");
	last_words_init(frame);
	assert_string_equal(logged, "warning: the last run ended with a panic:\n"
				    "warning: last run: first\n"
				    "warning: last run: sec\n");
}

static void a_panic_without_a_word_is_not_shown(void **state)
{
	leave("");
	last_words_init(frame);
	assert_string_equal(logged, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_next_run_shows_the_text_once),
		cmocka_unit_test(damaged_text_is_refused),
		cmocka_unit_test(bytes_that_a_terminal_obeys_are_not_shown),
		cmocka_unit_test(a_full_frame_keeps_the_first_lines),
		cmocka_unit_test(without_a_frame_nothing_is_kept),
		cmocka_unit_test(a_panic_in_the_middle_of_a_line_is_shown),
		cmocka_unit_test(a_panic_without_a_word_is_not_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
