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

/* Line 'number' of the configuration; its length, without its end, goes to 'ret_len'. */
static const char *find_line(const struct diag *diag, unsigned number, size_t *ret_len)
{
	static const char mark[] = "\xef\xbb\xbf"; /* columns do not count it */
	size_t at = diag->len >= 3 && memcmp(diag->text, mark, 3) == 0 ? 3 : 0, len = 0;

	for (unsigned line = 1; line < number; line++) {
		while (at < diag->len && diag->text[at] != '\n')
			at++;
		at += at < diag->len;
	}
	while (at + len < diag->len && diag->text[at + len] != '\n')
		len++;
	if (len > 0 && diag->text[at + len - 1] == '\r')
		len--;
	*ret_len = len;
	return diag->text + at;
}

/* Bytes of a character after its first. */
static bool is_continued(char c)
{
	return ((uint8_t)c & 0xc0) == 0x80;
}

/* Columns of a terminal. */
static unsigned count_characters(const char *text, size_t len)
{
	unsigned n = 0;

	for (size_t i = 0; i < len; i++)
		n += !is_continued(text[i]);
	return n;
}

/* Show the line, or the part around the column, and the mark. */
static void show_source(const struct diag *diag, struct diag_place place, enum log_level level)
{
	enum { WINDOW = 88, LEFT = 60 };
	size_t len, column = place.column - 1, start = column > LEFT ? column - LEFT / 2 : 0;
	const char *line = find_line(diag, place.line, &len), *dots = start > 0 ? "..." : "";
	char shown[WINDOW + 1];

	if (column > len)
		return;
	while (start > 0 && start < column && is_continued(line[start]))
		start++;
	len = len - start < WINDOW ? len - start : WINDOW;
	memcpy(shown, line + start, len);
	for (size_t i = 0; i < len; i++)
		shown[i] = shown[i] == '\t' ? ' ' : shown[i];
	clean(shown, len);
	shown[len] = '\0';
	log_line(level, "%5u | %s%s", place.line, dots, shown);
	log_line(level, "      | %*s^",
		 (int)(strlen(dots) + count_characters(line + start, column - start)), "");
}

static void report(const struct diag *diag, struct diag_place place, enum log_level level,
		   const char *kind, const char *message)
{
	if (place.line == 0 || diag->file == NULL)
		log_line(level, "%s%s", kind, message);
	else
		log_line(level, "%s:%u:%u: %s%s", diag->file, place.line, place.column, kind,
			 message);
	if (place.line != 0 && diag->text != NULL)
		show_source(diag, place, level);
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
	char message[DIAG_MESSAGE_MAX + 1], *to = diag->kept ? diag->kept : message;
	va_list args;

	va_start(args, fmt);
	render(to, fmt, args);
	va_end(args);
	if (diag->kept) {
		diag->n_errors++;
		diag->muted = true;
	} else {
		report_or_mute(diag, place, LOG_ERROR, diag->n_errors++, message);
	}
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

/* A line about the last message, if that was shown. */
static void add_line(struct diag *diag, const char *before, const char *fmt, va_list args)
{
	char message[DIAG_MESSAGE_MAX + 1];

	if (diag->muted)
		return;
	render(message, fmt, args);
	report(diag, DIAG_NOWHERE, diag->hint_is_warning ? LOG_WARNING : LOG_ERROR, before,
	       message);
}

void diag_hint(struct diag *diag, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add_line(diag, "", fmt, args);
	va_end(args);
}

void diag_advice(struct diag *diag, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add_line(diag, "      = ", fmt, args);
	va_end(args);
}
