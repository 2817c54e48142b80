/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/* The lines that the operator entered last, as many as there is room for. Zeroed: none. */
#define LINE_HISTORY_SIZE 2048

struct line_history {
	char text[LINE_HISTORY_SIZE]; /* lines with their NUL, the oldest first */
	size_t len;		      /* bytes of it that are used */
	size_t at;		      /* where the line that is shown begins; len: none is shown */
};

/*
 * Add a line, which is shorter than LINE_HISTORY_SIZE, unless it is empty or the newest one again;
 * the oldest lines make room. No line is shown then.
 */
void line_history_add(struct line_history *history, const char *line);
/* Show the line before the one that is shown. NULL: there is none; valid until line_history_add().
 */
const char *line_history_older(struct line_history *history);
/* Show the line after the one that is shown. "": that was the newest; NULL: none is shown. */
const char *line_history_newer(struct line_history *history);
