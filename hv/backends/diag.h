/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

#define DIAG_MESSAGE_MAX 700

/*
 * Where in the configuration something was written. Both count from 1, columns
 * in bytes (a tab is one). Line 0 is nowhere: the message stands alone.
 */
struct diag_place {
	unsigned line;
	unsigned column;
};

#define DIAG_NOWHERE ((struct diag_place){0, 0})

/*
 * Collects every error and warning of a configuration. Each is said at once as
 * "FILE:LINE:COLUMN: message" on the console; 'n_errors' tells whether any VM
 * may start. Bytes of a message that a terminal might act upon (control characters,
 * anything but UTF-8) are shown as '?'; a message longer than DIAG_MESSAGE_MAX bytes ends in "...".
 */
struct diag {
	const char *file; /* name of the configuration; NULL: messages stand alone */
	unsigned n_errors;
	unsigned n_warnings;
	bool muted;	      /* the last message was not shown: neither is its hint */
	bool hint_is_warning; /* the last message was a warning */
};

/* Of each kind that many are shown; all are counted. */
#define DIAG_SHOWN_MAX 100

void diag_error(struct diag *diag, struct diag_place place, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The text gets QEMU's "warning: " in front. */
void diag_warning(struct diag *diag, struct diag_place place, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* A further line that explains the message before it; no prefix, as QEMU's hints. */
void diag_hint(struct diag *diag, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
