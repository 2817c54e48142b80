/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages about the configuration. They quote what users and hostile archives wrote, so
 * every message is cleaned before it reaches a terminal.
 */
#include "hv/backends/diag.h"

#include <stdarg.h>

#include "hv/backends/utf8.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"

static void clean(char *text, size_t len)
{
	for (size_t i = 0; i < len;) {
		size_t n = utf8_printable(text + i, len - i);

		if (n == 0)
			text[i++] = '?';
		i += n;
	}
}

/* 'buf' has DIAG_MESSAGE_MAX + 1 bytes. */
static void render(char *buf, const char *fmt, va_list args)
{
	size_t len = format_v(buf, DIAG_MESSAGE_MAX + 1, fmt, args);

	if (len > DIAG_MESSAGE_MAX) {
		len = DIAG_MESSAGE_MAX;
		memset(buf + len - 3, '.', 3);
	}
	clean(buf, len);
}

static void report(const struct diag *diag, struct diag_place place, enum log_level level,
		   const char *kind, const char *message)
{
	if (place.line == 0 || diag->file == NULL)
		log_line(level, "%s%s", kind, message);
	else
		log_line(level, "%s:%u:%u: %s%s", diag->file, place.line, place.column, kind,
			 message);
}

/* 'n' messages of this kind came before. */
static void report_or_mute(struct diag *diag, struct diag_place place, enum log_level level,
			   unsigned n, const char *message)
{
	bool warning = level == LOG_WARNING;

	diag->muted = n >= DIAG_SHOWN_MAX;
	diag->hint_is_warning = warning;
	if (!diag->muted)
		report(diag, place, level, warning ? "warning: " : "", message);
	else if (n == DIAG_SHOWN_MAX)
		report(diag, DIAG_NOWHERE, level, "",
		       warning ? "too many warnings" : "too many errors");
}

void diag_error(struct diag *diag, struct diag_place place, const char *fmt, ...)
{
	char message[DIAG_MESSAGE_MAX + 1];
	va_list args;

	va_start(args, fmt);
	render(message, fmt, args);
	va_end(args);
	report_or_mute(diag, place, LOG_ERROR, diag->n_errors++, message);
}

void diag_warning(struct diag *diag, struct diag_place place, const char *fmt, ...)
{
	char message[DIAG_MESSAGE_MAX + 1];
	va_list args;

	va_start(args, fmt);
	render(message, fmt, args);
	va_end(args);
	report_or_mute(diag, place, LOG_WARNING, diag->n_warnings++, message);
}

void diag_hint(struct diag *diag, const char *fmt, ...)
{
	char message[DIAG_MESSAGE_MAX + 1];
	va_list args;

	if (diag->muted)
		return;
	va_start(args, fmt);
	render(message, fmt, args);
	va_end(args);
	report(diag, DIAG_NOWHERE, diag->hint_is_warning ? LOG_WARNING : LOG_ERROR, "", message);
}
