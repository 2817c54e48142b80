/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/backends/json.h"
#include "hv/monitor/job.h"
#include "hv/monitor/line.h"
#include "hv/qmp/qmp_text.h"
#include "hv/vm/vm.h"

/*
 * A message of a QMP client, and what is answered. All of this belongs to the boot processor; no
 * lock is held.
 */
#define QMP_ID_MAX 256 /* bytes of an id */

struct qmp_command;

struct qmp_call {
	struct qmp_text out;		    /* not sent yet; empty before a step */
	bool is_negotiated;		    /* the client has said qmp_capabilities */
	char id[QMP_ID_MAX + 1];	    /* as JSON; empty: the message has none */
	const struct qmp_command *commands; /* all: the last row has no name */
	const struct qmp_command *command;  /* that is carried out; NULL: none */
	const char *text;		    /* the message; lasts until the answer is complete */
	const struct json *arguments;	    /* an object, or NULL; checked */
	unsigned n_done;		    /* steps, or what a step counts */
	/* Of single commands: */
	const struct vm_config *config;	  /* of the VM that is asked about */
	unsigned first_new;		  /* the index of the first VM that is not listed */
	char line[MONITOR_LINE_SIZE];	  /* for the prompt's commands */
	char said[MONITOR_LINE_SIZE * 2]; /* by a job that says only what goes wrong */
};

/*
 * A row of the table of commands. 'arguments' has a word for each: "name:type", or "name?:type" if
 * it may be left out. 'answer' is the type of what is returned (hv/qmp/qmp_schema.c).
 */
struct qmp_command {
	const char *name, *arguments, *answer;
	/* Make the next piece of the answer. JOB_WAITS: later. */
	enum job_state (*step)(struct qmp_call *call);
};

/* One word of 'arguments', or of a list in the same form. */
struct qmp_member {
	const char *name, *type;
	int name_len, type_len;
	bool is_optional;
};
/* Take the first word off '*spec'; false: there is none. */
bool qmp_next_member(const char **spec, struct qmp_member *ret);

/*
 * Check the arguments against the command's row. False: they do not fit, which is answered in
 * QEMU's words.
 */
bool qmp_check_arguments(struct qmp_call *call, const struct qmp_command *command);

/* The value of an argument that was checked; NULL: it was left out. */
const struct json *qmp_argument(const struct qmp_call *call, const char *name);
/* Of a string; NULL: it was left out. */
const char *qmp_string(const struct qmp_call *call, const char *name);

/* Begin the answer: what is returned follows, then qmp_end_return(). */
void qmp_begin_return(struct qmp_call *call);
void qmp_end_return(struct qmp_call *call);
/* The whole answer of a command that returns nothing. Returns JOB_IS_DONE. */
enum job_state qmp_done(struct qmp_call *call);
/* The whole answer of one that fails, with a class of QEMU's errors. Returns JOB_IS_DONE. */
enum job_state qmp_fail(struct qmp_call *call, const char *class, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The same for a value that has another type than the one expected, in QEMU's words. */
enum job_state qmp_fail_type(struct qmp_call *call, const char *name, const char *expected);
