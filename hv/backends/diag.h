/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

#define DIAG_MESSAGE_MAX 700

/*
 * A place in the configuration. Lines and columns count from 1; columns count bytes, a tab is one.
 * Line 0: no place, the message is printed alone.
 */
struct diag_place {
	unsigned line;
	unsigned column;
};

#define DIAG_NOWHERE ((struct diag_place){0, 0})

/*
 * Counts the errors and warnings of a configuration. Each is logged immediately as
 * "FILE:LINE:COLUMN: message"; no VM may start if 'n_errors' is not 0. Bytes that a terminal might
 * act on (control characters, everything that is not UTF-8) are shown as '?'; a message longer than
 * DIAG_MESSAGE_MAX bytes ends in "...". The line of the place, or as much as fits, and a mark below
 * the column follow.
 */
struct diag {
	const char *file; /* the configuration; NULL: messages are printed without a place */
	const char *text; /* its contents, to show the line of a message; NULL: it is not shown */
	size_t len;	  /* of the text */
	unsigned n_errors;
	unsigned n_warnings;
	/*
	 * DIAG_MESSAGE_MAX + 1 bytes for the last error, which is then not logged, nor its hints,
	 * and no warning may come; NULL: all are logged.
	 */
	char *kept;
	bool muted;	      /* the last message was not shown; its hint is not shown either */
	bool hint_is_warning; /* the last message was a warning */
};

/* At most this many errors and this many warnings are shown; all are counted. */
#define DIAG_SHOWN_MAX 100

void diag_error(struct diag *diag, struct diag_place place, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The text is printed after "warning: ", as by QEMU. */
void diag_warning(struct diag *diag, struct diag_place place, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* A line that explains the last message. It has no prefix, as QEMU's hints. */
void diag_hint(struct diag *diag, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* What else helps with the last message: a near name, possible values. It has no words of QEMU. */
void diag_advice(struct diag *diag, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
