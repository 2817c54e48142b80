/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/status.h"
#include "hv/lib/types.h"

/* The operator's line: edited byte by byte, then taken apart into words. */
#define MONITOR_LINE_SIZE 256
#define MONITOR_ECHO_SIZE (3 * MONITOR_LINE_SIZE)
#define MONITOR_WORDS_MAX 8

/* Zeroed at first, and when a line that was entered has been dealt with. */
struct monitor_line {
	char text[MONITOR_LINE_SIZE]; /* NUL-terminated */
	size_t len;
	bool ends; /* a return was the last byte: the newline that may follow is part of it */
};

/*
 * Take one typed byte: printable ASCII is added while there is room, backspace and Delete take
 * one away, Ctrl-U all, return or newline enters the line ('*ret_entered'); others are ignored.
 * 'echo' gets what shows the change on a terminal; its length is returned.
 */
size_t monitor_line_type(struct monitor_line *line, uint8_t byte, char echo[MONITOR_ECHO_SIZE],
			 bool *ret_entered);
/* Empty again; 'ends' stays. */
void monitor_line_clear(struct monitor_line *line);

/*
 * Take 'text' apart in place, at blanks. A word may stand in double quotes, inside of which a
 * backslash takes the next character as it is. ERR_CORRUPT: no closing quote. ERR_RANGE:
 * more than MONITOR_WORDS_MAX words.
 */
enum status monitor_split(char *text, const char *ret_words[MONITOR_WORDS_MAX], size_t *ret_n);
