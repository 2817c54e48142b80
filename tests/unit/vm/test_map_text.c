/* SPDX-License-Identifier: BSD-2-Clause */
/* How a job ended, as a line of JSON. */
#include "hv/vm/map_text.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/support.h"

static void a_status_of_wait_is_decoded(void **state)
{
	static const struct {
		uint16_t wait_status;
		enum map_end end;
		uint8_t status, signal;
	} cases[] = {
		{0, MAP_EXIT, 0, 0},	    {0x0300, MAP_EXIT, 3, 0},	 {0xff00, MAP_EXIT, 255, 0},
		{0x0009, MAP_SIGNAL, 0, 9}, {0x008b, MAP_SIGNAL, 0, 11}, {0x0080, MAP_EXIT, 0, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct map_result result;

		map_decode_wait(cases[i].wait_status, &result);
		assert_int_equal(result.end, cases[i].end);
		assert_int_equal(result.status, cases[i].status);
		assert_int_equal(result.signal, cases[i].signal);
	}
}

static void only_a_crash_and_memory_have_a_reason(void **state)
{
	static const char *const ends[N_MAP_ENDS] = {
		[MAP_EXIT] = "exit",   [MAP_SIGNAL] = "signal", [MAP_TIMEOUT] = "timeout",
		[MAP_CRASH] = "crash", [MAP_MEMORY] = "memory", [MAP_ENDED] = "ended",
	};
	struct map_kept kept = {.stderr_is_cut = true, .n_files = 2};
	struct map_cost cost = {.ms = 12, .private_kib = 864};

	for (enum map_end end = MAP_EXIT; end < N_MAP_ENDS; end++) {
		struct map_result result = {7, "t-7", end, 0, 0, "why"};
		bool has_reason = end == MAP_CRASH || end == MAP_MEMORY;
		const char *reason = has_reason ? ", \"reason\": \"why\"" : "";
		char text[MAP_STATUS_MAX], want[MAP_STATUS_MAX];
		size_t len = map_text_status(&result, &kept, text);

		snprintf(want, sizeof(want),
			 "{\"job\": 7, \"name\": \"t-7\", \"end\": \"%s\", \"status\": 0, "
			 "\"signal\": 0, \"stdout_cut\": false, \"stderr_cut\": true, \"files\": "
			 "2%s}\n",
			 ends[end], reason);
		assert_int_equal(len, strlen(want));
		assert_memory_equal(text, want, len);
		snprintf(want, sizeof(want),
			 "{\"job\": 7, \"name\": \"t-7\", \"end\": \"%s\", \"status\": 0, "
			 "\"signal\": 0, \"ms\": 12, \"private_kib\": 864%s}",
			 ends[end], reason);
		assert_int_equal(map_text_line(&result, &cost, text), strlen(want));
		assert_string_equal(text, want);
	}
}

/* It is whole in status.json; the console's line is shorter, and still JSON. */
static void a_long_reason_is_cut(void **state)
{
	char reason[160], text[MAP_STATUS_MAX];
	struct map_result result = {UINT32_MAX, "t-4294967295", MAP_CRASH, 0, 0, reason};
	struct map_kept kept = {.n_files = 1000};
	struct map_cost cost = {UINT32_MAX, UINT32_MAX};
	size_t len;

	memset(reason, 1, sizeof(reason) - 1);
	reason[sizeof(reason) - 1] = '\0';
	len = map_text_status(&result, &kept, text);
	assert_true(len > 6 * strlen(reason) && len < MAP_STATUS_MAX);
	assert_memory_equal(text + len - 9, "\\u0001\"}\n", 9);
	len = map_text_line(&result, &cost, text);
	assert_true(len < MAP_TEXT_MAX && len > MAP_TEXT_MAX - 20);
	assert_int_equal(len, strlen(text));
	assert_string_equal(text + len - 8, "\\u0001\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_status_of_wait_is_decoded),
		cmocka_unit_test(only_a_crash_and_memory_have_a_reason),
		cmocka_unit_test(a_long_reason_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
