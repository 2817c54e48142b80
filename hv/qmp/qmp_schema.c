/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * QEMU's SchemaInfo, one entity a step: the types below, then each command and the object of its
 * arguments, then each event and the object of its data.
 */
#include "hv/qmp/qmp_schema.h"

#include "hv/lib/string.h"
#include "hv/qmp/qmp_event.h"

/*
 * Name, meta-type, and: the JSON type of a built-in type, the element of an array, the values of an
 * enumeration, the members of an object. One text, because pointers need relocations.
 */
static const char types[] =
	"str builtin string\0"
	"int builtin int\0"
	"bool builtin boolean\0"
	"any builtin value\0"
	"[str] array str\0"
	"[int] array int\0"
	"Empty object \0"
	"VersionTriple object major:int minor:int micro:int\0"
	"VersionInfo object qemu:VersionTriple package:str\0"
	"CommandInfo object name:str\0"
	"[CommandInfo] array CommandInfo\0"
	"[SchemaInfo] array any\0"
	"RunState enum running paused\0"
	"StatusInfo object running:bool status:RunState\0"
	"HostMemPolicy enum default preferred bind interleave\0"
	"Memdev object id:str size:int merge:bool dump:bool prealloc:bool share:bool "
	"reserve:bool host-nodes:[int] policy:HostMemPolicy\0"
	"[Memdev] array Memdev\0"
	"MemoryDeviceInfoKind enum dimm nvdimm virtio-pmem\0"
	"PCDIMMDeviceInfo object id?:str addr?:int slot?:int node?:int size:int memdev:str "
	"hotplugged?:bool hotpluggable?:bool memaddr?:int\0"
	"MemoryDeviceInfo object type:MemoryDeviceInfoKind data:PCDIMMDeviceInfo\0"
	"[MemoryDeviceInfo] array MemoryDeviceInfo\0"
	"BalloonInfo object actual:int\0"
	"MemoryInfo object base-memory:int plugged-memory:int\0"
	"ObjectPropertyInfo object name:str type:str\0"
	"[ObjectPropertyInfo] array ObjectPropertyInfo\0"
	"__org.stencil_VM object name:str running:bool is-template:bool private:int weight:int "
	"template?:str\0"
	"[__org.stencil_VM] array __org.stencil_VM\0"
	"__org.stencil_Exits object reason:str count:int\0"
	"[__org.stencil_Exits] array __org.stencil_Exits\0"
	"__org.stencil_Clones object shared:int started:int ended:int failed:int\0"
	"__org.stencil_Usage object name:str running:int paused:int cpu-ns:int exits:int "
	"private:int template?:str clones?:__org.stencil_Clones\0"
	"[__org.stencil_Usage] array __org.stencil_Usage\0"
	"__org.stencil_Metrics object uptime-ns:int memory:int memory-free:int merged-shared:int "
	"merged-sharing:int vms-made:int vms-ended:int vms-failed:int guest-lines-lost:int "
	"log-lines-lost:int cpu-ns:int exits:[__org.stencil_Exits] "
	"vms:[__org.stencil_Usage]\0"
	"ShutdownCause enum host-error host-qmp-quit host-qmp-system-reset guest-shutdown "
	"guest-reset\0"
	"WatchdogAction enum inject-nmi none pause poweroff reset shutdown\0"
	"GuestPanicAction enum poweroff\0";

/* Type 'i'; NULL: there is none. */
static const char *find_type(size_t i)
{
	const char *type = types;

	while (i-- > 0 && *type != '\0')
		type += strlen(type) + 1;
	return *type != '\0' ? type : NULL;
}

static size_t n_types(void)
{
	size_t n = 0;

	while (find_type(n) != NULL)
		n++;
	return n;
}

static void put_members(struct qmp_text *out, const char *spec)
{
	struct qmp_member member;
	const char *comma = "";

	qmp_put(out, "\"members\": [");
	for (; qmp_next_member(&spec, &member); comma = ", ")
		qmp_put(out, "%s{\"name\": \"%.*s\", %s\"type\": \"%.*s\"}", comma, member.name_len,
			member.name, member.is_optional ? "\"default\": null, " : "",
			member.type_len, member.type);
	qmp_put(out, "]}");
}

static void put_values(struct qmp_text *out, const char *values)
{
	qmp_put(out, "\"values\": [\"");
	for (; *values != '\0'; values++)
		if (*values == ' ')
			qmp_put(out, "\", \"");
		else
			qmp_put(out, "%c", *values);
	qmp_put(out, "\"]}");
}

static void put_type(struct qmp_text *out, const char *type)
{
	const char *meta = strchr(type, ' ') + 1, *text = strchr(meta, ' ') + 1;

	qmp_put(out, "{\"name\": \"%.*s\", \"meta-type\": \"%.*s\", ", (int)(meta - type) - 1, type,
		(int)(text - meta) - 1, meta);
	switch (*meta) {
	case 'b':
		qmp_put(out, "\"json-type\": \"%s\"}", text);
		return;
	case 'a':
		qmp_put(out, "\"element-type\": \"%s\"}", text);
		return;
	case 'e':
		put_values(out, text);
		return;
	default:
		put_members(out, text);
		return;
	}
}

static void put_command(struct qmp_text *out, const struct qmp_command *command)
{
	qmp_put(out,
		"{\"name\": \"%s\", \"meta-type\": \"command\", \"arg-type\": \"%s-arg\", "
		"\"ret-type\": \"%s\"}, {\"name\": \"%s-arg\", \"meta-type\": \"object\", ",
		command->name, command->name, command->answer, command->name);
	put_members(out, command->arguments);
}

static void put_event(struct qmp_text *out, const struct qmp_event *event)
{
	qmp_put(out,
		"{\"name\": \"%s\", \"meta-type\": \"event\", \"arg-type\": \"%s-data\"}, "
		"{\"name\": \"%s-data\", \"meta-type\": \"object\", ",
		event->name, event->name, event->name);
	put_members(out, event->spec);
}

static size_t n_commands(const struct qmp_command *commands)
{
	size_t n = 0;

	while (commands[n].name != NULL)
		n++;
	return n;
}

/* Of several rows of one event the last is told. */
static bool is_told(size_t event)
{
	return event == N_NEWS_KINDS ||
	       strcmp(qmp_events[event].name, qmp_events[event + 1].name) != 0;
}

static void put_entity(struct qmp_call *call, size_t i)
{
	size_t first_command = n_types();
	size_t first_event = first_command + n_commands(call->commands);

	if (i >= first_event && !is_told(i - first_event))
		return;
	qmp_put(&call->out, i == 0 ? "[" : ", ");
	if (i < first_command)
		put_type(&call->out, find_type(i));
	else if (i < first_event)
		put_command(&call->out, &call->commands[i - first_command]);
	else
		put_event(&call->out, &qmp_events[i - first_event]);
}

enum job_state qmp_query_schema(struct qmp_call *call)
{
	size_t last = n_types() + n_commands(call->commands) + N_NEWS_KINDS;

	if (call->n_done == 0)
		qmp_begin_return(call);
	put_entity(call, call->n_done);
	if (call->n_done++ < last)
		return JOB_GOES_ON;
	qmp_put(&call->out, "]");
	qmp_end_return(call);
	return JOB_IS_DONE;
}

enum job_state qmp_query_commands(struct qmp_call *call)
{
	if (call->n_done == 0)
		qmp_begin_return(call);
	qmp_put(&call->out, "%s{\"name\": \"%s\"}", call->n_done == 0 ? "[" : ", ",
		call->commands[call->n_done].name);
	call->n_done++;
	if (call->commands[call->n_done].name != NULL)
		return JOB_GOES_ON;
	qmp_put(&call->out, "]");
	qmp_end_return(call);
	return JOB_IS_DONE;
}
