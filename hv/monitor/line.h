/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/status.h"
#include "hv/lib/types.h"
#include "hv/monitor/escape.h"

/* The operator's line: edited byte by byte, then split into words. */
#define MONITOR_LINE_SIZE 256
#define MONITOR_ECHO_SIZE (4 * MONITOR_LINE_SIZE)
#define MONITOR_WORDS_MAX 8

/* Zeroed at the start, and cleared after each command. */
struct monitor_line {
	char text[MONITOR_LINE_SIZE]; /* NUL-terminated */
	unsigned len;
	unsigned cursor; /* bytes of the text before it */
	bool ends; /* the last byte was a return: a newline after it belongs to the same key */
	struct escape escape;
};

/* What the caller does next. */
enum line_event {
	LINE_CHANGED, /* nothing */
	LINE_ENTERED,
	LINE_OLDER, /* put the line entered before in its place, */
	LINE_NEWER, /* or the one entered after it */
	LINE_COMPLETE,
};

/*
 * Take one typed byte. Printable ASCII is inserted if there is room; the keys of the cursor and
 * Ctrl-A, B, E and F move it; backspace, Delete, Ctrl-D, W, U and K remove characters; return and
 * newline enter the line; Ctrl-P, Ctrl-N, the arrows and Tab are events; other bytes are ignored.
 * 'echo' gets the bytes that show the change on a terminal; returns their number.
 */
size_t monitor_line_type(struct monitor_line *line, uint8_t byte, char echo[MONITOR_ECHO_SIZE],
			 enum line_event *ret_event);
/* Put a text, shorter than MONITOR_LINE_SIZE, in the place of the line. Echo as above. */
size_t monitor_line_set(struct monitor_line *line, const char *text, char echo[MONITOR_ECHO_SIZE]);
/* Insert bytes, as many as there is room for. Echo as above. */
size_t monitor_line_insert(struct monitor_line *line, const char *text, size_t len,
			   char echo[MONITOR_ECHO_SIZE]);
/* The line and its cursor on an empty line of the terminal. Echo as above. */
size_t monitor_line_show(const struct monitor_line *line, char echo[MONITOR_ECHO_SIZE]);
/* Empty the line; 'ends' stays. */
void monitor_line_clear(struct monitor_line *line);

/*
 * Split 'text' at blanks, in place. A word may be in double quotes, where a backslash takes the
 * next character literally. ERR_CORRUPT: no closing quote. ERR_RANGE: more than MONITOR_WORDS_MAX
 * words.
 */
enum status monitor_split(char *text, const char *ret_words[MONITOR_WORDS_MAX], size_t *ret_n);
