/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/monitor/say.h"

#include "hv/host/console.h"
#include "hv/lib/print.h"

#define LINE_MAX 1023

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
	console_write_raw(text, len + 1);
}
