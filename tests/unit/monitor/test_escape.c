/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/monitor/escape.h"

#include <string.h>

#include "tests/unit/support.h"

static void sequences_become_control_characters(void **state)
{
	static const struct {
		const char *typed, *taken;
	} cases[] = {
		{"abc", "abc"},
		{"\x1b[A\x1b[B\x1b[C\x1b[D\x1b[H\x1b[F", "\x10\x0e\x06\x02\x01\x05"},
		{"\x1bOA\x1bOB\x1bOC\x1bOD\x1bOH\x1bOF", "\x10\x0e\x06\x02\x01\x05"},
		{"\x1b[1~\x1b[3~\x1b[4~\x1b[7~\x1b[8~", "\x01\x04\x05\x01\x05"},
		{"\x1b[1;5C", "\x06"}, /* with Ctrl */
		{"\x1b[2~\x1b[5~\x1b[11~\x1b[31~\x1b[3;5~\x1b[999999999~\x1b[~x", "x"},
		{"\x1b[Zx\x1bOPx", "xx"},
		{"\x1bxy", "y"},
		{"\x1b\x1b[Ax", "\x10x"},
		{"\x1b[\rx\x1b\rx\x1b[1\x1b[A", "\rx\rx\x10"},
		{"\xc3\x7f", "\xc3\x7f"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct escape escape = {0};
		char taken[16];
		size_t n = 0;

		for (const char *at = cases[i].typed; *at; at++) {
			int byte = escape_take(&escape, (uint8_t)*at);

			if (byte >= 0)
				taken[n++] = (char)byte;
		}
		taken[n] = '\0';
		assert_string_equal(taken, cases[i].taken);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sequences_become_control_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
