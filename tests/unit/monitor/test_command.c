/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/monitor/command.h"

#include <string.h>

#include "tests/unit/support.h"

static char said[8192];

static void collect(void *context, const char *line)
{
	assert_ptr_equal(context, said);
	strcat(strcat(said, line), "\n");
}

static struct monitor_request parse(const char *text)
{
	static struct monitor_request request;
	static char line[256];

	*said = '\0';
	strcpy(line, text);
	monitor_parse(line, &request, collect, said);
	return request;
}

static void commands_are_told_apart(void **state)
{
	static const struct {
		const char *line;
		enum monitor_command command;
		const char *name;
	} cases[] = {
		{"clone t", MONITOR_CLONE, "t"},
		{"info frames", MONITOR_INFO_FRAMES, "info frames"},
		{"cont", MONITOR_CONT, NULL},
		{"c", MONITOR_CONT, NULL},
		{"destroy t-1", MONITOR_DESTROY, "t-1"},
		{"freeze  t ", MONITOR_FREEZE, "t"},
		{"info cpus", MONITOR_INFO_CPUS, "info cpus"},
		{"info memdev", MONITOR_INFO_MEMORY, "info memdev"},
		{"info memory-devices", MONITOR_INFO_MEMORY, "info memory-devices"},
		{"info memory_size_summary", MONITOR_INFO_MEMORY, "info memory_size_summary"},
		{"info  mtree   -f", MONITOR_INFO_MEMORY, "info mtree -f"},
		{"info numa", MONITOR_INFO_MEMORY, "info numa"},
		{"info merge", MONITOR_INFO_MERGE, "info merge"},
		{"info registers", MONITOR_INFO_REGISTERS, "info registers"},
		{"info status", MONITOR_INFO_STATUS, "info status"},
		{"info templates", MONITOR_INFO_TEMPLATES, "info templates"},
		{"info version", MONITOR_INFO_VERSION, "info version"},
		{"info vms", MONITOR_INFO_VMS, "info vms"},
		{"query-memdev", MONITOR_INFO_MEMORY, "query-memdev"},
		{"query-memory-devices", MONITOR_INFO_MEMORY, "query-memory-devices"},
		{"query-memory-size-summary", MONITOR_INFO_MEMORY, "query-memory-size-summary"},
		{"quit", MONITOR_QUIT, NULL},
		{"q", MONITOR_QUIT, NULL},
		{"revert t-0", MONITOR_REVERT, "t-0"},
		{"save t /x", MONITOR_SAVE, "t"},
		{"save -s t x", MONITOR_SAVE, "t"},
		{"send \"/a b\"", MONITOR_SEND, "/a b"},
		{"stop", MONITOR_STOP, NULL},
		{"system_powerdown", MONITOR_SYSTEM_POWERDOWN, NULL},
		{"system_reset", MONITOR_SYSTEM_RESET, NULL},
		{"vm t", MONITOR_VM, "t"},
		{"dump-guest-memory /d", MONITOR_DUMP, "/d"},
		{"", MONITOR_NOTHING, NULL},
		{"  ", MONITOR_NOTHING, NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char line[256], text[256];
		struct monitor_request request;

		*said = '\0';
		strcpy(line, cases[i].line);
		monitor_parse(line, &request, collect, said);
		assert_string_equal(said, "");
		assert_int_equal(request.command, cases[i].command);
		if (cases[i].name == NULL) {
			assert_null(request.name);
			continue;
		}
		strcpy(text, request.name);
		assert_string_equal(text, cases[i].name);
	}
}

static void a_memory_topic_is_one_that_is_answered(void **state)
{
	static const char *const lines[] = {
		"info memdev",
		"info memory-devices",
		"info numa",
		"info memory_size_summary",
		"info mtree -f",
		"query-memdev",
		"query-memory-devices",
		"query-memory-size-summary",
	};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		assert_true(info_is_command(lines[i]));
}

static void options_are_read(void **state)
{
	assert_int_equal(parse("clone t").count, 1);
	assert_int_equal(parse("clone t 1000").count, 1000);
	assert_int_equal(parse("clone t 4294967295").count, UINT32_MAX);
	assert_string_equal(parse("clone -S t 3").name, "t");
	assert_int_equal(parse("clone -S t 3").count, 3);
	assert_true(parse("clone -S t").is_paused);
	assert_false(parse("clone t").is_paused);
	assert_false(parse("dump-guest-memory /d").is_sent);
	assert_true(parse("dump-guest-memory -s /d").is_sent);
	assert_int_equal(parse("dump-guest-memory -s /d").command, MONITOR_DUMP);
	assert_false(parse("save t /x").is_sent);
	assert_string_equal(parse("save t /x").path, "/x");
	assert_true(parse("save -s t /x").is_sent);
	assert_string_equal(parse("save -s t /x").path, "/x");
}

static void names_of_files_that_could_not_be_sent_are_refused(void **state)
{
	char line[256] = "save t ", *end = line + strlen(line);

	memset(end, 'x', 190);
	assert_int_equal(parse(line).command, MONITOR_SAVE);
	end[190] = 'x';
	assert_int_equal(parse(line).command, MONITOR_NOTHING);
	assert_string_equal(said, "save: the files' name is too long\n");
}

static void what_is_wrong_is_said_in_qemus_words(void **state)
{
	static const struct {
		const char *line, *said;
	} cases[] = {
		{"x", "unknown command: 'x'\n"},
		{"Info", "unknown command: 'Info'\n"},
		{"info x", "unknown command: 'info x'\n"},
		{"info mtree -d", "unknown command: 'info mtree -d'\n"},
		{"info mtree", "unknown command: 'info mtree'\n"},
		{"info memdev x", "unknown command: 'info memdev x'\n"},
		{"info kvm", "unknown command: 'info kvm'\n"},
		{"info status x", "status: extraneous characters at the end of line\n"
				  "Try \"help status\" for more information\n"},
		{"stop x", "stop: extraneous characters at the end of line\n"
			   "Try \"help stop\" for more information\n"},
		{"vm", "vm: string expected\nTry \"help vm\" for more information\n"},
		{"dump-guest-memory", "dump-guest-memory: string expected\n"
				      "Try \"help dump-guest-memory\" for more information\n"},
		{"dump-guest-memory -s", "dump-guest-memory: string expected\n"
					 "Try \"help dump-guest-memory\" for more information\n"},
		{"dump-guest-memory /a b",
		 "dump-guest-memory: extraneous characters at the end of line\n"
		 "Try \"help dump-guest-memory\" for more information\n"},
		{"clone -S", "clone: string expected\nTry \"help clone\" for more information\n"},
		{"clone a 1 b", "clone: extraneous characters at the end of line\n"
				"Try \"help clone\" for more information\n"},
		{"save t", "save: string expected\nTry \"help save\" for more information\n"},
		{"save -s t", "save: string expected\nTry \"help save\" for more information\n"},
		{"save t /x y", "save: extraneous characters at the end of line\n"
				"Try \"help save\" for more information\n"},
		{"clone t 0", "clone: invalid count '0'\n"},
		{"clone t x", "clone: invalid count 'x'\n"},
		{"clone t -1", "clone: invalid count '-1'\n"},
		{"clone t 4294967296", "clone: invalid count '4294967296'\n"},
		{"clone t 99999999999999999999", "clone: invalid count '99999999999999999999'\n"},
		{"send \"/a", "unterminated string\n"},
		{"1 2 3 4 5 6 7 8 9", "too many words\n"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(parse(cases[i].line).command, MONITOR_NOTHING);
		assert_string_equal(said, cases[i].said);
	}
}

static void help_names_every_command(void **state)
{
	static const char *const names[] = {
		"clone",	"cont|c", "destroy", "dump-guest-memory",
		"freeze",	"help|?", "info",    "query-memdev",
		"quit|q",	"revert", "send",    "stop",
		"system_reset", "vm"};

	assert_int_equal(parse("help").command, MONITOR_NOTHING);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_non_null(strstr(said, names[i]));
	(void)parse("help stop");
	assert_string_equal(said, "stop -- stop the VM in focus\n");
	(void)parse("? clone");
	assert_string_equal(said, "clone [-S] name [count] -- start clones of a template\n"
				  "\t\t\t -S: stopped, until 'cont'\n");
	(void)parse("help x"); /* QEMU says nothing either */
	assert_string_equal(said, "");
	(void)parse("info");
	assert_non_null(strstr(said, "info mtree -f -- "));
	assert_non_null(strstr(said, "info vms -- "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands_are_told_apart),
		cmocka_unit_test(a_memory_topic_is_one_that_is_answered),
		cmocka_unit_test(options_are_read),
		cmocka_unit_test(names_of_files_that_could_not_be_sent_are_refused),
		cmocka_unit_test(what_is_wrong_is_said_in_qemus_words),
		cmocka_unit_test(help_names_every_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
