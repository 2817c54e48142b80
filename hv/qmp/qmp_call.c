/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/qmp/qmp_call.h"

#include "hv/backends/diag.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"

enum { MEMBER_NAME_MAX = 31 }; /* of the rows of commands */

bool qmp_next_member(const char **spec, struct qmp_member *ret)
{
	const char *at = *spec, *colon, *end;

	while (*at == ' ')
		at++;
	if (*at == '\0')
		return false;
	colon = strchr(at, ':');
	end = strchr(at, ' ');
	if (end == NULL)
		end = at + strlen(at);
	ret->name = at;
	ret->is_optional = colon[-1] == '?';
	ret->name_len = (int)(colon - at) - ret->is_optional;
	ret->type = colon + 1;
	ret->type_len = (int)(end - colon) - 1;
	*spec = end;
	return true;
}

static bool is_member(const struct qmp_member *member, const char *name)
{
	return strlen(name) == (size_t)member->name_len &&
	       memcmp(name, member->name, (size_t)member->name_len) == 0;
}

/* What QEMU calls the type of an argument; 'type' is how it comes in JSON, -1: as anything. */
static const char *type_name(const struct qmp_member *member, int *ret_type)
{
	static const struct {
		const char *name, *words;
		int type;
	} types[] = {
		{"str", "string", JSON_STRING},
		{"int", "integer", JSON_INTEGER},
		{"bool", "boolean", JSON_BOOL},
		{"any", "", -1},
	};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (strncmp(types[i].name, member->type, (size_t)member->type_len) == 0) {
			*ret_type = types[i].type;
			return types[i].words;
		}
	*ret_type = JSON_ARRAY;
	return "array";
}

static const struct json *find(const struct json *object, const struct qmp_member *member)
{
	const struct json *j = object != NULL ? object->first : NULL;

	while (j != NULL && !is_member(member, j->key))
		j = j->next;
	return j;
}

static bool check_member(struct qmp_call *call, const struct qmp_member *member)
{
	const struct json *value = find(call->arguments, member);
	const char *words;
	char name[MEMBER_NAME_MAX + 1];
	int type;

	if (value == NULL && !member->is_optional) {
		(void)qmp_fail(call, "GenericError", "Parameter '%.*s' is missing",
			       member->name_len, member->name);
		return false;
	}
	words = type_name(member, &type);
	if (value == NULL || type < 0 || value->type == (enum json_type)type)
		return true;
	format(name, sizeof(name), "%.*s", member->name_len, member->name);
	(void)qmp_fail_type(call, name, words);
	return false;
}

static bool is_argument(const struct qmp_command *command, const char *name)
{
	const char *spec = command->arguments;
	struct qmp_member member;

	while (qmp_next_member(&spec, &member))
		if (is_member(&member, name))
			return true;
	return false;
}

bool qmp_check_arguments(struct qmp_call *call, const struct qmp_command *command)
{
	const struct json *j = call->arguments != NULL ? call->arguments->first : NULL;
	const char *spec = command->arguments;
	struct qmp_member member;

	while (qmp_next_member(&spec, &member))
		if (!check_member(call, &member))
			return false;
	for (; j != NULL; j = j->next) {
		if (is_argument(command, j->key))
			continue;
		(void)qmp_fail(call, "GenericError", "Parameter '%s' is unexpected", j->key);
		return false;
	}
	return true;
}

const struct json *qmp_argument(const struct qmp_call *call, const char *name)
{
	struct qmp_member member = {.name = name, .name_len = (int)strlen(name)};

	return find(call->arguments, &member);
}

const char *qmp_string(const struct qmp_call *call, const char *name)
{
	const struct json *value = qmp_argument(call, name);

	return value != NULL ? value->text : NULL;
}

static void put_head(struct qmp_call *call)
{
	qmp_put(&call->out, call->id[0] != '\0' ? "{\"id\": %s, " : "{", call->id);
}

void qmp_begin_return(struct qmp_call *call)
{
	put_head(call);
	qmp_put(&call->out, "\"return\": ");
}

void qmp_end_return(struct qmp_call *call)
{
	qmp_put(&call->out, "}\r\n");
}

enum job_state qmp_done(struct qmp_call *call)
{
	qmp_begin_return(call);
	qmp_put(&call->out, "{}");
	qmp_end_return(call);
	return JOB_IS_DONE;
}

enum job_state qmp_fail(struct qmp_call *call, const char *class, const char *fmt, ...)
{
	char text[DIAG_MESSAGE_MAX + 1];
	va_list args;

	va_start(args, fmt);
	format_v(text, sizeof(text), fmt, args);
	va_end(args);
	put_head(call);
	qmp_put(&call->out, "\"error\": {\"class\": \"%s\", \"desc\": ", class);
	qmp_put_string(&call->out, text);
	qmp_put(&call->out, "}}\r\n");
	return JOB_IS_DONE;
}

enum job_state qmp_fail_type(struct qmp_call *call, const char *name, const char *expected)
{
	return qmp_fail(call, "GenericError", "Invalid parameter type for '%s', expected: %s", name,
			expected);
}
