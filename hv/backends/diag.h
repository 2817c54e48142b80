/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/types.h"

/* Where in the configuration something was written; both count from 1. */
struct diag_place {
	unsigned line;
	unsigned column;
};

/*
 * Collects every error and warning of a configuration. Each is said at once as
 * "FILE:LINE:COLUMN: message" by diag_say(); 'n_errors' tells whether any VM may start.
 */
struct diag {
	const char *file; /* name of the configuration, for messages */
	unsigned n_errors;
	unsigned n_warnings;
};

void diag_error(struct diag *diag, struct diag_place place, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void diag_warning(struct diag *diag, struct diag_place place, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* A further line that explains the message before it; no prefix, as QEMU's hints. */
void diag_hint(struct diag *diag, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
