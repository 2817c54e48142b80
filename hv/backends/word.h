/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/backends/diag.h"
#include "hv/lib/arena.h"
#include "hv/lib/status.h"
#include "hv/lib/types.h"

/* A position in the source of a configuration. */
struct word_cursor {
	const char *text;
	size_t len;
	size_t at;	   /* next byte */
	size_t line_start; /* where the line of 'at' begins */
	unsigned line;	   /* from 1 */
};

/* One word of a logical line, without its quotes. */
struct word {
	struct word *next;
	const char *text; /* NUL-terminated, no NUL inside */
	size_t len;
	struct word_cursor start; /* of its source, quotes included */
};

/* The start of 'text', after a byte order mark if there is one. */
struct word_cursor word_cursor(const char *text, size_t len);
struct diag_place word_cursor_place(const struct word_cursor *cursor);

/*
 * Read the logical line at 'cursor' into its words; the list is empty for a blank line or a
 * comment. Quoting is the POSIX shell's: '...', "...", and the backslash. '#' at the start of a
 * word begins a comment, and a backslash at the end of a line joins the next one. A quote must end
 * on its logical line.
 * ERR_INVAL: reported; 'cursor' is past the line, 'ret' is not written.
 * ERR_NOMEM: the arena is full, not reported.
 */
enum status word_read_line(struct word_cursor *cursor, struct arena *arena, struct diag *diag,
			   struct word **ret);

/* Where byte 'index' of the word's text was written; the word's end for index == len. */
struct diag_place word_place(const struct word *word, size_t index);
