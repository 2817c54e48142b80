/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/status.h"
#include "hv/lib/types.h"

/* The operator's line: edited byte by byte, then split into words. */
#define MONITOR_LINE_SIZE 256
#define MONITOR_ECHO_SIZE (3 * MONITOR_LINE_SIZE)
#define MONITOR_WORDS_MAX 8

/* Zeroed at the start, and cleared after each command. */
struct monitor_line {
	char text[MONITOR_LINE_SIZE]; /* NUL-terminated */
	size_t len;
	bool ends; /* the last byte was a return: a newline after it belongs to the same key */
};

/*
 * Take one typed byte. Printable ASCII is added if there is room, backspace and Delete remove one
 * character, Ctrl-U removes all, return and newline enter the line ('*ret_entered'), other bytes
 * are ignored. 'echo' gets the bytes that show the change on a terminal; returns their number.
 */
size_t monitor_line_type(struct monitor_line *line, uint8_t byte, char echo[MONITOR_ECHO_SIZE],
			 bool *ret_entered);
/* Empty the line; 'ends' stays. */
void monitor_line_clear(struct monitor_line *line);

/*
 * Split 'text' at blanks, in place. A word may be in double quotes, where a backslash takes the
 * next character literally. ERR_CORRUPT: no closing quote. ERR_RANGE: more than MONITOR_WORDS_MAX
 * words.
 */
enum status monitor_split(char *text, const char *ret_words[MONITOR_WORDS_MAX], size_t *ret_n);
