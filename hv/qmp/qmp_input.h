/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * The bytes of a QMP client, cut into messages. A message ends where its brackets balance, after a
 * byte that JSON does not have there, and, outside brackets, with its line.
 */
#define QMP_INPUT_MAX 4096 /* bytes of a message */

enum qmp_input_state {
	QMP_INPUT_PART,
	QMP_INPUT_WHOLE,    /* 'text' is a message, well-formed or not */
	QMP_INPUT_TOO_LONG, /* a message has more than QMP_INPUT_MAX bytes */
	QMP_INPUT_SYNC,	    /* the client has sent 0xff, and begins again */
};

/* Zeroed at first, and by qmp_input_clear(). */
struct qmp_input {
	char text[QMP_INPUT_MAX + 1]; /* NUL-terminated */
	size_t len;
	unsigned depth; /* of open brackets */
	char quote;	/* that a string waits for; NUL: outside strings */
	bool is_escaped;
};

/* Add a byte. After any state other than PART the caller clears the input. */
enum qmp_input_state qmp_input_add(struct qmp_input *input, uint8_t byte);
void qmp_input_clear(struct qmp_input *input);
