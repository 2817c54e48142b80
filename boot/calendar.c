/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Converts the date of the firmware's clock to seconds since 1970. After its battery died, a
 * clock may show nonsense, which gives an unknown time rather than a wrong one.
 * Leap seconds are not counted.
 */
#include "boot/calendar.h"

#include <stdbool.h>

static bool is_leap(unsigned year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static unsigned days_in_month(unsigned year, unsigned month)
{
	static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

static bool is_valid(const struct calendar_time *time)
{
	int zone = time->minutes_behind_utc;

	if (time->year < 1970 || time->year > 9999 || time->month < 1 || time->month > 12)
		return false;
	if (time->day < 1 || time->day > days_in_month(time->year, time->month))
		return false;
	if (time->hour > 23 || time->minute > 59 || time->second > 59)
		return false;
	return zone == CALENDAR_NO_ZONE || (zone >= -1440 && zone <= 1440);
}

int64_t calendar_to_unix(const struct calendar_time *time)
{
	int64_t years, days, minutes;

	if (!is_valid(time))
		return 0;
	years = time->year - 1;
	days = years * 365 + years / 4 - years / 100 + years / 400 - 719162; /* 1 Jan 1970 */
	for (unsigned month = 1; month < time->month; month++)
		days += days_in_month(time->year, month);
	days += time->day - 1;
	minutes = (days * 24 + time->hour) * 60 + time->minute;
	if (time->minutes_behind_utc != CALENDAR_NO_ZONE)
		minutes += time->minutes_behind_utc;
	return minutes < 0 ? 0 : minutes * 60 + time->second;
}
