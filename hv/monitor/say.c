/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/monitor/say.h"

#include "hv/host/console.h"
#include "hv/lib/print.h"

#define LINE_MAX 1023

static const struct listener *current; /* NULL: the console */

const struct listener *say_to(const struct listener *listener)
{
	const struct listener *before = current;

	current = listener;
	return before;
}

const struct listener *say_listener(void)
{
	return current;
}

bool say_has_room(void)
{
	return current == NULL || current->has_room();
}

void say_lines(const char *text, size_t len)
{
	if (current)
		current->hear(text, len);
	else
		console_write_raw(text, len);
}

void say(const char *fmt, ...)
{
	char text[LINE_MAX + 1];
	va_list args;
	size_t len;

	va_start(args, fmt);
	len = format_v(text, sizeof(text), fmt, args);
	va_end(args);
	len = len < LINE_MAX ? len : LINE_MAX;
	text[len] = '\n';
	say_lines(text, len + 1);
}
