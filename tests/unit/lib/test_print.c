/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/lib/print.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/support.h"

/* Format strings are composed here, so that the compiler cannot check them. */
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wformat-truncation"
#endif

static const char *const widths[] = {"",   "1",	  "8",	  "*",	 ".0", ".",
				     ".3", "7.5", "12.9", "*.*", ".*"};
static const char *const lengths[] = {"", "h", "hh", "l", "ll", "z"};
static const long long numbers[] = {
	0,     1,     -1,      9,	10,	  15,	     16,	127,	-128,	     255,
	32767, 65535, INT_MAX, INT_MIN, UINT_MAX, LLONG_MAX, LLONG_MIN, 123456, -98765432101};

/* Before the value come as many int arguments as the width has stars. */
static void compare_number(const char *fmt, const char *width, long long value)
{
	char got[128], want[128];
	size_t len;
	int stars = (strchr(width, '*') != NULL) + (strstr(width, "*.*") != NULL), want_len;

	for (int n = -9; n <= 9; n += 3) {
		if (stars == 0) {
			len = format(got, sizeof(got), fmt, value);
			want_len = snprintf(want, sizeof(want), fmt, value);
		} else if (stars == 1) {
			len = format(got, sizeof(got), fmt, n, value);
			want_len = snprintf(want, sizeof(want), fmt, n, value);
		} else {
			len = format(got, sizeof(got), fmt, n, n + 4, value);
			want_len = snprintf(want, sizeof(want), fmt, n, n + 4, value);
		}
		assert_int_equal(len, want_len);
		assert_string_equal(got, want);
		if (stars == 0)
			return;
	}
}

static void flags_from_bits(char *ret, unsigned bits)
{
	for (unsigned i = 0; i < 5; i++) {
		if (bits & 1u << i)
			*ret++ = "-0+ #"[i];
	}
	*ret = '\0';
}

static void numbers_print_as_by_the_c_library_with_every_option(void **state)
{
	char fmt[64], flags[8];

	for (const char *conversion = "diuxX"; *conversion; conversion++) {
		for (unsigned bits = 0; bits < 32; bits++) {
			flags_from_bits(flags, bits);
			for (unsigned w = 0; w < ARRAY_SIZE(widths); w++) {
				for (unsigned l = 0; l < ARRAY_SIZE(lengths); l++) {
					snprintf(fmt, sizeof(fmt), "<%%%s%s%s%c>", flags, widths[w],
						 lengths[l], *conversion);
					for (unsigned i = 0; i < ARRAY_SIZE(numbers); i++)
						compare_number(fmt, widths[w], numbers[i]);
				}
			}
		}
	}
}

static void text_and_characters_are_padded_and_cut(void **state)
{
	static const char *const formats[] = {"%s",    "%5s",	  "%-5s|", "%.2s",
					      "%8.3s", "%-8.1s|", "%.0s"};
	static const char *const texts[] = {"", "a", "abc", "abcdefghij"};
	const char *volatile nothing = NULL;
	char got[32], want[32];

	for (unsigned i = 0; i < ARRAY_SIZE(formats); i++) {
		for (unsigned j = 0; j < ARRAY_SIZE(texts); j++) {
			assert_int_equal(format(got, sizeof(got), formats[i], texts[j]),
					 snprintf(want, sizeof(want), formats[i], texts[j]));
			assert_string_equal(got, want);
		}
	}
	format(got, sizeof(got), "%c%3c%-3c|%%", 'x', 'y', 'z');
	assert_string_equal(got, "x  yz  |%");
	/* The precision limits what is read: there is no NUL here. */
	format(got, sizeof(got), "%.3s", (const char[]){'a', 'b', 'c'});
	assert_string_equal(got, "abc");
	format(got, sizeof(got), "%s", nothing);
	assert_string_equal(got, "(null)");
}

static void pointers_print_in_hexadecimal(void **state)
{
	char got[64];

	format(got, sizeof(got), "%p %12p|%-8p|%p", (void *)0x1234abc, (void *)0xff, (void *)1,
	       NULL);
	assert_string_equal(got, "0x1234abc         0xff|0x1     |0x0");
}

static void truncation_keeps_the_buffer_and_tells_the_full_length(void **state)
{
	char buf[16];

	for (size_t size = 0; size <= 12; size++) {
		memset(buf, 'Z', sizeof(buf));
		assert_int_equal(format(buf, size, "%s-%04d", "abcd", 77), 9);
		assert_int_equal(buf[size], 'Z');
		if (size > 0)
			assert_memory_equal(buf, "abcd-0077", size - 1 < 9 ? size - 1 : 9);
		if (size > 0)
			assert_int_equal(buf[size - 1 < 9 ? size - 1 : 9], '\0');
	}
	assert_int_equal(format(NULL, 0, "%d", 12345), 5);
}

static void unknown_conversions_print_as_they_stand(void **state)
{
	static const char *const formats[] = {"%q", "a%", "%5", "%-08.3lk", "%f%", "%"};
	char got[32];

	for (unsigned i = 0; i < ARRAY_SIZE(formats); i++) {
		format(got, sizeof(got), formats[i]);
		assert_string_equal(got, formats[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_print_as_by_the_c_library_with_every_option),
		cmocka_unit_test(text_and_characters_are_padded_and_cut),
		cmocka_unit_test(pointers_print_in_hexadecimal),
		cmocka_unit_test(truncation_keeps_the_buffer_and_tells_the_full_length),
		cmocka_unit_test(unknown_conversions_print_as_they_stand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
