/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/qmp/qmp_qom.h"

#include "hv/lib/print.h"
#include "hv/lib/string.h"
#include "hv/monitor/info.h"
#include "hv/qmp/qmp_vm.h"

#define OBJECTS "/objects"

/* How a property is stored, and thereby shown. */
enum kind { BOOL, INT, THREADS, STRING, POLICY, NODES, LINK, ROM, TYPE };

/* QEMU's, in its order. */
static const struct property {
	char name[38];
	uint8_t kind;
	bool of_file; /* memory-backend-ram does not have it */
	uint16_t at;  /* in struct backend */
} properties[] = {
	{"type", TYPE, false, 0},
	{"share", BOOL, false, offsetof(struct backend, share)},
	{"size", INT, false, offsetof(struct backend, size)},
	{"dump", BOOL, false, offsetof(struct backend, dump)},
	{"prealloc-threads", THREADS, false, 0},
	{"x-use-canonical-path-for-ramblock-id", BOOL, false,
	 offsetof(struct backend, canonical_name)},
	{"policy", POLICY, false, 0},
	{"prealloc-context", LINK, false, 0},
	{"prealloc", BOOL, false, offsetof(struct backend, prealloc)},
	{"reserve", BOOL, false, offsetof(struct backend, reserve)},
	{"host-nodes", NODES, false, 0},
	{"merge", BOOL, false, offsetof(struct backend, merge)},
	{"readonly", BOOL, true, offsetof(struct backend, readonly)},
	{"align", INT, true, offsetof(struct backend, align)},
	{"offset", INT, true, offsetof(struct backend, offset)},
	{"mem-path", STRING, true, 0},
	{"rom", ROM, true, 0},
	{"discard-data", BOOL, true, offsetof(struct backend, discard_data)},
};

static const char *type_of(const struct backend *backend)
{
	return backend->type == BACKEND_FILE ? "memory-backend-file" : "memory-backend-ram";
}

static bool has(const struct backend *backend, const struct property *property)
{
	return backend->type == BACKEND_FILE || !property->of_file;
}

static const struct property *find_property(const struct backend *backend, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(properties); i++)
		if (strcmp(properties[i].name, name) == 0 && has(backend, &properties[i]))
			return &properties[i];
	return NULL;
}

/* The object with the path of the message; NULL: there is none, which is answered. */
static struct backend *find_object(struct qmp_call *call)
{
	const char *path = qmp_string(call, "path"), *start = OBJECTS "/";
	size_t len = strlen(start);
	struct backend *backend;

	if (!qmp_find_config(call))
		return NULL;
	backend = strncmp(path, start, len) == 0 ? call->config->backends : NULL;
	while (backend && strcmp(backend->id, path + len) != 0)
		backend = backend->next;
	if (backend == NULL)
		(void)qmp_fail(call, "DeviceNotFound", "Device '%s' not found", path);
	return backend;
}

/* The object and its property of the message. False: there is none, which is answered. */
static bool find_both(struct qmp_call *call, struct backend **ret, const struct property **property)
{
	const char *name = qmp_string(call, "property");

	*ret = find_object(call);
	if (*ret == NULL)
		return false;
	*property = find_property(*ret, name);
	if (*property == NULL)
		(void)qmp_fail(call, "GenericError", "Property '%s.%s' not found", type_of(*ret),
			       name);
	return *property != NULL;
}

static void put_link(struct qmp_text *out, const char *id)
{
	qmp_put(out, id != NULL ? "\"" OBJECTS "/%.1000s\"" : "\"\"", id);
}

static void put_nodes(struct qmp_text *out, const struct backend *backend)
{
	const char *comma = "";

	qmp_put(out, "[");
	for (unsigned node = 0; node < 64 * ARRAY_SIZE(backend->host_nodes); node++) {
		if (!(backend->host_nodes[node / 64] & BIT(node % 64)))
			continue;
		qmp_put(out, "%s%u", comma, node);
		comma = ", ";
	}
	qmp_put(out, "]");
}

static void put_value(struct qmp_text *out, const struct backend *backend,
		      const struct property *property)
{
	const char *value = (const char *)backend + property->at;
	bool is_rom = backend->rom == ON_OFF_AUTO_AUTO ? backend->readonly
						       : backend->rom == ON_OFF_AUTO_ON;

	switch ((enum kind)property->kind) {
	case BOOL:
		qmp_put(out, *(const bool *)value ? "true" : "false");
		return;
	case INT:
		qmp_put(out, "%lu", *(const uint64_t *)value);
		return;
	case THREADS:
		qmp_put(out, "%u", backend->prealloc_threads);
		return;
	case STRING:
		qmp_put_string(out, backend->mem_path);
		return;
	case POLICY:
		qmp_put_string(out, info_policy(backend->policy));
		return;
	case NODES:
		put_nodes(out, backend);
		return;
	case LINK:
		put_link(out, backend->prealloc_context);
		return;
	case ROM:
		qmp_put(out, is_rom ? "\"on\"" : "\"off\"");
		return;
	case TYPE:
		qmp_put_string(out, type_of(backend));
		return;
	}
}

static void put_member(struct qmp_call *call, const char *name, const char *type)
{
	qmp_put(&call->out, call->n_done++ > 0 ? ", {\"name\": " : "{\"name\": ");
	qmp_put_string(&call->out, name);
	qmp_put(&call->out, ", \"type\": \"%s\"}", type);
}

static enum job_state end_list(struct qmp_call *call)
{
	qmp_put(&call->out, "]");
	qmp_end_return(call);
	return JOB_IS_DONE;
}

static enum job_state list_properties(struct qmp_call *call, const struct backend *backend)
{
	static const char types[][24] = {
		[BOOL] = "bool",
		[INT] = "int",
		[THREADS] = "int",
		[STRING] = "string",
		[POLICY] = "HostMemPolicy",
		[NODES] = "int",
		[ROM] = "OnOffAuto",
		[LINK] = "link<thread-context>",
		[TYPE] = "string",
	};

	qmp_begin_return(call);
	qmp_put(&call->out, "[");
	for (size_t i = 0; i < ARRAY_SIZE(properties); i++)
		if (has(backend, &properties[i]))
			put_member(call, properties[i].name, types[properties[i].kind]);
	return end_list(call);
}

/* One a step: there may be any number. */
static enum job_state list_objects(struct qmp_call *call, const struct backend *backend)
{
	char type[32];

	for (unsigned i = 1; backend && i < call->n_done; i++)
		backend = backend->next;
	if (call->n_done == 0) {
		qmp_begin_return(call);
		qmp_put(&call->out, "[");
		put_member(call, "type", "string");
		return JOB_GOES_ON;
	}
	if (backend == NULL)
		return end_list(call);
	format(type, sizeof(type), "child<%s>", type_of(backend));
	put_member(call, backend->id, type);
	return JOB_GOES_ON;
}

enum job_state qmp_qom_list(struct qmp_call *call)
{
	struct backend *backend;

	if (strcmp(qmp_string(call, "path"), OBJECTS) != 0) {
		backend = find_object(call);
		return backend ? list_properties(call, backend) : JOB_IS_DONE;
	}
	if (call->n_done == 0 && !qmp_find_config(call))
		return JOB_IS_DONE;
	return list_objects(call, call->config->backends);
}

enum job_state qmp_qom_get(struct qmp_call *call)
{
	const struct property *property;
	struct backend *backend;

	if (!find_both(call, &backend, &property))
		return JOB_IS_DONE;
	qmp_begin_return(call);
	put_value(&call->out, backend, property);
	qmp_end_return(call);
	return JOB_IS_DONE;
}

/* Where a property that may change is; NULL: it may not. */
static bool *find_flag(struct backend *backend, const struct property *property)
{
	if (strcmp(property->name, "dump") == 0)
		return &backend->dump;
	return strcmp(property->name, "merge") == 0 ? &backend->merge : NULL;
}

enum job_state qmp_qom_set(struct qmp_call *call)
{
	const struct json *value = qmp_argument(call, "value");
	const struct property *property;
	struct backend *backend;
	bool *flag;

	if (!find_both(call, &backend, &property))
		return JOB_IS_DONE;
	flag = find_flag(backend, property);
	if (flag == NULL)
		return qmp_fail(call, "GenericError", "cannot change property '%s' of %s",
				property->name, type_of(backend));
	if (value->type != JSON_BOOL)
		return qmp_fail_type(call, property->name, "boolean");
	__atomic_store_n(flag, value->number != 0, __ATOMIC_RELAXED);
	return qmp_done(call);
}
