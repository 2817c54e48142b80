/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * Text on its way to a QMP client, piece by piece: a step makes a piece, which the session sends
 * before the next step. What does not fit is our error.
 */
#define QMP_TEXT_MAX 8192

struct qmp_text {
	char text[QMP_TEXT_MAX + 1];
	size_t len;
};

void qmp_put(struct qmp_text *to, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A string of JSON, with its quotes; cut if it does not fit, and something after it. */
void qmp_put_string(struct qmp_text *to, const char *text);
