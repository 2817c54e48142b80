/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lines that a command says become the string that is returned, piece by piece; or, of a
 * command that returns nothing, the error.
 */
#include "hv/qmp/qmp_line.h"

#include "hv/backends/json_escape.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"
#include "hv/monitor/answer.h"
#include "hv/monitor/command.h"
#include "hv/monitor/file_job.h"
#include "hv/monitor/say.h"
#include "hv/qmp/qmp_vm.h"

static struct qmp_call *hearing; /* the call whose job speaks */

static bool has_room(void)
{
	return hearing->out.len == 0;
}

/* A text of characters that all need six bytes is cut. */
static void hear_text(const char *text, size_t len)
{
	struct qmp_text *out = &hearing->out;
	char escaped[JSON_ESCAPED_SIZE];

	for (size_t i = 0; i < len && out->len + 4 + JSON_ESCAPED_SIZE < QMP_TEXT_MAX;) {
		bool is_end = text[i] == '\n';

		i += json_escape(text + i, len - i, escaped);
		qmp_put(out, "%s%s", is_end ? "\\r" : "", escaped);
	}
}

static const struct listener text_listener = {hear_text, has_room};

static enum job_state end_text(struct qmp_call *call)
{
	qmp_put(&call->out, "\"");
	qmp_end_return(call);
	return JOB_IS_DONE;
}

static void run_line(struct qmp_call *call)
{
	const struct listener *before;

	hearing = call;
	qmp_begin_return(call);
	qmp_put(&call->out, "\"");
	before = say_to(&text_listener);
	command_run(call->line);
	(void)say_to(before);
}

enum job_state qmp_human_monitor_command(struct qmp_call *call)
{
	const char *line = qmp_string(call, "command-line");

	if (call->n_done > 0)
		return job_is_for(&text_listener) ? JOB_WAITS : end_text(call);
	if (job_is_running())
		return JOB_WAITS;
	if (strlen(line) >= sizeof(call->line))
		return qmp_fail(call, "GenericError", "the command line is longer than %u bytes",
				(unsigned)sizeof(call->line) - 1);
	format(call->line, sizeof(call->line), "%s", line);
	call->n_done++;
	run_line(call);
	return job_is_for(&text_listener) ? JOB_GOES_ON : end_text(call);
}

/* Keep the first line, without its end. */
static void hear_error(const char *text, size_t len)
{
	const char *prefix = "Error: ", *end = memchr(text, '\n', len);
	size_t skip = strlen(prefix);

	if (hearing->said[0] != '\0' || end == NULL)
		return;
	if ((size_t)(end - text) > skip && memcmp(text, prefix, skip) == 0)
		text += skip;
	format(hearing->said, sizeof(hearing->said), "%.*s", (int)(end - text), text);
}

static const struct listener error_listener = {hear_error, has_room};

/* QEMU has a class for a device or object that is not there, always with these words. */
static const char *error_class(const char *said)
{
	const char *start = "Device '", *end = "' not found";
	size_t len = strlen(said);

	if (strncmp(said, start, strlen(start)) == 0 && len > strlen(end) &&
	    strcmp(said + len - strlen(end), end) == 0)
		return "DeviceNotFound";
	return "GenericError";
}

static enum job_state end_errors(struct qmp_call *call)
{
	if (call->said[0] != '\0')
		return qmp_fail(call, error_class(call->said), "%s", call->said);
	return qmp_done(call);
}

enum job_state qmp_run_job(struct qmp_call *call,
			   bool (*begin)(struct qmp_call *call, struct vm *vm))
{
	const struct listener *before;
	struct vm *vm;
	bool has_begun;

	if (call->n_done > 0)
		return job_is_for(&error_listener) ? JOB_WAITS : end_errors(call);
	if (job_is_running())
		return JOB_WAITS;
	call->n_done++;
	call->said[0] = '\0';
	hearing = call;
	before = say_to(&error_listener);
	vms_acquire();
	vm = qmp_find_vm(call);
	has_begun = vm && begin(call, vm);
	lock_release(&vms_lock);
	(void)say_to(before);
	return has_begun ? JOB_GOES_ON : JOB_IS_DONE;
}

/* Paging would give the file virtual addresses. */
static bool begin_dump(struct qmp_call *call, struct vm *vm)
{
	const char *protocol = qmp_string(call, "protocol"), *file = "file:";
	size_t len = strlen(file);

	if (strncmp(protocol, file, len) != 0 || strlen(protocol + len) >= MONITOR_LINE_SIZE)
		(void)qmp_fail(call, "GenericError", "Invalid parameter 'protocol'");
	else if (qmp_argument(call, "paging")->number != 0)
		(void)qmp_fail(call, "GenericError",
			       "a dump has no paging: 'paging' must be false");
	else
		file_job_dump(vm, protocol + len, false);
	return call->out.len == 0;
}

enum job_state qmp_dump_guest_memory(struct qmp_call *call)
{
	return qmp_run_job(call, begin_dump);
}

static bool begin_clones(struct qmp_call *call, struct vm *vm)
{
	const struct json *count = qmp_argument(call, "count");
	const struct json *paused = qmp_argument(call, "paused");

	if (!answer_is_template(vm))
		(void)qmp_fail(call, "GenericError", "VM %s is not a template", vm_name(vm));
	else if (count != NULL && (count->number == 0 || count->number > UINT32_MAX))
		(void)qmp_fail(call, "GenericError",
			       "Parameter 'count' expects a number from 1 to %u", UINT32_MAX);
	else
		answer_clone(vm, count != NULL ? (uint32_t)count->number : 1,
			     paused != NULL && paused->number != 0);
	return call->out.len == 0;
}

enum job_state qmp_clone(struct qmp_call *call)
{
	return qmp_run_job(call, begin_clones);
}
