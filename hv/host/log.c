/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/host/log.h"

#include "hv/host/console.h"
#include "hv/lib/print.h"

enum { LINE_MAX = 1024 };

static enum log_level max_level = LOG_INFO;
static char step[64]; /* the beginning of its line; only the boot processor uses it */

/* Format a whole line; one that is too long for the buffer loses its end. */
static size_t format_line(char line[LINE_MAX], const char *prefix, const char *fmt, va_list args)
{
	size_t len = format(line, LINE_MAX, "%s", prefix);

	len += format_v(line + len, LINE_MAX - len, fmt, args);
	if (len > LINE_MAX - 2)
		len = LINE_MAX - 2;
	line[len++] = '\n';
	return len;
}

static void say(const char *prefix, enum screen_color color, const char *fmt, va_list args)
{
	char line[LINE_MAX];
	size_t len = format_line(line, prefix, fmt, args);

	console_wait_for_room();
	console_write_line(color, line, len);
}

static bool is_logged(enum log_level level)
{
	return level <= __atomic_load_n(&max_level, __ATOMIC_RELAXED);
}

void console_begin_step(const char *name)
{
	size_t len = format(step, sizeof(step), "stencil: %s: ", name);

	if (is_logged(LOG_INFO))
		console_write_part(step, len);
}

void console_end_step(const char *fmt, ...)
{
	char line[LINE_MAX];
	va_list args;
	size_t len;

	va_start(args, fmt);
	len = format_line(line, console_line_is_open() ? "" : step, fmt, args);
	va_end(args);
	if (is_logged(LOG_INFO))
		console_write_part(line, len);
}

void console_print(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say("stencil: ", SCREEN_PLAIN, fmt, args);
	va_end(args);
}

const char *log_prefix(enum log_level level)
{
	static const char *const prefixes[] = {
		[LOG_ERROR] = "stencil: error: ",
		[LOG_WARNING] = "stencil: warning: ",
		[LOG_INFO] = "stencil: ",
		[LOG_DEBUG] = "stencil: ",
	};

	return is_logged(level) ? prefixes[level] : NULL;
}

void log_line(enum log_level level, const char *fmt, ...)
{
	static const enum screen_color colors[] = {
		[LOG_ERROR] = SCREEN_ERROR,
		[LOG_WARNING] = SCREEN_WARNING,
		[LOG_INFO] = SCREEN_PLAIN,
		[LOG_DEBUG] = SCREEN_PLAIN,
	};
	const char *prefix = log_prefix(level);
	va_list args;

	if (prefix == NULL)
		return;
	va_start(args, fmt);
	say(prefix, colors[level], fmt, args);
	va_end(args);
}

void log_set_level(enum log_level level)
{
	__atomic_store_n(&max_level, level, __ATOMIC_RELAXED);
}
