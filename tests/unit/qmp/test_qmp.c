/* SPDX-License-Identifier: BSD-2-Clause */
/* A client's session: what it sends, and what comes back. */
#include "hv/qmp/qmp.h"

#include "hv/monitor/hotplug_job.h"
#include "hv/vm/added.h"
#include "tests/qmp/machine.h"
#include "tests/unit/support.h"

#define GREETING \
	"{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 2, \"minor\": 2, \"major\": 10}, " \
	"\"package\": \"Stencil 0.0.0 (test)\"}, \"capabilities\": []}}\r\n"
#define TIME		   "{\"timestamp\": {\"seconds\": 1700000000, \"microseconds\": 123456}, \"event\": "
#define EMPTY		   "{\"return\": {}}\r\n"
#define ERROR(class, text) "{\"error\": {\"class\": \"" class "\", \"desc\": \"" text "\"}}\r\n"
#define GENERIC(text)	   ERROR("GenericError", text)

static const char *received = "";
static char sent[1 << 20];
static size_t n_sent;

int serial_receive(const struct serial_port *port)
{
	return *received ? (uint8_t)*received++ : -1;
}

/* No lock is held at the speed of a line. */
void serial_send(const struct serial_port *port, uint8_t byte)
{
	assert_int_equal(vms_lock.next, vms_lock.serving);
	sent[n_sent++] = (char)byte;
	sent[n_sent] = '\0';
}

/* Turns of the boot processor's loop. */
static void turn(unsigned n)
{
	while (n-- > 0) {
		job_work();
		qmp_poll();
	}
}

static const char *ask(const char *text)
{
	sent[n_sent = 0] = '\0';
	received = text;
	turn(300);
	assert_string_equal(received, "");
	return sent;
}

static void check_talk(const char *text, const char *answer)
{
	assert_string_equal(ask(text), answer);
}

static int begin(void **state)
{
	make_vms();
	if (!qmp_is_on()) {
		assert_int_equal(qmp_begin(&SERIAL_COM2), ERR_NOMEM);
		make_memory();
		assert_int_equal(qmp_begin(&SERIAL_COM2), OK);
	}
	(void)ask("\xff{\"execute\": \"qmp_capabilities\"}");
	*did = '\0';
	return 0;
}

static void a_client_is_greeted_and_negotiates(void **state)
{
	check_talk("\xff", GREETING);
	assert_false(qmp_holds_machine());
	check_talk("{\"execute\": \"query-version\"}",
		   ERROR("CommandNotFound",
			 "Expecting capabilities negotiation with 'qmp_capabilities'"));
	check_talk("{\"execute\": \"nonsense\"}",
		   ERROR("CommandNotFound",
			 "Expecting capabilities negotiation with 'qmp_capabilities'"));
	check_talk("{\"execute\": \"qmp_capabilities\", \"arguments\": {\"enable\": [\"oob\"]}}",
		   GENERIC("Capability oob not available"));
	check_talk("{\"execute\": \"qmp_capabilities\", \"arguments\": {\"enable\": [1]}}",
		   GENERIC("Capability ? not available"));
	check_talk("{\"execute\": \"qmp_capabilities\", \"arguments\": {\"enable\": []}}", EMPTY);
	assert_true(qmp_holds_machine());
	check_talk("{\"execute\": \"qmp_capabilities\"}",
		   ERROR("CommandNotFound",
			 "Capabilities negotiation is already complete, command ignored"));
}

/* As it was sent, except for blanks and single quotes. */
static void an_id_comes_back(void **state)
{
	static const struct {
		const char *sent, *back;
	} ids[] = {
		{"7", "7"},
		{"-1.5e3", "-1.5e3"},
		{"null", "null"},
		{"\"a b\"", "\"a b\""},
		{"'a\"b'", "\"a\\\"b\""},
		{"'a\\'b'", "\"a'b\""},
		{"\"a\\\\\\\"\"", "\"a\\\\\\\"\""},
		{"[1, {\"k\" : 'v'}]", "[1,{\"k\":\"v\"}]"},
		{"[1,\t2,\n3,\r\n4]", "[1,2,3,4]"},
		{"\"\xc3\xa4\"", "\"\xc3\xa4\""},
	};
	char text[200], answer[200];

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		snprintf(text, sizeof(text),
			 "{\"execute\": \"cont\", \"arguments\": {\"vm\": "
			 "\"r\"}, \"id\": %s}",
			 ids[i].sent);
		snprintf(answer, sizeof(answer), "{\"id\": %s, \"return\": {}}\r\n", ids[i].back);
		check_talk(text, answer);
	}
	check_talk("{\"execute\": \"x\", \"id\": 1}",
		   "{\"id\": 1, \"error\": {\"class\": \"CommandNotFound\", \"desc\": \"The "
		   "command x has not been found\"}}\r\n");
	check_talk("{\"id\": 2, \"execute\": \"query-memory-size-summary\", \"arguments\": "
		   "{\"vm\": \"r\"}}",
		   "{\"id\": 2, \"return\": {\"base-memory\": 16777216, \"plugged-memory\": "
		   "0}}\r\n");
	memset(text, '1', 160);
	memcpy(text, "{\"id\": ", 7);
	strcpy(text + 160, "}");
	check_talk(text, GENERIC("QMP input member 'id' is too long"));
}

/* Measured: what QEMU 7.2 says; tests/qmp/ compares more of it. */
static void what_is_no_command_is_refused_in_qemus_words(void **state)
{
	static const struct {
		const char *text, *desc;
	} cases[] = {
		{"[1]", "QMP input must be a JSON object"},
		{"\t\r\n5\r\n", "QMP input must be a JSON object"},
		{"{\"a\t", "JSON parse error, stray '\\\"a?'"},
		{"5\n", "QMP input must be a JSON object"},
		{"abc\n", "JSON parse error, invalid keyword 'abc'"},
		{"]", "JSON parse error, expecting value"},
		{"\x01", "JSON parse error, stray '?'"},
		{"{\"a\x01", "JSON parse error, stray '\\\"a?'"},
		{"{\"execute\": \"stop\" x}", "JSON parse error, expected separator in dict"},
		{"{}", "QMP input lacks member 'execute'"},
		{"{\"a\": 1}", "QMP input member 'a' is unexpected"},
		{"{\"exec-oob\": \"stop\"}", "QMP input member 'exec-oob' is unexpected"},
		{"{\"execute\": 1}", "QMP input member 'execute' must be a string"},
		{"{\"execute\": \"stop\", \"arguments\": []}",
		 "QMP input member 'arguments' must be an object"},
		{"{\"execute\": \"stop\", \"arguments\": {\"x\": 1}}",
		 "Parameter 'x' is unexpected"},
		{"{\"execute\": \"stop\", \"arguments\": {\"v\": 1}}",
		 "Parameter 'v' is unexpected"},
		{"{\"execute\": \"stop\", \"arguments\": {\"vm\": 1}}",
		 "Invalid parameter type for 'vm', expected: string"},
		{"{\"execute\": \"human-monitor-command\"}", "Parameter 'command-line' is missing"},
		{"{\"execute\": \"dump-guest-memory\", \"arguments\": {\"paging\": \"x\", "
		 "\"protocol\": \"y\"}}",
		 "Invalid parameter type for 'paging', expected: boolean"},
		{"{\"execute\": \"qmp_capabilities\", \"arguments\": {\"enable\": 1}}",
		 "Invalid parameter type for 'enable', expected: array"},
		{"{\"execute\": \"__org.stencil_clone\", \"arguments\": {\"count\": 1.5}}",
		 "Invalid parameter type for 'count', expected: integer"},
	};
	char answer[300];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		snprintf(answer, sizeof(answer), GENERIC("%s"), cases[i].desc);
		check_talk(cases[i].text, answer);
	}
	assert_string_equal(did, "");
}

static void messages_need_no_lines(void **state)
{
	check_talk(" \n{\"execute\":\"cont\",\n\"arguments\":{\"vm\":\"r\"}}{\"execute\":\"x{\"}",
		   EMPTY ERROR("CommandNotFound", "The command x{ has not been found"));
	check_talk("{\"execute\": \"x", "");
	check_talk("\xff", GREETING); /* and the half message is forgotten */
	check_talk("{'execute': 'qmp_capabilities'}", EMPTY);
}

static void a_message_has_a_limit(void **state)
{
	static char text[4200];

	memset(text, ' ', sizeof(text) - 1);
	text[0] = '{';
	text[4097] = '\0';
	check_talk(text, GENERIC("JSON token size limit exceeded: a message has at most 4096 "
				 "bytes"));
	memset(text, '[', 1000);
	text[1000] = '\xff';
	text[1001] = '\0';
	check_talk(text, GREETING);
	check_talk("{'execute': 'qmp_capabilities'}", EMPTY);
	memset(text, '[', 1000);
	memset(text + 1000, ']', 1000);
	text[2000] = '\0';
	check_talk(text, GENERIC("the message has too many values"));
}

static void a_vm_is_named(void **state)
{
	check_talk("{\"execute\": \"stop\"}",
		   GENERIC("there are several VMs: name one with the argument 'vm'"));
	check_talk("{\"execute\": \"stop\", \"arguments\": {\"vm\": \"x\"}}",
		   ERROR("DeviceNotFound", "there is no VM 'x'"));
	check_talk("{\"execute\": \"stop\", \"arguments\": {\"vm\": \"t\"}}",
		   GENERIC("VM t is a template"));
	check_talk("{\"execute\": \"__org.stencil_revert\", \"arguments\": {\"vm\": \"r\"}}",
		   GENERIC("VM r is not a clone"));
	check_talk("{\"execute\": \"__org.stencil_clone\", \"arguments\": {\"vm\": \"r\"}}",
		   GENERIC("VM r is not a template"));
	check_talk("{\"execute\": \"__org.stencil_revert\", \"arguments\": {\"vm\": \"x\"}}",
		   ERROR("DeviceNotFound", "there is no VM 'x'"));
	check_talk("{\"execute\": \"__org.stencil_destroy\", \"arguments\": {\"vm\": \"x\"}}",
		   ERROR("DeviceNotFound", "there is no VM 'x'"));
	check_talk("{\"execute\": \"__org.stencil_clone\", \"arguments\": {\"vm\": \"x\"}}",
		   ERROR("DeviceNotFound", "there is no VM 'x'"));
	check_talk("{\"execute\": \"qom-list\", \"arguments\": {\"vm\": \"x\", \"path\": "
		   "\"/objects\"}}",
		   ERROR("DeviceNotFound", "there is no VM 'x'"));
	check_talk("{\"execute\": \"qom-get\", \"arguments\": {\"vm\": \"x\", \"path\": "
		   "\"/objects/ram\", \"property\": \"size\"}}",
		   ERROR("DeviceNotFound", "there is no VM 'x'"));
	assert_string_equal(did, "");
	template.is_given_up = true;
	stopped.outcome = VM_ENDED_WELL;
	check_talk("{\"execute\": \"query-status\"}",
		   "{\"return\": {\"running\": true, \"status\": \"running\"}}\r\n");
	running.outcome = VM_ENDED_WELL;
	check_talk("{\"execute\": \"query-status\"}", ERROR("DeviceNotFound", "there is no VM"));
}

#define ABOUT(command, vm) "{\"execute\": \"" command "\", \"arguments\": {\"vm\": \"" vm "\"}}"

#define EVENT(name, data) TIME "\"" name "\", \"data\": {" data "}}\r\n"

/* Events come when it has happened: after the answer, or later. */
static void a_balloon_is_asked_for_and_told(void **state)
{
#define BALLOON(value) \
	"{\"execute\": \"balloon\", \"arguments\": {\"vm\": \"r\", \"value\": " value "}}"

	check_talk(ABOUT("query-balloon", "r"),
		   ERROR("DeviceNotActive", "No balloon device has been activated"));
	check_talk(BALLOON("4096"),
		   ERROR("DeviceNotActive", "No balloon device has been activated"));
	balloon_owner = &running;
	check_talk(ABOUT("query-balloon", "r"), "{\"return\": {\"actual\": 134217728}}\r\n");
	check_talk(BALLOON("67108864"), EMPTY);
	assert_int_equal(balloon_size, MIB(64));
	check_talk(BALLOON("0"), GENERIC("Parameter 'target' expects a size"));
	check_talk(BALLOON("-4096"), GENERIC("Parameter 'target' expects a size"));
	assert_int_equal(balloon_size, MIB(64));
	balloon_owner = &template;
	check_talk("{\"execute\": \"balloon\", \"arguments\": {\"vm\": \"t\", \"value\": 1}}",
		   GENERIC("VM t is a template"));
	balloon_owner = NULL;
	balloon_size = MIB(128);
}

static void vms_do_what_they_are_told(void **state)
{
	check_talk(ABOUT("stop", "r"), EMPTY EVENT("STOP", "\"vm\": \"r\""));
	check_talk(ABOUT("stop", "r"), EMPTY);
	check_talk(ABOUT("query-status", "r"),
		   "{\"return\": {\"running\": false, \"status\": \"paused\"}}\r\n");
	check_talk(ABOUT("cont", "r"), EMPTY EVENT("RESUME", "\"vm\": \"r\""));
	check_talk(ABOUT("query-status", "t"),
		   "{\"return\": {\"running\": false, \"status\": \"paused\"}}\r\n");
	check_talk(ABOUT("system_powerdown", "r"), EMPTY EVENT("POWERDOWN", "\"vm\": \"r\""));
	check_talk(ABOUT("system_powerdown", "t"), GENERIC("VM t is a template"));
	check_talk(ABOUT("system_reset", "r"),
		   EMPTY EVENT("RESET", "\"vm\": \"r\", \"guest\": false, \"reason\": "
					"\"host-qmp-system-reset\""));
	check_talk(ABOUT("__org.stencil_destroy", "r"),
		   EMPTY EVENT("SHUTDOWN", "\"vm\": \"r\", \"guest\": false, \"reason\": "
					   "\"host-qmp-quit\", \"why\": \"ended by the "
					   "operator\""));
	check_talk(ABOUT("__org.stencil_freeze", "t-0"), EMPTY);
	check_talk(ABOUT("__org.stencil_revert", "t-0"), EMPTY);
	check_talk(ABOUT("__org.stencil_destroy", "t"), EMPTY);
	assert_string_equal(did, "freeze t-0\nrevert t-0\n");
	assert_true(template.is_given_up);
}

static void clones_are_made(void **state)
{
	check_talk("{\"execute\": \"__org.stencil_clone\", \"arguments\": {\"vm\": \"t\", "
		   "\"count\": 2, \"paused\": true}}",
		   EMPTY TIME "\"__org.stencil_CLONED\", \"data\": {\"vm\": \"t-1\", "
			      "\"template\": \"t\"}}\r\n" TIME
			      "\"STOP\", \"data\": {\"vm\": \"t-1\"}}\r\n" TIME
			      "\"__org.stencil_CLONED\", \"data\": {\"vm\": \"t-1\", "
			      "\"template\": \"t\"}}\r\n");
	assert_string_equal(did, "start t-1\nstart t-1\n");
	check_talk(ABOUT("__org.stencil_clone", "t"), GENERIC("no memory for another clone"));
	check_talk("{\"execute\": \"__org.stencil_clone\", \"arguments\": {\"vm\": \"t\", "
		   "\"count\": 4294967296}}",
		   GENERIC("Parameter 'count' expects a number from 1 to 4294967295"));
	check_talk("{\"execute\": \"__org.stencil_clone\", \"arguments\": {\"vm\": \"t\", "
		   "\"count\": 0, \"paused\": false}}",
		   GENERIC("Parameter 'count' expects a number from 1 to 4294967295"));
}

static void vms_are_listed(void **state)
{
	running.share.weight = 100;
	check_talk("{\"execute\": \"__org.stencil_query-vms\"}",
		   "{\"return\": [{\"name\": \"r\", \"running\": true, \"is-template\": false, "
		   "\"private\": 12288, \"weight\": 100}, {\"name\": \"t-0\", \"running\": "
		   "false, \"is-template\": false, \"private\": 8192, \"weight\": 0, "
		   "\"template\": \"t\"}, {\"name\": \"t\", \"running\": false, \"is-template\": "
		   "true, \"private\": 299008, \"weight\": 0}]}\r\n");
}

/* The answer from 'from' on: before it come figures that differ from run to run. */
static void check_metrics(const char *arguments, const char *from, const char *end)
{
	char command[128];
	const char *answer;

	snprintf(command, sizeof(command),
		 "{\"execute\": \"__org.stencil_query-metrics\", \"arguments\": {%s}}", arguments);
	answer = ask(command);
	assert_ptr_equal(strstr(answer, "{\"return\": {\"uptime-ns\": "), answer);
	answer = strstr(answer, from);
	assert_non_null(answer);
	assert_string_equal(answer, end);
}

#define METRICS_R \
	"\"vms\": [{\"name\": \"r\", \"running\": 1, \"paused\": 0, \"cpu-ns\": 2000000, " \
	"\"exits\": 0, \"private\": 12288}"
#define METRICS_CLONES \
	", \"clones\": {\"shared\": 299008, \"started\": 9, \"ended\": 4, \"failed\": 1}}]}}\r\n"

static void clones_are_counted_for_their_template(void **state)
{
	check_metrics("", "\"vms\"",
		      METRICS_R ", {\"name\": \"t\", \"running\": 0, \"paused\": 1, \"cpu-ns\": 3, "
				"\"exits\": 19, \"private\": 8192" METRICS_CLONES);
	check_metrics("\"clones\": false", "\"vms\"",
		      METRICS_R ", {\"name\": \"t\", \"running\": 0, \"paused\": 1, \"cpu-ns\": 3, "
				"\"exits\": 19, \"private\": 8192" METRICS_CLONES);
	check_metrics("\"clones\": true", "\"vms\"",
		      METRICS_R
		      ", {\"name\": \"t-0\", \"running\": 0, \"paused\": 1, \"cpu-ns\": 0, "
		      "\"exits\": 12, \"private\": 8192, \"template\": \"t\"}, "
		      "{\"name\": \"t\", \"running\": 0, \"paused\": 0, \"cpu-ns\": 3, "
		      "\"exits\": 7, \"private\": 0" METRICS_CLONES);
}

/* VMs that come after the question are not listed, and there may be none. */
static void metrics_end(void **state)
{
	running.index = vm_n_indices + 1;
	stopped.outcome = VM_FAILED;
	stopped.next = NULL;
	vms = &running;
	running.next = NULL;
	check_metrics("", "\"vms\"", "\"vms\": []}}\r\n");
	running.index = 0;
	running.next = &stopped;
	check_metrics("\"clones\": true", "\"vms\"", METRICS_R "]}}\r\n");
	vms = NULL;
	check_metrics("", "\"vms\"", "\"vms\": []}}\r\n");
}

static void memory_is_described(void **state)
{
	check_talk(ABOUT("query-memdev", "r"),
		   "{\"return\": [{\"id\": \"ram\", \"size\": 16777216, \"merge\": false, "
		   "\"dump\": false, \"prealloc\": false, \"share\": true, \"reserve\": true, "
		   "\"host-nodes\": [], \"policy\": \"default\"}]}\r\n");
	check_talk(ABOUT("query-memory-devices", "r"), "{\"return\": []}\r\n");
	check_talk(ABOUT("query-memdev", "x"), ERROR("DeviceNotFound", "there is no VM 'x'"));
}

#define QOM(command, arguments) \
	"{\"execute\": \"qom-" command "\", \"arguments\": {\"vm\": \"r\", " arguments "}}"
#define MEMBER(name, type) "{\"name\": \"" name "\", \"type\": \"" type "\"}"
#define PROPERTY(name)	   "\"path\": \"/objects/ram\", \"property\": \"" name "\""

static void objects_have_properties(void **state)
{
	static const struct {
		const char *text, *value;
	} cases[] = {
		{QOM("get", PROPERTY("type")), "\"memory-backend-file\""},
		{QOM("get", PROPERTY("size")), "16777216"},
		{QOM("get", PROPERTY("share")), "true"},
		{QOM("get", PROPERTY("mem-path")), "\"/a\\\"b\""},
		{QOM("get", PROPERTY("rom")), "\"off\""},
		{QOM("get", PROPERTY("policy")), "\"default\""},
		{QOM("get", PROPERTY("host-nodes")), "[]"},
		{QOM("get", PROPERTY("prealloc-threads")), "0"},
		{QOM("get", PROPERTY("prealloc-context")), "\"\""},
		{QOM("list", "\"path\": \"/objects\""),
		 "[{\"name\": \"type\", \"type\": \"string\"}, {\"name\": \"ram\", \"type\": "
		 "\"child<memory-backend-file>\"}]"},
	};
	char answer[300];

	ram.mem_path = "/a\"b";
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		snprintf(answer, sizeof(answer), "{\"return\": %s}\r\n", cases[i].value);
		check_talk(cases[i].text, answer);
	}
	ram.readonly = true;
	check_talk(QOM("get", PROPERTY("rom")), "{\"return\": \"on\"}\r\n");
	ram.rom = ON_OFF_AUTO_OFF;
	check_talk(QOM("get", PROPERTY("rom")), "{\"return\": \"off\"}\r\n");
	check_talk(QOM("get", PROPERTY("merge")), "{\"return\": false}\r\n");
	ram.host_nodes[0] = BIT(3);
	ram.host_nodes[1] = BIT(0);
	ram.prealloc_context = "tc";
	check_talk(QOM("get", PROPERTY("host-nodes")), "{\"return\": [3, 64]}\r\n");
	check_talk(QOM("get", PROPERTY("prealloc-context")), "{\"return\": \"/objects/tc\"}\r\n");
	check_talk(QOM("list", "\"path\": \"/machine\""),
		   ERROR("DeviceNotFound", "Device '/machine' not found"));
	check_talk(QOM("list", "\"path\": \"/objects/x\""),
		   ERROR("DeviceNotFound", "Device '/objects/x' not found"));
}

/* The object itself is listed as QEMU lists it; memory-backend-ram lacks what is about files. */
static void an_objects_properties_are_listed(void **state)
{
	static const char list[] = QOM("list", "\"path\": \"/objects/ram\"");

	assert_non_null(strstr(ask(list), "{\"return\": [{\"name\": \"type\", \"type\": "
					  "\"string\"}, {\"name\": \"share\", "));
	assert_non_null(strstr(sent, MEMBER("rom", "OnOffAuto")));
	ram.type = BACKEND_RAM;
	assert_non_null(strstr(ask(list), MEMBER("merge", "bool")));
	assert_null(strstr(sent, "OnOffAuto"));
}

static void two_properties_can_change(void **state)
{
	check_talk(QOM("set", PROPERTY("dump") ", \"value\": true"), EMPTY);
	check_talk(QOM("set", PROPERTY("merge") ", \"value\": true"), EMPTY);
	assert_true(ram.dump && ram.merge);
	check_talk(QOM("set", PROPERTY("merge") ", \"value\": false"), EMPTY);
	assert_false(ram.merge);
	check_talk(QOM("set", PROPERTY("merge") ", \"value\": 1"),
		   GENERIC("Invalid parameter type for 'merge', expected: boolean"));
	check_talk(QOM("set", PROPERTY("size") ", \"value\": 1"),
		   GENERIC("cannot change property 'size' of memory-backend-file"));
	check_talk(QOM("set", PROPERTY("x") ", \"value\": 1"),
		   GENERIC("Property 'memory-backend-file.x' not found"));
	check_talk("{\"execute\": \"qom-set\", \"arguments\": {\"vm\": \"r\", \"path\": \"/x\", "
		   "\"property\": \"merge\", \"value\": true}}",
		   ERROR("DeviceNotFound", "Device '/x' not found"));
	ram.type = BACKEND_RAM;
	check_talk(QOM("set", PROPERTY("align") ", \"value\": 1"),
		   GENERIC("Property 'memory-backend-ram.align' not found"));
}

/* Nothing that a configuration may hold overflows a piece. */
static void a_long_path_is_cut(void **state)
{
	static char path[10000];

	memset(path, '\x1f', sizeof(path) - 1);
	ram.mem_path = path;
	assert_non_null(strstr(ask(QOM("get", PROPERTY("mem-path"))), "\\u001f\"}\r\n"));
}

#define CALL(command, arguments) "{\"execute\": \"" command "\", \"arguments\": {" arguments "}}"
#define ON(vm, rest)		 "\"vm\": \"" vm "\", " rest
#define STOPPED			 EVENT("STOP", "\"vm\": \"r\"") EVENT("RESUME", "\"vm\": \"r\"")

static void use_images(void)
{
	static char memory[1024] __attribute__((aligned(16)));
	static struct arena arena = {.base = memory, .size = sizeof(memory)};
	static struct image_list images = {.arena = &arena};

	hotplug_job_setup(&images);
}

/* Without slots no DIMM can be added; templates and clones have one map for all. */
static void memory_that_cannot_come_or_go_is_refused(void **state)
{
	static const struct {
		const char *text, *answer;
	} cases[] = {
		{CALL("device_add", ON("r", "\"driver\": \"pc-dimm\", \"memdev\": \"ram\"")),
		 GENERIC("no slots where allocated, please specify the 'slots' option") STOPPED},
		{CALL("device_add", ON("r", "\"driver\": \"x\"")),
		 GENERIC("Device 'x' can not be hotplugged on this machine") STOPPED},
		{CALL("device_add", "\"vm\": \"r\""),
		 GENERIC("Parameter 'driver' is missing") STOPPED},
		{CALL("device_add", ON("r", "\"driver\": \"pc-dimm\", \"memdev\": \"x\"")),
		 ERROR("DeviceNotFound", "Device 'x' not found") STOPPED},
		{CALL("device_add", "\"driver\": \"x\", \"vm\": 5"),
		 GENERIC("Invalid parameter type for 'vm', expected: string")},
		{CALL("device_add", "\"driver\": \"x\", \"vm\": \"n\""),
		 ERROR("DeviceNotFound", "there is no VM 'n'")},
		{CALL("device_add", "\"driver\": \"x\", \"vm\": \"t\""),
		 GENERIC("VM t: it is a template: its clones have the same memory")},
		{CALL("device_del", ON("r", "\"id\": \"n\"")),
		 GENERIC("nvdimm device hot unplug is not supported yet.")},
		{CALL("device_del", ON("t-0", "\"id\": \"d\"")),
		 GENERIC("VM t-0: it is a clone: it has its template's memory")},
		{CALL("device_del", ON("r", "\"id\": \"x\"")),
		 ERROR("DeviceNotFound", "Device 'x' not found")},
		{CALL("object-del", ON("r", "\"id\": \"ram\"")),
		 GENERIC("object 'ram' is in use, can not be deleted")},
		{CALL("object-del", ON("r", "\"id\": \"x\"")), GENERIC("object 'x' not found")},
		{CALL("object-add", "\"vm\": \"r\""), GENERIC("Parameter 'qom-type' is missing")},
		{CALL("object-add", ON("t-0", "\"id\": \"m\"")),
		 GENERIC("VM t-0: it is a clone: it has its template's memory")},
		{CALL("object-add", ON("r", "\"qom-type\": \"thread-context\", \"id\": \"m\"")),
		 GENERIC("a thread-context cannot be added to a running VM")},
	};
	struct dimm_config nvdimm = {.id = "n", .is_nvdimm = true};
	struct dimm_config dimm = {.id = "d", .next = &nvdimm}, unnamed = {.next = &dimm};
	uint64_t n_free = frame_available();

	use_images();
	ram.busy = true;
	config.dimms = &unnamed;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_talk(cases[i].text, cases[i].answer);
	config.dimms = NULL;
	assert_int_equal(frame_available(), n_free);
}

#define OBJECT(size) \
	CALL("object-add", ON("r", "\"qom-type\": \"memory-backend-ram\", \"id\": \"m\", " \
				   "\"share\": true, \"size\": " size))

/* Its frames come and go with it, or with its VM. */
static void an_object_comes_and_goes(void **state)
{
	uint64_t n_free = frame_available();

	use_images();
	check_talk(OBJECT("0"),
		   GENERIC("property 'size' of memory-backend-ram doesn't take value '0'"));
	check_talk(OBJECT("16777216"),
		   GENERIC("cannot set up guest memory 'm': Cannot allocate memory"));
	assert_int_equal(frame_available(), n_free);
	check_talk(OBJECT("8192"), EMPTY);
	assert_true(frame_available() < n_free);
	check_talk(OBJECT("8192"), GENERIC("attempt to add duplicate property 'm' to object (type "
					   "'container')"));
	check_talk(CALL("object-del", ON("r", "\"id\": \"m\"")), EMPTY);
	check_talk(CALL("object-del", ON("r", "\"id\": \"m\"")), GENERIC("object 'm' not found"));
	assert_int_equal(frame_available(), n_free);
	check_talk(OBJECT("4096"), EMPTY);
	added_leave(&running);
	while (added_clean_up())
		continue;
	assert_int_equal(frame_available(), n_free);
	assert_null(ram.next);
}

static bool job_ends;

static enum job_state wait_for_end(void)
{
	return job_ends ? JOB_IS_DONE : JOB_WAITS;
}

/* A dump at the prompt reads a VM that must neither run nor go. */
static void a_vm_that_a_job_reads_stays(void **state)
{
	static const struct job job = {.step = wait_for_end};
	static const char *const commands[] = {CALL("cont", "\"vm\": \"t-0\""),
					       CALL("__org.stencil_destroy", "\"vm\": \"t-0\""),
					       CALL("__org.stencil_revert", "\"vm\": \"t-0\""),
					       CALL("object-del", ON("r", "\"id\": \"x\""))};

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		job_ends = false;
		job_begin(&job);
		assert_string_equal(ask(commands[i]), "");
		assert_string_equal(did, "");
		assert_int_equal(stopped.outcome, VM_RUNNING);
		job_ends = true;
		turn(300);
		assert_non_null(strstr(sent, i < 3 ? EMPTY : "not found"));
		begin(NULL);
	}
}

#define PROMPT(line) \
	"{\"execute\": \"human-monitor-command\", \"arguments\": {\"command-line\": \"" line "\"}" \
	"}"

static void the_prompts_commands_are_answered_here(void **state)
{
	static char line[400];

	check_talk(PROMPT("info status"), "{\"return\": \"VM status: running\\r\\n\"}\r\n");
	check_talk(PROMPT("foo \\\"a\\\""), "{\"return\": \"unknown command: 'foo'\\r\\n\"}\r\n");
	check_talk(PROMPT("vm t"), "{\"return\": \"\"}\r\n");
	check_talk(PROMPT("check"), "{\"return\": \"check: VMs and templates: 3, frames: 0, "
				    "faults: 0\\r\\n\"}\r\n");
	check_talk(PROMPT("info registers"),
		   "{\"return\": \"CR0=00000011\\r\\n\"}\r\n" EVENT("STOP", "\"vm\": \"r\"")
			   EVENT("RESUME", "\"vm\": \"r\""));
	assert_string_equal(did, "focus t\n");
	memset(line, 'x', 300);
	snprintf(line, sizeof(line), PROMPT("%0*u"), 256, 1u);
	check_talk(line, GENERIC("the command line is longer than 255 bytes"));
}

static enum job_state wait(void)
{
	return JOB_WAITS;
}

/* A command of the console has not ended; those that need no job are answered meanwhile. */
static void the_consoles_job_is_waited_for(void **state)
{
	static const struct job job = {.step = wait};

	job_begin(&job);
	check_talk(ABOUT("query-status", "r"),
		   "{\"return\": {\"running\": true, \"status\": \"running\"}}\r\n");
	check_talk(PROMPT("vm t"), "");
	assert_string_equal(did, "");
	assert_true(job_interrupt());
	assert_string_equal(did, "console: Interrupted\n");
	check_talk("", "{\"return\": \"\"}\r\n");
}

#define DUMP(arguments) \
	"{\"execute\": \"dump-guest-memory\", \"arguments\": {\"vm\": \"r\", " arguments "}}"

static void memory_is_dumped(void **state)
{
	static char path[MONITOR_LINE_SIZE + 1], text[sizeof(path) + 200];

	check_talk(DUMP("\"paging\": false, \"protocol\": \"file:/core\""), EMPTY);
	assert_string_equal(did, "dump r\n");
	check_talk(DUMP("\"paging\": false, \"protocol\": \"file:/there\""),
		   GENERIC("dump: failed to open '/there': File exists"));
	check_talk(DUMP("\"paging\": false, \"protocol\": \"/core\""),
		   GENERIC("Invalid parameter 'protocol'"));
	memset(path, 'x', sizeof(path) - 1);
	snprintf(text, sizeof(text), DUMP("\"paging\": false, \"protocol\": \"file:%s\""), path);
	check_talk(text, GENERIC("Invalid parameter 'protocol'"));
	check_talk(DUMP("\"paging\": true, \"protocol\": \"file:/core\""),
		   GENERIC("a dump has no paging: 'paging' must be false"));
	assert_string_equal(did, "dump r\n");
}

static void the_console_does_not_interrupt_it(void **state)
{
	received = DUMP("\"paging\": false, \"protocol\": \"file:/core\"");
	while (!job_is_running())
		qmp_poll();
	assert_false(job_interrupt());
	check_talk("", EMPTY);
}

/* A client that does not read long enough is told how many it has missed. */
static void lost_events_are_counted(void **state)
{
	(void)ask("");
	for (unsigned i = 0; i < NEWS_KEPT + 3; i++)
		news_tell(running.name, NEWS_FROZEN, "");
	assert_non_null(strstr(ask(""), TIME "\"__org.stencil_EVENTS_LOST\", \"data\": "
					     "{\"count\": 3}}\r\n"));
	check_talk("", "");
}

static void who_has_not_negotiated_gets_no_events(void **state)
{
	check_talk("\xff", GREETING);
	news_tell(running.name, NEWS_FROZEN, "");
	check_talk("", "");
	check_talk("{'execute': 'qmp_capabilities'}", EMPTY);
}

static void every_event_is_written(void **state)
{
	for (unsigned kind = 0; kind < N_NEWS_KINDS; kind++) {
		(void)ask("");
		news_tell(running.name, kind, "\"why\"");
		assert_non_null(strstr(ask(""), "\", \"data\": {\"vm\": \"r\""));
	}
}

static void the_end_sends_the_rest(void **state)
{
	sent[n_sent = 0] = '\0';
	news_tell(running.name, NEWS_FAILED, "triple fault");
	news_tell(stopped.name, NEWS_PANICKED, "");
	qmp_end();
	assert_string_equal(sent,
			    TIME "\"SHUTDOWN\", \"data\": {\"vm\": \"r\", \"guest\": false, "
				 "\"reason\": \"host-error\", \"why\": \"triple fault\"}}\r\n" TIME
				 "\"GUEST_PANICKED\", \"data\": {\"vm\": \"t-0\", \"action\": "
				 "\"poweroff\"}}\r\n");
}

/* Last: 'quit' holds for ever. */
static void quit_ends_the_machine(void **state)
{
	check_talk("{\"execute\": \"quit\"}", EMPTY);
	assert_true(command_has_quit());
	assert_false(qmp_holds_machine());
}

/* Brackets in pairs; none of them is in a string here. */
static bool is_whole(const char *answer)
{
	int depth = 0;

	for (; *answer != '\r' && *answer != '\0'; answer++)
		depth += (*answer == '{' || *answer == '[') - (*answer == '}' || *answer == ']');
	return depth == 0 && strcmp(answer, "\r\n") == 0;
}

#define ENTITY(name, meta) "{\"name\": \"" name "\", \"meta-type\": \"" meta "\", "

static void the_schema_tells_types_commands_and_events(void **state)
{
	static const char first[] = "{\"return\": [" ENTITY("str", "builtin") "\"json-type\": ";
	static const char *const parts[] = {
		ENTITY("[str]", "array") "\"element-type\": \"str\"}, ",
		ENTITY("RunState", "enum") "\"values\": [\"running\", \"paused\"]}, ",
		ENTITY("Empty", "object") "\"members\": []}, ",
		"{\"name\": \"slot\", \"default\": null, \"type\": \"int\"}, ",
		MEMBER("size", "int") ", " MEMBER("memdev", "str"),
		ENTITY("query-status", "command") "\"arg-type\": \"query-status-arg\", "
						  "\"ret-type\": \"StatusInfo\"}, ",
		ENTITY("STOP", "event") "\"arg-type\": \"STOP-data\"}, " ENTITY("STOP-data",
										"object"),
	};

	(void)ask("{\"execute\": \"query-qmp-schema\"}");
	turn(10000);
	assert_memory_equal(sent, first, sizeof(first) - 1);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		assert_non_null(strstr(sent, parts[i]));
	assert_true(is_whole(sent));
}

static void commands_are_listed(void **state)
{
	assert_non_null(strstr(ask("{\"execute\": \"query-commands\"}"),
			       "{\"return\": [{\"name\": \"__org.stencil_clone\"}, "));
	assert_non_null(strstr(sent, ", {\"name\": \"query-status\"}"));
	assert_true(is_whole(sent));
}

/* Of each event, however many rows of the table tell of it. */
static void the_schema_has_each_name_once(void **state)
{
	static const char *const names[] = {"qmp_capabilities", "query-commands",
					    "query-qmp-schema", "RESET",
					    "SHUTDOWN",		"__org.stencil_CLONED"};
	char part[80];

	(void)ask("{\"execute\": \"query-qmp-schema\"}");
	turn(10000);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(part, sizeof(part), "{\"name\": \"%s\", \"meta-type\": ", names[i]);
		assert_non_null(strstr(sent, part));
		assert_null(strstr(strstr(sent, part) + 1, part));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_schema_tells_types_commands_and_events, begin),
		cmocka_unit_test_setup(commands_are_listed, begin),
		cmocka_unit_test_setup(the_schema_has_each_name_once, begin),
		cmocka_unit_test_setup(a_client_is_greeted_and_negotiates, begin),
		cmocka_unit_test_setup(an_id_comes_back, begin),
		cmocka_unit_test_setup(what_is_no_command_is_refused_in_qemus_words, begin),
		cmocka_unit_test_setup(messages_need_no_lines, begin),
		cmocka_unit_test_setup(a_message_has_a_limit, begin),
		cmocka_unit_test_setup(a_vm_is_named, begin),
		cmocka_unit_test_setup(a_balloon_is_asked_for_and_told, begin),
		cmocka_unit_test_setup(vms_do_what_they_are_told, begin),
		cmocka_unit_test_setup(clones_are_made, begin),
		cmocka_unit_test_setup(vms_are_listed, begin),
		cmocka_unit_test_setup(clones_are_counted_for_their_template, begin),
		cmocka_unit_test_setup(metrics_end, begin),
		cmocka_unit_test_setup(memory_is_described, begin),
		cmocka_unit_test_setup(objects_have_properties, begin),
		cmocka_unit_test_setup(an_objects_properties_are_listed, begin),
		cmocka_unit_test_setup(two_properties_can_change, begin),
		cmocka_unit_test_setup(a_long_path_is_cut, begin),
		cmocka_unit_test_setup(memory_that_cannot_come_or_go_is_refused, begin),
		cmocka_unit_test_setup(an_object_comes_and_goes, begin),
		cmocka_unit_test_setup(a_vm_that_a_job_reads_stays, begin),
		cmocka_unit_test_setup(the_prompts_commands_are_answered_here, begin),
		cmocka_unit_test_setup(the_consoles_job_is_waited_for, begin),
		cmocka_unit_test_setup(memory_is_dumped, begin),
		cmocka_unit_test_setup(the_console_does_not_interrupt_it, begin),
		cmocka_unit_test_setup(lost_events_are_counted, begin),
		cmocka_unit_test_setup(who_has_not_negotiated_gets_no_events, begin),
		cmocka_unit_test_setup(every_event_is_written, begin),
		cmocka_unit_test_setup(the_end_sends_the_rest, begin),
		cmocka_unit_test_setup(quit_ends_the_machine, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
