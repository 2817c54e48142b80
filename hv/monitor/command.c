/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The monitor's commands, a row each. VMs start and end on other processors: a VM is found under
 * vms_lock, and a change is requested in the same way as a guest requests it. The console is not
 * protected: its reader may use every command.
 */
#include "hv/monitor/command.h"

#include "hv/backends/parse.h"
#include "hv/ept/merged.h"
#include "hv/frame/frame.h"
#include "hv/gdb/gdb.h"
#include "hv/guest/merge.h"
#include "hv/host/policy_text.h"
#include "hv/host/tsc.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"
#include "hv/lib/version.h"
#include "hv/monitor/answer.h"
#include "hv/monitor/examine_job.h"
#include "hv/monitor/file_job.h"
#include "hv/monitor/focus.h"
#include "hv/monitor/hotplug_job.h"
#include "hv/monitor/info.h"
#include "hv/monitor/line.h"
#include "hv/monitor/map_job.h"
#include "hv/monitor/network.h"
#include "hv/monitor/say.h"
#include "hv/monitor/status.h"
#include "hv/monitor/vsock_job.h"
#include "hv/net/vsock.h"
#include "hv/vm/balloon.h"
#include "hv/vm/debug.h"
#include "hv/vm/hold.h"
#include "hv/vm/vm.h"

/* What was typed. */
struct request {
	char text[MONITOR_LINE_SIZE + 1]; /* all words, with one blank between two */
	const char *const *word;	  /* 'n' of them: for a handler, the arguments */
	size_t n;
	uint64_t flags; /* bit n: the letter 'A' + n */
	struct vm *vm;	/* the one the command needs, under vms_lock; NULL: it needs none */
};

/* Which VM a command is about. Both VM_NAMED and VM_FOCUS: the one in focus if none is named. */
enum need {
	VM_NAMED = 1, /* the first argument is its name */
	VM_FOCUS = 2,
	VM_RUNS = 4, /* it must not be a template */
	VM_IS_TEMPLATE = 8,
};

struct command {
	const char *name;
	const char *arguments; /* as help shows them */
	const char *help;
	void (*run)(const struct request *request);
	uint8_t min, max;  /* how many arguments, besides the flags */
	uint8_t needs;	   /* enum need */
	const char *flags; /* the letters of options that may come before the arguments */
	const char *alias;
};

static bool has_flag(const struct request *request, char letter)
{
	return request->flags >> (letter - 'A') & 1;
}

static void say_try_help(const char *name)
{
	say("Try \"help %s\" for more information", name);
}

/* Print an error and return NULL if there is none. vms_lock is held. */
static struct vm *find_vm(const char *name)
{
	for (struct vm *vm = vms; vm; vm = vm->next)
		if (strcmp(vm_name(vm), name) == 0 &&
		    (answer_is_running(vm) || answer_is_template(vm)))
			return vm;
	say("Error: there is no VM '%s'", name);
	return NULL;
}

static struct vm *find_focus(void)
{
	struct vm *vm = focus_vm();

	if (vm && (answer_is_running(vm) || answer_is_template(vm)))
		return vm;
	say("Error: there is no VM in focus");
	return NULL;
}

/* False: not a number of 32 bits. */
static bool read_number(const char *text, uint64_t *ret)
{
	uint64_t n = 0;

	if (*text == '\0')
		return false;
	for (; *text >= '0' && *text <= '9' && n <= UINT32_MAX; text++)
		n = n * 10 + (uint64_t)(*text - '0');
	*ret = n;
	return *text == '\0' && n <= UINT32_MAX;
}

/* A size that ends in a digit is in MiB. False: it is none. */
static bool read_mib(const char *text, uint64_t *ret)
{
	char last;

	if (parse_size(text, ret) != OK)
		return false;
	last = text[strlen(text) - 1];
	return last < '0' || last > '9' || !__builtin_mul_overflow(*ret, MIB(1), ret);
}

static bool has_balloon(struct vm *vm)
{
	if (vm_has_balloon(vm))
		return true;
	say("Error: No balloon device has been activated");
	return false;
}

static void balloon(const struct request *request)
{
	uint64_t size;

	if (!read_mib(request->word[0], &size))
		say("invalid size");
	else if (!has_balloon(request->vm))
		return;
	else if (size == 0)
		say("Error: Parameter 'target' expects a size");
	else
		vm_balloon_ask(request->vm, size);
}

static void check(const struct request *request)
{
	(void)request;
	answer_check();
}

static void clone(const struct request *request)
{
	uint64_t count = 1;

	if (request->n == 1 || (read_number(request->word[1], &count) && count > 0))
		answer_clone(request->vm, (uint32_t)count, has_flag(request, 'S'));
	else
		say("clone: invalid count '%s'", request->word[1]);
}

static void cont(const struct request *request)
{
	vm_pause(request->vm, false);
}

static void end_vm(struct vm *vm, enum vm_by_operator by)
{
	vm->by_operator = (uint8_t)by;
	vm_end(vm, VM_ENDED_WELL, "ended by the operator");
}

void command_destroy_vm(struct vm *vm)
{
	if (answer_is_running(vm))
		end_vm(vm, VM_BY_NAME);
	else
		template_give_up(vm);
}

static void destroy(const struct request *request)
{
	command_destroy_vm(request->vm);
}

static void dump_guest_memory(const struct request *request)
{
	file_job_dump(request->vm, request->word[0], has_flag(request, 's'));
}

static void console(const struct request *request)
{
	if (focus_is_reader(request->vm))
		focus_want_attach(request->vm);
	else
		say("Error: VM %s does not read the console", vm_name(request->vm));
}

static void cpu(const struct request *request)
{
	uint64_t number;

	if (!read_number(request->word[0], &number) || number >= request->vm->n_vcpus)
		say("invalid CPU index");
	else
		focus_set_cpu((unsigned)number);
}

/* "[/fmt] addr". Format and size are kept for the next command. */
static void examine(const char *name, const struct request *request, bool is_physical)
{
	static struct examine last = {.format = 'x', .size = 4};
	bool has_format = request->n > 0 && **request->word == '/';
	const char *fmt = has_format ? request->word[0] : "/";
	const char *address = request->n > has_format ? request->word[has_format] : "";
	char why[EXAMINE_WHY_MAX];

	last.is_physical = is_physical;
	if (request->n > 1 && !has_format) {
		say("%s: extraneous characters at the end of line", name);
		say_try_help(name);
	} else if (examine_read_format(fmt, &last, why) != OK ||
		   examine_read_address(address, &last, why) != OK) {
		say("%s", why);
		say_try_help(name);
	} else if (last.n_left > 0) {
		examine_job(request->vm, focus_cpu(request->vm), &last);
	}
}

static void vsock(const struct request *request)
{
	const char *const *word = request->word;
	uint64_t cid, port;

	if (!read_number(word[0], &cid) || cid < VSOCK_CID_MIN)
		say("vsock: invalid CID '%s'", word[0]);
	else if (!read_number(word[1], &port))
		say("vsock: invalid port '%s'", word[1]);
	else
		vsock_job_start(cid, (uint32_t)port, request->n == 3 ? word[2] : NULL);
}

static void x(const struct request *request)
{
	examine("x", request, false);
}

static void xp(const struct request *request)
{
	examine("xp", request, true);
}

static void freeze(const struct request *request)
{
	vm_tell_again(request->vm, VM_TOLD_NO_TEMPLATE);
	vm_gather(request->vm, VM_FREEZE);
}

static bool has_quit;

void command_quit(void)
{
	has_quit = true;
}

static void quit(const struct request *request)
{
	(void)request;
	command_quit();
}

static void object_add(const struct request *request)
{
	hotplug_job_object_add(request->vm, request->word[0], strlen(request->word[0]));
}

static void object_del(const struct request *request)
{
	hotplug_job_object_del(request->vm, request->word[0]);
}

static void device_add(const struct request *request)
{
	hotplug_job_device_add(request->vm, request->word[0], strlen(request->word[0]));
}

static void device_del(const struct request *request)
{
	hotplug_device_del(request->vm, request->word[0]);
}

/* The port of this name, gdb's present one without a name. NULL: there is none, which is reported.
 */
static const struct serial_port *find_port(const char *name)
{
	static const struct serial_port ports[] = {SERIAL_COM1, SERIAL_COM2, SERIAL_COM3,
						   SERIAL_COM4};

	if (name == NULL && gdb_port() != NULL)
		return gdb_port();
	if (name != NULL && strncmp(name, "com", 3) == 0 && name[3] >= '1' && name[3] <= '4' &&
	    name[4] == '\0')
		return &ports[name[3] - '1'];
	say("Error: gdbserver needs a serial port: com1, com2, com3 or com4");
	return NULL;
}

static void gdbserver(const struct request *request)
{
	const struct serial_port *port = find_port(request->n > 1 ? request->word[1] : NULL);
	const char *why = port != NULL ? gdb_refuses(port) : NULL;

	if (port == NULL)
		return;
	if (why != NULL)
		say("Error: %s %s", port->name, why);
	else if (gdb_begin(port) != OK || gdb_offer(request->vm->index) != OK)
		say("Error: no memory for gdb, or it has %u VMs already", DEBUG_VMS_MAX);
	else
		say("Waiting for gdb connection on device '%s'", port->name);
}

static void revert(const struct request *request)
{
	struct vm *vm = request->vm;

	if (vm->template == NULL) {
		say("Error: VM %s is not a clone", vm_name(vm));
		return;
	}
	vm_tell_again(vm, VM_TOLD_FAILED); /* a revert without memory ends the VM */
	vm_gather(vm, VM_REVERT);
}

static void map(const struct request *request)
{
	map_job_start(request->vm, request->word + 1, request->n - 1);
}

static void save(const struct request *request)
{
	struct vm *vm = request->vm;
	const char *path = request->word[1];
	bool is_layer = has_flag(request, 'i');
	struct save_how how = {.is_sent = has_flag(request, 's'),
			       .is_packed = is_layer || has_flag(request, 'z'),
			       .is_layer = is_layer};

	if (strlen(path) > SAVE_PATH_MAX)
		say("save: the files' name is too long");
	else if (vm_is_debugged(vm))
		say("Error: gdb is attached to VM %s: detach it first", vm_name(vm));
	else if (answer_is_running(vm) && !vm_is_paused(vm))
		say("Error: VM %s is running: stop it or make it a template first", vm_name(vm));
	else
		file_job_save(vm, path, how);
}

static void screen(const struct request *request)
{
	bool is_status = strcmp(request->word[0], "status") == 0;

	if (!is_status && strcmp(request->word[0], "console") != 0)
		say("Error: invalid screen '%s'", request->word[0]);
	else if (!status_show(is_status, false))
		say("Error: this machine has no screen");
}

static void send(const struct request *request)
{
	file_job_send(request->word[0]);
}

static void stop(const struct request *request)
{
	vm_pause(request->vm, true);
}

static void system_powerdown(const struct request *request)
{
	vm_press_power_button(request->vm);
}

void command_reset_vm(struct vm *vm)
{
	vm->by_operator = VM_BY_NAME;
	vm_reset(vm);
}

static void system_reset(const struct request *request)
{
	command_reset_vm(request->vm);
}

static void set_focus(const struct request *request)
{
	focus_set(request->vm);
}

static void info_balloon(const struct request *request)
{
	if (has_balloon(request->vm))
		say("balloon: actual=%lu", vm_balloon_size(request->vm) / MIB(1));
}

static void info_cpus(const struct request *request)
{
	answer_cpus(request->vm);
}

static void info_exits(const struct request *request)
{
	answer_exits(request->vm);
}

/* A snapshot: other processors may allocate or free frames concurrently. */
static void info_frames(const struct request *request)
{
	(void)request;
	say("frames: %lu of %lu free, of 4 KiB each", frame_available(), frame_total());
}

/* Under the names of Linux's KSM. */
static void info_merge(const struct request *request)
{
	struct merged_counters counters = merged_count();

	(void)request;
	say("pages_shared: %lu", counters.shared);
	say("pages_sharing: %lu", counters.sharing);
	say("pages_scanned: %lu", merge_scanned());
}

static void info_network(const struct request *request)
{
	(void)request;
	answer_network();
}

static void info_registers(const struct request *request)
{
	answer_registers(request->vm);
}

static void info_status(const struct request *request)
{
	say("VM status: %s", answer_status(request->vm));
}

static void info_templates(const struct request *request)
{
	(void)request;
	answer_templates();
}

static void info_tree(const struct request *request)
{
	(void)request;
	answer_tree();
}

static void info_version(const struct request *request)
{
	(void)request;
	say("Stencil %s", stencil_version);
}

static void info_vms(const struct request *request)
{
	(void)request;
	answer_vms();
}

static void say_policy_line(const char *line)
{
	say("%s", line);
}

static void info_mitigations(const struct request *request)
{
	(void)request;
	policy_describe(&host_policy, say_policy_line);
}

/* The commands of info_run(): some topics of "info", and the queries. */
static void memory(const struct request *request)
{
	if (info_is_command(request->text))
		answer_memory(request->vm, request->text);
	else
		say("unknown command: '%s'", request->text);
}

/* These read the tables below. */
static void help(const struct request *request);
static void info(const struct request *request);

static const struct command commands[] = {
	{"balloon", "target", "ask the VM in focus to keep that much memory, in MiB",
	 .run = balloon, .min = 1, .max = 1, .needs = VM_FOCUS | VM_RUNS},
	{"check", "", "check the memory of all VMs and templates", .run = check},
	{"clone", "[-S] name [count]",
	 "start clones of a template\n\t\t\t -S: stopped, until 'cont'", .run = clone, .min = 1,
	 .max = 2, .needs = VM_NAMED | VM_IS_TEMPLATE, .flags = "S"},
	{"cont", "", "resume the VM in focus", .run = cont, .needs = VM_FOCUS | VM_RUNS,
	 .alias = "c"},
	{"console", "name", "attach the console to a VM alone, until Ctrl-A d, or c: the prompt",
	 .run = console, .min = 1, .max = 1, .needs = VM_NAMED | VM_RUNS},
	{"cpu", "index", "set the default CPU", .run = cpu, .min = 1, .max = 1, .needs = VM_FOCUS},
	{"destroy", "name", "end a VM; a template is freed with its last clone", .run = destroy,
	 .min = 1, .max = 1, .needs = VM_NAMED},
	{"device_add", "driver[,prop=value][,...]", "add a DIMM to the VM in focus",
	 .run = device_add, .min = 1, .max = 1, .needs = VM_FOCUS | VM_RUNS},
	{"device_del", "device", "ask the guest of the VM in focus to give up a DIMM",
	 .run = device_del, .min = 1, .max = 1, .needs = VM_FOCUS | VM_RUNS},
	{"dump-guest-memory", "[-s] filename",
	 "dump the memory of the VM in focus to file 'filename' of the ramdisk\n"
	 "\t\t\t -s: send it over the console instead",
	 .run = dump_guest_memory, .min = 1, .max = 1, .needs = VM_FOCUS, .flags = "s"},
	{"freeze", "name", "make a VM a template", .run = freeze, .min = 1, .max = 1,
	 .needs = VM_NAMED | VM_RUNS},
	{"gdbserver", "name [device]",
	 "offer a VM to gdb on a serial port, com1 to com4\n"
	 "\t\t\t without one: the port that gdb has",
	 .run = gdbserver, .min = 1, .max = 2, .needs = VM_NAMED | VM_RUNS},
	{"help", "[cmd]", "show the help", .run = help, .max = 2, .alias = "?"},
	{"info", "[subcommand]", "show various information about the system state", .run = info,
	 .max = 2},
	{"map", "name jobs=filename [parameter ...]",
	 "run each line of a file of the ramdisk in a clone\n\t\t\t parameters: out=filename "
	 "first=n parallel=n timeout=time max-private=size",
	 .run = map, .min = 2, .max = 7, .needs = VM_NAMED | VM_IS_TEMPLATE},
	{"object_add", "[qom-type=]type,id=str[,prop=value][,...]",
	 "add a memory backend to the VM in focus", .run = object_add, .min = 1, .max = 1,
	 .needs = VM_FOCUS | VM_RUNS},
	{"object_del", "id", "delete a memory backend of the VM in focus", .run = object_del,
	 .min = 1, .max = 1, .needs = VM_FOCUS | VM_RUNS},
	{"query-memdev", "", "show memory backends, as JSON", .run = memory, .needs = VM_FOCUS},
	{"query-memory-devices", "", "show memory devices, as JSON", .run = memory,
	 .needs = VM_FOCUS},
	{"query-memory-size-summary", "", "show the amount of memory, as JSON", .run = memory,
	 .needs = VM_FOCUS},
	{"quit", "", "end all VMs and the machine", .run = quit, .alias = "q"},
	{"revert", "name", "return a clone to its template's state", .run = revert, .min = 1,
	 .max = 1, .needs = VM_NAMED | VM_RUNS},
	{"save", "[-s] [-z|-i] name filename",
	 "save a template or a stopped VM as files 'filename'.state and .mem\n"
	 "\t\t\t -s: send them over the console instead\n"
	 "\t\t\t -z: compress the memory, into 'filename'.mem.0 and so on\n"
	 "\t\t\t -i: of a clone, only what differs from its template",
	 .run = save, .min = 2, .max = 2, .needs = VM_NAMED, .flags = "siz"},
	{"screen", "status|console", "show the status page on the machine's screen, or the console",
	 .run = screen, .min = 1, .max = 1},
	{"send", "filename", "send a file of the ramdisk over the console", .run = send, .min = 1,
	 .max = 1},
	{"stop", "", "stop the VM in focus", .run = stop, .needs = VM_FOCUS | VM_RUNS},
	{"system_powerdown", "", "press the power button of the VM in focus",
	 .run = system_powerdown, .needs = VM_FOCUS | VM_RUNS},
	{"system_reset", "", "reset the VM in focus", .run = system_reset,
	 .needs = VM_FOCUS | VM_RUNS},
	{"vm", "name", "put a VM into focus", .run = set_focus, .min = 1, .max = 1,
	 .needs = VM_NAMED},
	{"vsock", "cid port [text]", "connect to a guest's socket, send a line and show what comes",
	 .run = vsock, .min = 2, .max = 3},
	{"x", "/fmt addr", "virtual memory dump starting at 'addr'", .run = x, .max = 2,
	 .needs = VM_FOCUS},
	{"xp", "/fmt addr", "physical memory dump starting at 'addr'", .run = xp, .max = 2,
	 .needs = VM_FOCUS},
};

static const struct command topics[] = {
	{"balloon", "", "show balloon information", .run = info_balloon, .needs = VM_FOCUS},
	{"block", "", "show the block devices", .run = memory, .max = 1, .needs = VM_FOCUS},
	{"cpus", "", "show infos for each CPU", .run = info_cpus, .needs = VM_FOCUS},
	{"exits", "[name]", "show why a VM has left its guest, and how often", .run = info_exits,
	 .max = 1, .needs = VM_NAMED | VM_FOCUS},
	{"frames", "", "show the machine's memory", .run = info_frames},
	{"memdev", "", "show memory backends", .run = memory, .max = 1, .needs = VM_FOCUS},
	{"memory-devices", "", "show memory devices", .run = memory, .max = 1, .needs = VM_FOCUS},
	{"memory_size_summary", "",
	 "show the amount of initially allocated and present hotpluggable memory in bytes",
	 .run = memory, .max = 1, .needs = VM_FOCUS},
	{"merge", "", "show what merging equal pages has saved", .run = info_merge},
	{"mitigations", "", "show what is done about the processor's errata",
	 .run = info_mitigations},
	{"mtree", "[-f]", "show memory tree (-f: dump flat view for address spaces)", .run = memory,
	 .max = 1, .needs = VM_FOCUS},
	{"network", "", "show the network state", .run = info_network},
	{"numa", "", "show NUMA information", .run = memory, .max = 1, .needs = VM_FOCUS},
	{"registers", "", "show the cpu registers", .run = info_registers, .needs = VM_FOCUS},
	{"status", "", "show the current VM status (running|paused)", .run = info_status,
	 .needs = VM_FOCUS},
	{"templates", "", "show the templates", .run = info_templates},
	{"tree", "", "show the VMs, clones below their templates", .run = info_tree},
	{"version", "", "show the version of Stencil", .run = info_version},
	{"vms", "", "show the VMs", .run = info_vms},
};

static const struct command *find(const struct command *table, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(table[i].name, name) == 0 ||
		    (table[i].alias && strcmp(table[i].alias, name) == 0))
			return &table[i];
	return NULL;
}

static void show_help(const struct command *command, size_t n, const char *before)
{
	for (; n > 0; n--, command++)
		say("%s%s%s%s%s%s -- %s", before, command->name, command->alias ? "|" : "",
		    command->alias ? command->alias : "", *command->arguments ? " " : "",
		    command->arguments, command->help);
}

/* The help of one command or, of "info", one topic. */
static void help_about(const char *name, const struct command *table, size_t n, const char *before)
{
	const struct command *command = find(table, n, name);

	if (command)
		show_help(command, 1, before);
	else
		say("unknown command: '%s%s'", before, name);
}

/* "help TOPIC" is what the messages about a topic's arguments propose. */
static void help(const struct request *request)
{
	const char *name = request->n > 0 ? request->word[0] : NULL;

	if (name == NULL)
		show_help(commands, ARRAY_SIZE(commands), "");
	else if (request->n == 2 && strcmp(name, "info") == 0)
		help_about(request->word[1], topics, ARRAY_SIZE(topics), "info ");
	else if (request->n == 2)
		say("unknown command: '%s'", request->text);
	else if (strcmp(name, "info") == 0)
		show_help(topics, ARRAY_SIZE(topics), "info ");
	else if (find(commands, ARRAY_SIZE(commands), name) ||
		 !find(topics, ARRAY_SIZE(topics), name))
		help_about(name, commands, ARRAY_SIZE(commands), "");
	else
		help_about(name, topics, ARRAY_SIZE(topics), "info ");
}

/* Report missing or superfluous arguments in QEMU's words. */
static bool has_arguments(const struct command *command, size_t n)
{
	if (n >= command->min && n <= command->max)
		return true;
	if (n < command->min)
		say("%s: string expected", command->name);
	else
		say("%s: extraneous characters at the end of line", command->name);
	say_try_help(command->name);
	return false;
}

/* Whether a command may be about this VM. */
static bool fits(const struct command *command, const struct vm *vm)
{
	return answer_is_template(vm) ? !(command->needs & VM_RUNS)
				      : !(command->needs & VM_IS_TEMPLATE);
}

/* Print an error and return NULL if there is no such VM. vms_lock is held. */
static struct vm *find_needed(const struct command *command, const struct request *request)
{
	bool is_named = command->needs & VM_NAMED && request->n > 0;
	struct vm *vm = is_named ? find_vm(request->word[0]) : find_focus();

	if (vm == NULL || fits(command, vm))
		return vm;
	say("Error: VM %s is %s template", vm_name(vm), answer_is_template(vm) ? "a" : "not a");
	return NULL;
}

static void run_about_vm(const struct command *command, struct request *request)
{
	vms_acquire();
	request->vm = find_needed(command, request);
	if (request->vm)
		command->run(request);
	lock_release(&vms_lock);
}

static void take_word(struct request *request)
{
	request->word++;
	request->n--;
}

/* The letter of an option of the command; '\0': the word is none. */
static char flag_of(const struct command *command, const char *word)
{
	bool is_flag = command->flags && word[0] == '-' && word[1] != '\0' && word[2] == '\0' &&
		       strchr(command->flags, word[1]);

	return is_flag ? word[1] : '\0';
}

/* The words are the command's name, its flags and its arguments. */
static void run(const struct command *command, struct request *request)
{
	char flag;

	take_word(request);
	request->flags = 0;
	while (request->n > 0 && (flag = flag_of(command, *request->word)) != '\0') {
		request->flags |= BIT(flag - 'A');
		take_word(request);
	}
	if (!has_arguments(command, request->n))
		return;
	if (command->needs)
		run_about_vm(command, request);
	else
		command->run(request);
}

static void info(const struct request *request)
{
	struct request topic = *request;
	const struct command *command;

	if (request->n == 0) {
		show_help(topics, ARRAY_SIZE(topics), "info ");
		return;
	}
	command = find(topics, ARRAY_SIZE(topics), *topic.word);
	if (command)
		run(command, &topic);
	else
		say("unknown command: '%s'", request->text);
}

static void join(char *to, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(words[i]);

		if (i > 0)
			*to++ = ' ';
		memcpy(to, words[i], len);
		to += len;
	}
	*to = '\0';
}

/* A format may follow the command's name immediately, "x/2xg". Copies the line, longer by one. */
static void set_format_apart(const char *line, char text[MONITOR_LINE_SIZE + 1])
{
	size_t len = 0;

	while (line[len] == ' ')
		len++;
	while (line[len] != '\0' && line[len] != ' ' && line[len] != '/')
		len++;
	format(text, MONITOR_LINE_SIZE + 1, "%.*s%s%s", (int)len, line, line[len] == '/' ? " " : "",
	       line + len);
}

void command_run(const char *line)
{
	char text[MONITOR_LINE_SIZE + 1];
	const char *words[MONITOR_WORDS_MAX];
	struct request request = {.word = words};
	const struct command *command;
	enum status status;

	set_format_apart(line, text);
	status = monitor_split(text, words, &request.n);

	if (status != OK) {
		say("%s", status == ERR_CORRUPT ? "unterminated string" : "too many words");
		return;
	}
	if (request.n == 0)
		return;
	join(request.text, words, request.n);
	command = find(commands, ARRAY_SIZE(commands), *words);
	if (command)
		run(command, &request);
	else
		say("unknown command: '%s'", *words);
}

static void offer_commands(struct completion *completion, const struct command *table, size_t n)
{
	for (; n > 0; n--, table++)
		completion_offer(completion, table->name);
}

static void offer_vms(struct completion *completion, const struct command *command)
{
	vms_acquire();
	for (const struct vm *vm = vms; vm; vm = vm->next)
		if ((answer_is_running(vm) || answer_is_template(vm)) && fits(command, vm))
			completion_offer(completion, vm_name(vm));
	lock_release(&vms_lock);
}

/* The words before the one that is completed: the command, its flags, arguments. */
static void offer_arguments(struct completion *completion, const char *const *word, size_t n)
{
	const struct command *command = find(commands, ARRAY_SIZE(commands), *word);
	size_t n_flags = 0;

	while (1 + n_flags < n && word[1 + n_flags][0] == '-')
		n_flags++;
	if (command == NULL || n > 1 + n_flags)
		return;
	if (command->run == info)
		offer_commands(completion, topics, ARRAY_SIZE(topics));
	else if (command->run == help)
		offer_commands(completion, commands, ARRAY_SIZE(commands));
	else if (command->needs & VM_NAMED)
		offer_vms(completion, command);
}

void command_complete(const char *line, size_t len, struct completion *ret)
{
	char text[MONITOR_LINE_SIZE];
	const char *words[MONITOR_WORDS_MAX];
	size_t begin = len, n;

	while (begin > 0 && line[begin - 1] != ' ')
		begin--;
	completion_begin(ret, line + begin, len - begin);
	memcpy(text, line, begin);
	text[begin] = '\0';
	if (monitor_split(text, words, &n) != OK)
		return;
	if (n == 0)
		offer_commands(ret, commands, ARRAY_SIZE(commands));
	else
		offer_arguments(ret, words, n);
}

bool command_has_quit(void)
{
	return has_quit;
}

void command_end_vms(void)
{
	template_give_up_all(); /* no clone starts in the place of one that ends */
	vms_acquire();
	for (struct vm *vm = vms; vm; vm = vm->next)
		if (answer_is_running(vm))
			end_vm(vm, VM_BY_OPERATOR);
	lock_release(&vms_lock);
}
