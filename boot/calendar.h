/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdint.h>

/* The result of the firmware's GetTime(). UEFI specification, "GetTime()". */
struct calendar_time {
	uint16_t year;
	uint8_t month, day; /* from 1 */
	uint8_t hour, minute, second;
	int16_t minutes_behind_utc; /* CALENDAR_NO_ZONE: taken as UTC */
};

#define CALENDAR_NO_ZONE 0x7ff

/* Seconds since 1970 UTC; 0 for an invalid date, or one before 1970. */
int64_t calendar_to_unix(const struct calendar_time *time);
