/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands of QMP, a row each, and what QEMU says to a message that is none. */
#include "hv/qmp/qmp_command.h"

#include "hv/backends/word.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"
#include "hv/lib/version.h"
#include "hv/monitor/command.h"
#include "hv/qmp/qmp_hotplug.h"
#include "hv/qmp/qmp_line.h"
#include "hv/qmp/qmp_metrics.h"
#include "hv/qmp/qmp_qom.h"
#include "hv/qmp/qmp_schema.h"
#include "hv/qmp/qmp_vm.h"

/* The QEMU whose commands these are; the package says what runs here. */
static void put_version(struct qmp_call *call)
{
	qmp_put(&call->out,
		"{\"qemu\": {\"micro\": 2, \"minor\": 2, \"major\": 10}, \"package\": "
		"\"Stencil %s\"}",
		stencil_version);
}

void qmp_greet(struct qmp_call *call)
{
	qmp_put(&call->out, "{\"QMP\": {\"version\": ");
	put_version(call);
	qmp_put(&call->out, ", \"capabilities\": []}}\r\n");
}

/* There are no capabilities that a client could enable. */
static enum job_state qmp_capabilities(struct qmp_call *call)
{
	const struct json *enable = qmp_argument(call, "enable");

	if (call->is_negotiated)
		return qmp_fail(call, "CommandNotFound",
				"Capabilities negotiation is already complete, command ignored");
	if (enable != NULL && enable->first != NULL)
		return qmp_fail(call, "GenericError", "Capability %s not available",
				enable->first->type == JSON_STRING ? enable->first->text : "?");
	call->is_negotiated = true;
	return qmp_done(call);
}

static enum job_state query_version(struct qmp_call *call)
{
	qmp_begin_return(call);
	put_version(call);
	qmp_end_return(call);
	return JOB_IS_DONE;
}

static enum job_state quit(struct qmp_call *call)
{
	command_quit();
	return qmp_done(call);
}

static const struct qmp_command qmp_commands[] = {
	{"__org.stencil_clone", "vm?:str count?:int paused?:bool", "Empty", qmp_clone},
	{"__org.stencil_destroy", "vm?:str", "Empty", qmp_destroy},
	{"__org.stencil_freeze", "vm?:str", "Empty", qmp_freeze},
	{"__org.stencil_query-metrics", "clones?:bool", "__org.stencil_Metrics", qmp_query_metrics},
	{"__org.stencil_query-vms", "", "[__org.stencil_VM]", qmp_query_vms},
	{"__org.stencil_revert", "vm?:str", "Empty", qmp_revert},
	{"balloon", "value:int vm?:str", "Empty", qmp_balloon},
	{"cont", "vm?:str", "Empty", qmp_cont},
	{"device_add", "driver:str addr?:int id?:str memdev:str node?:int slot?:int vm?:str",
	 "Empty", qmp_device_add},
	{"device_del", "id:str vm?:str", "Empty", qmp_device_del},
	{"dump-guest-memory", "paging:bool protocol:str vm?:str", "Empty", qmp_dump_guest_memory},
	{"human-monitor-command", "command-line:str", "str", qmp_human_monitor_command},
	{"object-add",
	 "qom-type:str id:str align?:int discard-data?:bool dump?:bool host-nodes?:[int] "
	 "mem-path?:str merge?:bool offset?:int policy?:HostMemPolicy prealloc?:bool "
	 "prealloc-context?:str prealloc-threads?:int readonly?:bool reserve?:bool rom?:str "
	 "share?:bool size:int x-use-canonical-path-for-ramblock-id?:bool vm?:str",
	 "Empty", qmp_object_add},
	{"object-del", "id:str vm?:str", "Empty", qmp_object_del},
	{"qmp_capabilities", "enable?:[str]", "Empty", qmp_capabilities},
	{"qom-get", "path:str property:str vm?:str", "any", qmp_qom_get},
	{"qom-list", "path:str vm?:str", "[ObjectPropertyInfo]", qmp_qom_list},
	{"qom-set", "path:str property:str value:any vm?:str", "Empty", qmp_qom_set},
	{"query-balloon", "vm?:str", "BalloonInfo", qmp_query_balloon},
	{"query-commands", "", "[CommandInfo]", qmp_query_commands},
	{"query-memdev", "vm?:str", "[Memdev]", qmp_query_memory},
	{"query-memory-devices", "vm?:str", "[MemoryDeviceInfo]", qmp_query_memory},
	{"query-memory-size-summary", "vm?:str", "MemoryInfo", qmp_query_memory},
	{"query-qmp-schema", "", "[SchemaInfo]", qmp_query_schema},
	{"query-status", "vm?:str", "StatusInfo", qmp_query_status},
	{"query-version", "", "VersionInfo", query_version},
	{"quit", "", "Empty", quit},
	{"stop", "vm?:str", "Empty", qmp_stop},
	{"system_powerdown", "vm?:str", "Empty", qmp_powerdown},
	{"system_reset", "vm?:str", "Empty", qmp_reset},
	{NULL},
};

static const struct qmp_command *find(const char *name)
{
	const struct qmp_command *command = qmp_commands;

	while (command->name != NULL && strcmp(command->name, name) != 0)
		command++;
	return command->name != NULL ? command : NULL;
}

/* Append the text, without blanks, and with double quotes around strings that have single ones. */
struct normal {
	char *out;
	size_t len;
	char quote; /* of the string that is being read; NUL: none */
	bool is_escaped;
};

static void add(struct normal *to, char c)
{
	to->out[to->len++] = c;
}

static void add_in_string(struct normal *to, char c)
{
	bool was_escaped = to->is_escaped;

	to->is_escaped = !was_escaped && c == '\\';
	if (to->is_escaped)
		return;
	if (!was_escaped && c == to->quote) {
		to->quote = '\0';
		add(to, '"');
		return;
	}
	if (c == '"' || (was_escaped && c != '\''))
		add(to, '\\');
	add(to, c);
}

static void add_normal(struct normal *to, char c)
{
	if (to->quote != '\0') {
		add_in_string(to, c);
	} else if (c == '"' || c == '\'') {
		to->quote = c;
		add(to, '"');
	} else if (c != ' ' && c != '\t' && c != '\n' && c != '\r') {
		add(to, c);
	}
}

/* Keep the id, which comes back with the answer. False: it is too long. */
static bool keep_id(struct qmp_call *call, const char *text, const struct json *id)
{
	struct normal to = {.out = call->id};

	if (id->len > QMP_ID_MAX / 2) /* each character may need a backslash */
		return false;
	for (size_t i = 0; i < id->len; i++)
		add_normal(&to, text[id->at + i]);
	call->id[to.len] = '\0';
	return true;
}

static const struct json *member(const struct json *object, const char *name)
{
	const struct json *j = object->first;

	while (j != NULL && strcmp(j->key, name) != 0)
		j = j->next;
	return j;
}

/* NULL: it is a command, with the right members. */
static const char *what_is_wrong(const struct json *message, const char **ret_member)
{
	for (const struct json *j = message->first; j != NULL; j = j->next) {
		*ret_member = j->key;
		if (strcmp(j->key, "execute") == 0) {
			if (j->type != JSON_STRING)
				return "QMP input member '%s' must be a string";
		} else if (strcmp(j->key, "arguments") == 0) {
			if (j->type != JSON_OBJECT)
				return "QMP input member '%s' must be an object";
		} else if (strcmp(j->key, "id") != 0) {
			return "QMP input member '%s' is unexpected";
		}
	}
	*ret_member = "execute";
	return member(message, "execute") == NULL ? "QMP input lacks member '%s'" : NULL;
}

/* The arguments describe an object: as in a configuration, QEMU has an order of its own. */
static bool checks_itself(const struct qmp_command *command)
{
	return command->step == qmp_object_add || command->step == qmp_device_add;
}

static void begin_command(struct qmp_call *call, const struct json *message)
{
	const char *name = member(message, "execute")->text;
	const struct qmp_command *command = find(name);

	call->arguments = member(message, "arguments");
	if (!call->is_negotiated && (command == NULL || command->step != qmp_capabilities))
		(void)qmp_fail(call, "CommandNotFound",
			       "Expecting capabilities negotiation with 'qmp_capabilities'");
	else if (command == NULL)
		(void)qmp_fail(call, "CommandNotFound", "The command %s has not been found", name);
	else if (checks_itself(command) || qmp_check_arguments(call, command))
		call->command = command;
}

static void begin_message(struct qmp_call *call, const char *text, const struct json *message)
{
	const struct json *id;
	const char *wrong, *name;

	if (message->type != JSON_OBJECT) {
		(void)qmp_fail(call, "GenericError", "QMP input must be a JSON object");
		return;
	}
	id = member(message, "id");
	if (id != NULL && !keep_id(call, text, id)) {
		(void)qmp_fail(call, "GenericError", "QMP input member 'id' is too long");
		return;
	}
	wrong = what_is_wrong(message, &name);
	if (wrong != NULL)
		(void)qmp_fail(call, "GenericError", wrong, name);
	else
		begin_command(call, message);
}

void qmp_call_begin(struct qmp_call *call, const char *text, size_t len, struct arena *arena)
{
	char why[DIAG_MESSAGE_MAX + 1];
	struct diag diag = {.kept = why};
	struct word word = {.text = text, .len = len, .start = word_cursor(text, len)};
	struct json *message;
	enum status status = json_read(&word, arena, &diag, &message);

	call->commands = qmp_commands;
	call->text = text;
	call->n_done = 0;
	call->id[0] = '\0';
	if (status == OK)
		begin_message(call, text, message);
	else
		(void)qmp_fail(call, "GenericError", "%s",
			       status == ERR_INVAL ? why : "the message has too many values");
}

enum job_state qmp_call_step(struct qmp_call *call)
{
	enum job_state state = call->command->step(call);

	if (state == JOB_IS_DONE)
		call->command = NULL;
	return state;
}
