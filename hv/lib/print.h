/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdarg.h>

#include "hv/lib/types.h"

/*
 * Format like vsnprintf(): write at most 'size' bytes including the NUL, and
 * return the length of the whole text. Conversions: %d %i %u %x %X %c %s %p %%,
 * with the modifiers l, ll, z, h and hh, the flags '-', '0', '+', ' ' and '#',
 * width and precision (both also as '*'). Anything else is printed unchanged.
 */
size_t format_v(char *buf, size_t size, const char *fmt, va_list list)
	__attribute__((format(printf, 3, 0)));
size_t format(char *buf, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

/*
 * Print one line on the console; the newline is added. Lines above the current
 * level are dropped. May be called on any processor, in any context; in a panic
 * after the other processors have been stopped. Defined in hv/host/console.c, and in
 * tests/unit/support.c for hosted tests.
 */
void log_line(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_set_level(enum log_level level);
/* What log_line() writes before a line of this level; NULL: such lines are dropped. */
const char *log_prefix(enum log_level level);

#define log_error(...)	 log_line(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, __VA_ARGS__)
#define log_info(...)	 log_line(LOG_INFO, __VA_ARGS__)
/* The arguments are evaluated only if the line is shown. */
#define log_debug(...) \
	do { \
		if (log_prefix(LOG_DEBUG) != NULL) \
			log_line(LOG_DEBUG, __VA_ARGS__); \
	} while (0)
