/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/calendar.h"

#include <time.h>

#include "tests/unit/support.h"

static void every_day_is_where_libc_has_it(void **state)
{
	for (int64_t unix_time = 86399; unix_time < INT64_C(253402300800); unix_time += 86400) {
		time_t seconds = unix_time;
		struct tm tm;
		struct calendar_time time;

		gmtime_r(&seconds, &tm);
		time = (struct calendar_time){
			.year = (uint16_t)(tm.tm_year + 1900),
			.month = (uint8_t)(tm.tm_mon + 1),
			.day = (uint8_t)tm.tm_mday,
			.hour = (uint8_t)tm.tm_hour,
			.minute = (uint8_t)tm.tm_min,
			.second = (uint8_t)tm.tm_sec,
			.minutes_behind_utc = CALENDAR_NO_ZONE,
		};
		assert_int_equal(calendar_to_unix(&time), unix_time);
	}
}

static void zones_shift_the_time(void **state)
{
	struct calendar_time time = {
		.year = 2024, .month = 3, .day = 1, .hour = 0, .minute = 30, .second = 5};

	assert_int_equal(calendar_to_unix(&time), 1709253005);
	time.minutes_behind_utc = -60; /* Central Europe */
	assert_int_equal(calendar_to_unix(&time), 1709253005 - 3600);
	time.minutes_behind_utc = 480; /* Pacific */
	assert_int_equal(calendar_to_unix(&time), 1709253005 + 480 * 60);
	time.minutes_behind_utc = CALENDAR_NO_ZONE;
	assert_int_equal(calendar_to_unix(&time), 1709253005);
}

static void nonsense_is_an_unknown_time(void **state)
{
	const struct calendar_time good = {.year = 2023, .month = 2, .day = 28};
	const struct calendar_time bad[] = {
		{.year = 0, .month = 2, .day = 28},
		{.year = 1969, .month = 12, .day = 31},
		{.year = 10000, .month = 1, .day = 1},
		{.year = 2023, .month = 0, .day = 1},
		{.year = 2023, .month = 13, .day = 1},
		{.year = 2023, .month = 255, .day = 1},
		{.year = 2023, .month = 1, .day = 0},
		{.year = 2023, .month = 2, .day = 29},
		{.year = 2100, .month = 2, .day = 29},
		{.year = 2023, .month = 4, .day = 31},
		{.year = 2023, .month = 1, .day = 1, .hour = 24},
		{.year = 2023, .month = 1, .day = 1, .minute = 60},
		{.year = 2023, .month = 1, .day = 1, .second = 60},
		{.year = 2023, .month = 1, .day = 1, .minutes_behind_utc = 1441},
		{.year = 2023, .month = 1, .day = 1, .minutes_behind_utc = -1441},
		/* still the year before 1970 in UTC */
		{.year = 1970, .month = 1, .day = 1, .minutes_behind_utc = -60},
	};

	assert_int_equal(calendar_to_unix(&good), 1677542400);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(calendar_to_unix(&bad[i]), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_day_is_where_libc_has_it),
		cmocka_unit_test(zones_shift_the_time),
		cmocka_unit_test(nonsense_is_an_unknown_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
