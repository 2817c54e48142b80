/* SPDX-License-Identifier: BSD-2-Clause */
/* The monitor's commands: their names, arguments and help. What they do is in hv/monitor/monitor.c.
 */
#include "hv/monitor/command.h"

#include "hv/config/config.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"
#include "hv/monitor/line.h"

#define LINE_MAX 300

struct spec {
	const char *name, *alias;
	const char *arguments; /* as help shows them */
	const char *help;
	enum monitor_command command;
	uint8_t min, max; /* arguments */
};

static const struct spec commands[] = {
	{"clone", NULL, "[-S] name [count]",
	 "start clones of a template\n\t\t\t -S: stopped, until 'cont'", MONITOR_CLONE, 1, 3},
	{"cont", "c", "", "resume the VM in focus", MONITOR_CONT, 0, 0},
	{"destroy", NULL, "name", "end a VM; of a template, its last clone takes it along",
	 MONITOR_DESTROY, 1, 1},
	{"dump-guest-memory", NULL, "[-s] filename",
	 "dump the memory of the VM in focus into file 'filename' of the ramdisk\n"
	 "\t\t\t -s: send it by the console instead",
	 MONITOR_DUMP, 1, 2},
	{"freeze", NULL, "name", "make a VM a template", MONITOR_FREEZE, 1, 1},
	{"help", "?", "[cmd]", "show the help", MONITOR_NOTHING, 0, 1},
	{"info", NULL, "[subcommand]", "show various information about the system state",
	 MONITOR_NOTHING, 0, 2},
	{"query-memdev", NULL, "", "show memory backends, as JSON", MONITOR_INFO_MEMORY, 0, 0},
	{"query-memory-devices", NULL, "", "show memory devices, as JSON", MONITOR_INFO_MEMORY, 0,
	 0},
	{"query-memory-size-summary", NULL, "", "show the amount of memory, as JSON",
	 MONITOR_INFO_MEMORY, 0, 0},
	{"quit", "q", "", "end all VMs, and the machine", MONITOR_QUIT, 0, 0},
	{"revert", NULL, "name", "make a clone what its template was", MONITOR_REVERT, 1, 1},
	{"save", NULL, "[-s] name filename",
	 "save a template, or a VM that is stopped, into files 'filename'.state and .mem\n"
	 "\t\t\t -s: send them by the console instead",
	 MONITOR_SAVE, 2, 3},
	{"send", NULL, "filename", "send a file of the ramdisk by the console", MONITOR_SEND, 1, 1},
	{"stop", NULL, "", "stop the VM in focus", MONITOR_STOP, 0, 0},
	{"system_powerdown", NULL, "", "send system power down event", MONITOR_SYSTEM_POWERDOWN, 0,
	 0},
	{"system_reset", NULL, "", "reset the VM in focus", MONITOR_SYSTEM_RESET, 0, 0},
	{"vm", NULL, "name", "put a VM into focus", MONITOR_VM, 1, 1},
};

static const struct spec topics[] = {
	{"cpus", NULL, "", "show infos for each CPU", MONITOR_INFO_CPUS, 0, 0},
	{"frames", NULL, "", "show the machine's memory", MONITOR_INFO_FRAMES, 0, 0},
	{"memdev", NULL, "", "show memory backends", MONITOR_INFO_MEMORY, 0, 0},
	{"memory-devices", NULL, "", "show memory devices", MONITOR_INFO_MEMORY, 0, 0},
	{"memory_size_summary", NULL, "",
	 "show the amount of initially allocated and present hotpluggable memory in bytes",
	 MONITOR_INFO_MEMORY, 0, 0},
	{"merge", NULL, "", "show what merging equal pages has saved", MONITOR_INFO_MERGE, 0, 0},
	{"mtree", NULL, "-f", "show memory tree (-f: dump flat view for address spaces)",
	 MONITOR_INFO_MEMORY, 1, 1},
	{"numa", NULL, "", "show NUMA information", MONITOR_INFO_MEMORY, 0, 0},
	{"registers", NULL, "", "show the cpu registers", MONITOR_INFO_REGISTERS, 0, 0},
	{"status", NULL, "", "show the current VM status (running|paused)", MONITOR_INFO_STATUS, 0,
	 0},
	{"templates", NULL, "", "show the templates", MONITOR_INFO_TEMPLATES, 0, 0},
	{"version", NULL, "", "show the version of Stencil", MONITOR_INFO_VERSION, 0, 0},
	{"vms", NULL, "", "show the VMs", MONITOR_INFO_VMS, 0, 0},
};

/* Where answers go. */
struct to {
	info_emit *emit;
	void *context;
};

__attribute__((format(printf, 2, 3))) static void say(const struct to *to, const char *fmt, ...)
{
	char line[LINE_MAX];
	va_list args;

	va_start(args, fmt);
	format_v(line, sizeof(line), fmt, args);
	va_end(args);
	to->emit(to->context, line);
}

static const struct spec *find(const struct spec *specs, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(specs[i].name, name) == 0 ||
		    (specs[i].alias && strcmp(specs[i].alias, name) == 0))
			return &specs[i];
	return NULL;
}

static void help(const struct spec *spec, const char *before, const struct to *to)
{
	say(to, "%s%s%s%s%s%s -- %s", before, spec->name, spec->alias ? "|" : "",
	    spec->alias ? spec->alias : "", *spec->arguments ? " " : "", spec->arguments,
	    spec->help);
}

static void help_all(const struct spec *specs, size_t n, const char *before, const struct to *to)
{
	for (size_t i = 0; i < n; i++)
		help(&specs[i], before, to);
}

static void help_with(const char *name, const struct to *to)
{
	const struct spec *spec = name ? find(commands, ARRAY_SIZE(commands), name) : NULL;

	if (name == NULL)
		help_all(commands, ARRAY_SIZE(commands), "", to);
	else if (strcmp(name, "info") == 0)
		help_all(topics, ARRAY_SIZE(topics), "info ", to);
	else if (spec)
		help(spec, "", to);
}

/* As QEMU counts: arguments that are missing, or too many. */
static bool has_arguments(const struct spec *spec, size_t n, const struct to *to)
{
	if (n >= spec->min && n <= spec->max)
		return true;
	if (n < spec->min)
		say(to, "%s: string expected", spec->name);
	else
		say(to, "%s: extraneous characters at the end of line", spec->name);
	say(to, "Try \"help %s\" for more information", spec->name);
	return false;
}

static bool read_count(const char *text, uint32_t *ret)
{
	uint64_t n = 0;

	for (; *text >= '0' && *text <= '9' && n < UINT32_MAX; text++)
		n = n * 10 + (uint64_t)(*text - '0');
	*ret = (uint32_t)n;
	return *text == '\0' && n > 0 && n <= UINT32_MAX;
}

static void parse_info(const char *const *words, size_t n, struct monitor_request *ret,
		       const struct to *to)
{
	const struct spec *spec;

	if (n == 0) {
		help_with("info", to);
		return;
	}
	format(ret->text, sizeof(ret->text), "info %s%s%s", words[0], n > 1 ? " " : "",
	       n > 1 ? words[1] : "");
	spec = find(topics, ARRAY_SIZE(topics), words[0]);
	if (spec && spec->command != MONITOR_INFO_MEMORY && !has_arguments(spec, n - 1, to))
		return;
	if (spec == NULL || (spec->command == MONITOR_INFO_MEMORY && !info_is_command(ret->text))) {
		say(to, "unknown command: '%s'", ret->text);
		return;
	}
	ret->command = spec->command;
	ret->name = ret->text;
}

static void parse_dump(const char *const *words, size_t n, struct monitor_request *ret,
		       const struct to *to)
{
	ret->is_sent = strcmp(words[0], "-s") == 0;
	if (n != 1u + ret->is_sent) {
		say(to, n == 1 ? "dump-guest-memory: string expected"
			       : "dump-guest-memory: extraneous characters at the end of line");
		say(to, "Try \"help dump-guest-memory\" for more information");
		return;
	}
	ret->command = MONITOR_DUMP;
	ret->name = words[n - 1];
}

static void parse_save(const char *const *words, size_t n, struct monitor_request *ret,
		       const struct to *to)
{
	ret->is_sent = strcmp(words[0], "-s") == 0;
	if (n != 2u + ret->is_sent) {
		say(to, n == 2 ? "save: string expected"
			       : "save: extraneous characters at the end of line");
		say(to, "Try \"help save\" for more information");
		return;
	}
	if (strlen(words[n - 1]) > SAVE_PATH_MAX) {
		say(to, "save: the files' name is too long");
		return;
	}
	ret->command = MONITOR_SAVE;
	ret->name = words[n - 2];
	ret->path = words[n - 1];
}

/* Words are [-S] name [count]. */
static void parse_clone(const char *const *words, size_t n, struct monitor_request *ret,
			const struct to *to)
{
	size_t first = strcmp(words[0], "-S") == 0;

	if (n - first < 1 || n - first > 2) {
		say(to, n == first ? "clone: string expected"
				   : "clone: extraneous characters at the end of line");
		say(to, "Try \"help clone\" for more information");
		return;
	}
	if (n - first == 2 && !read_count(words[n - 1], &ret->count)) {
		say(to, "clone: invalid count '%s'", words[n - 1]);
		return;
	}
	ret->command = MONITOR_CLONE;
	ret->is_paused = first == 1;
	ret->name = words[first];
}

static void parse_rest(const struct spec *spec, const char *const *words, size_t n,
		       struct monitor_request *ret)
{
	ret->command = spec->command;
	ret->name = n > 0 ? words[0] : NULL;
	if (spec->command == MONITOR_INFO_MEMORY)
		ret->name = spec->name;
}

void monitor_parse(char *line, struct monitor_request *ret, info_emit *emit, void *context)
{
	const char *words[MONITOR_WORDS_MAX];
	struct to to = {emit, context};
	const struct spec *spec;
	size_t n;

	*ret = (struct monitor_request){.count = 1};
	switch (monitor_split(line, words, &n)) {
	case OK:
		break;
	case ERR_CORRUPT:
		say(&to, "unterminated string");
		return;
	default:
		say(&to, "too many words");
		return;
	}
	if (n == 0)
		return;
	spec = find(commands, ARRAY_SIZE(commands), words[0]);
	if (spec == NULL)
		say(&to, "unknown command: '%s'", words[0]);
	else if (!has_arguments(spec, n - 1, &to))
		return;
	else if (strcmp(spec->name, "help") == 0)
		help_with(n > 1 ? words[1] : NULL, &to);
	else if (strcmp(spec->name, "info") == 0)
		parse_info(words + 1, n - 1, ret, &to);
	else if (spec->command == MONITOR_CLONE)
		parse_clone(words + 1, n - 1, ret, &to);
	else if (spec->command == MONITOR_DUMP)
		parse_dump(words + 1, n - 1, ret, &to);
	else if (spec->command == MONITOR_SAVE)
		parse_save(words + 1, n - 1, ret, &to);
	else
		parse_rest(spec, words + 1, n - 1, ret);
}
