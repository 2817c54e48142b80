/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/monitor/complete.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/support.h"

static struct completion completion;
static char rest[MONITOR_LINE_SIZE + 1];

/* Complete a prefix; returns what is typed. */
static const char *complete(const char *prefix, const char *const *names)
{
	completion_begin(&completion, prefix, strlen(prefix));
	for (; *names; names++)
		completion_offer(&completion, *names);
	rest[completion_rest(&completion, rest)] = '\0';
	return rest;
}

static void what_all_names_have_in_common_is_typed(void **state)
{
	static const char *const names[] = {
		"memdev", "memory-devices", "memory_size_summary", "merge", "x", NULL};

	assert_string_equal(complete("", names), "");
	assert_int_equal(completion.n, 5);
	assert_string_equal(complete("m", names), "e");
	assert_int_equal(completion.n, 4);
	assert_string_equal(complete("mem", names), "");
	assert_string_equal(completion.list, " memdev memory-devices memory_size_summary");
	assert_string_equal(complete("memo", names), "ry");
	assert_string_equal(complete("memory", names), "");
	assert_string_equal(complete("mer", names), "ge ");
	assert_string_equal(complete("merge", names), " ");
	assert_int_equal(completion.n, 1);
	assert_string_equal(complete("merges", names), "");
	assert_string_equal(complete("Mer", names), "");
	assert_int_equal(completion.n, 0);
}

static void one_name_may_begin_with_another(void **state)
{
	static const char *const names[] = {"t-1", "t", "t-10", NULL};

	assert_string_equal(complete("t", names), "");
	assert_string_equal(complete("t-", names), "1");
	assert_string_equal(complete("t-1", names), "");
	assert_int_equal(completion.n, 2);
}

static void a_long_list_is_cut(void **state)
{
	char name[32];

	completion_begin(&completion, "clone", 5);
	for (unsigned i = 0; i < 10000; i++) {
		snprintf(name, sizeof(name), "clone-%u", i % 100 ? i : 1);
		completion_offer(&completion, name);
	}
	assert_int_equal(completion.n, 10000);
	assert_true(strlen(completion.list) < COMPLETION_LIST_MAX);
	assert_string_equal(completion.list + strlen(completion.list) - 4, " ...");
	rest[completion_rest(&completion, rest)] = '\0';
	assert_string_equal(rest, "-");
}

static void a_long_name_is_cut(void **state)
{
	char name[2 * MONITOR_LINE_SIZE];
	const char *names[] = {name, NULL};

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_in_range(strlen(complete("x", names)), 1, MONITOR_LINE_SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_all_names_have_in_common_is_typed),
		cmocka_unit_test(one_name_may_begin_with_another),
		cmocka_unit_test(a_long_list_is_cut),
		cmocka_unit_test(a_long_name_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
