/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/qmp/qmp_call.h"

/* The greeting of a new client. */
void qmp_greet(struct qmp_call *call);

/*
 * Begin to carry out a message; its text and the memory in 'arena' stay until the answer is
 * complete. What is not a command is answered at once.
 */
void qmp_call_begin(struct qmp_call *call, const char *text, size_t len, struct arena *arena);

/*
 * Make the next piece of the answer, which goes to the empty call->out, while call->command is not
 * NULL. JOB_WAITS: it needs another turn of the processor's loop.
 */
enum job_state qmp_call_step(struct qmp_call *call);
