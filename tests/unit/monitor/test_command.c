/* SPDX-License-Identifier: BSD-2-Clause */
/* The monitor's commands: what they ask of VMs, and what they answer. */
#include "hv/monitor/command.h"

#include <stdio.h>
#include <string.h>

#include "hv/gdb/gdb.h"
#include "hv/host/tsc.h"
#include "hv/monitor/answer.h"
#include "hv/monitor/examine_job.h"
#include "hv/monitor/file_job.h"
#include "hv/monitor/job.h"
#include "hv/monitor/map_job.h"
#include "hv/monitor/registers.h"
#include "hv/vm/audit.h"
#include "hv/vm/hold.h"
#include "hv/vm/template.h"
#include "tests/unit/support.h"

#include "tests/unit/idle_vms.h"

static char said[8192]; /* on the console */
static char did[8192];	/* to VMs, a line for each call */

static struct vcpu vcpu[2] = {{.n_exits = {3, 4}}, {.number = 1, .n_exits = {[EXITS_TIMER] = 8}}},
		   paused = {.is_paused = true};
static struct ept_layer layer = {.n_owned = 73};
static struct vm template, stopped, running, made = {.name = "t-1"};
static struct vm *focus;
static unsigned n_left; /* clones that there is memory for */

uint64_t tsc_hz = 1000000;

__attribute__((format(printf, 1, 2))) static void note(const char *fmt, ...)
{
	size_t len = strlen(did);
	va_list args;

	va_start(args, fmt);
	vsnprintf(did + len, sizeof(did) - len, fmt, args);
	va_end(args);
}

void console_write_raw(const char *text, size_t len)
{
	strncat(said, text, len);
}

struct vm *focus_vm(void)
{
	return focus;
}

void focus_set(const struct vm *vm)
{
	note("focus %s\n", vm->name);
}

static unsigned chosen_cpu;

unsigned focus_cpu(const struct vm *vm)
{
	return chosen_cpu;
}

void focus_set_cpu(unsigned number)
{
	chosen_cpu = number;
}

bool focus_is_reader(const struct vm *vm)
{
	return vm == &running;
}

void focus_want_attach(const struct vm *vm)
{
	note("attach %s\n", vm->name);
}

void examine_job(struct vm *vm, unsigned cpu, const struct examine *examine)
{
	note("examine %s: vCPU %u, %s %lx, %lu bytes as %c%u\n", vm->name, cpu,
	     examine->is_physical ? "physical" : "linear", examine->address, examine->n_left,
	     examine->format, examine->size);
}

void registers_show(const struct vcpu *of)
{
	note("registers of vCPU %u\n", of->number);
}

void file_job_dump(struct vm *vm, const char *path, bool is_sent)
{
	note("dump %s to %s%s\n", vm->name, path, is_sent ? ", sent" : "");
}

static const struct serial_port *gdb_has;
static bool gdb_is_full;

const struct serial_port *gdb_port(void)
{
	return gdb_has;
}

const char *gdb_refuses(const struct serial_port *port)
{
	return port->address == SERIAL_COM1.address ? "is the console's port" : NULL;
}

enum status gdb_begin(const struct serial_port *port)
{
	note("gdb at %s\n", port->name);
	return OK;
}

enum status gdb_offer(uint32_t vm_index)
{
	assert_true(vms_lock.next != vms_lock.serving); /* held */
	note("offer %u\n", vm_index);
	return gdb_is_full ? ERR_NOMEM : OK;
}

void file_job_save(struct vm *vm, const char *path, struct save_how how)
{
	note("save %s to %s%s%s%s\n", vm->name, path, how.is_sent ? ", sent" : "",
	     how.is_packed ? ", packed" : "", how.is_layer ? ", a layer" : "");
}

void map_job_start(struct vm *of, const char *const *parameters, size_t n)
{
	note("map %s\n", of->name);
	while (n-- > 0)
		note("with %s\n", *parameters++);
}

void vsock_job_start(uint64_t cid, uint32_t dst_port, const char *text)
{
	note("vsock %lu %u '%s'\n", cid, dst_port, text ? text : "(none)");
}

void file_job_send(const char *path)
{
	note("send %s\n", path);
}

void vm_pause(struct vm *vm, bool on)
{
	note("%s %s\n", on ? "pause" : "resume", vm->name);
}

struct vm *template_clone(struct vm *vm, const char *name)
{
	assert_null(name);
	note("clone %s\n", vm->name);
	return n_left-- > 0 ? &made : NULL;
}

void template_put(struct vm *vm)
{
	if (vm)
		vm->n_holds--;
}

void template_give_up(struct vm *vm)
{
	note("give up %s\n", vm->name);
}

void template_give_up_all(void)
{
	note("give up all\n");
}

static enum status audit_status;

enum status vm_audit(void (*say)(const char *name, const char *what), struct vm_audit *ret)
{
	if (audit_status != OK)
		return audit_status;
	say("t", "a fault");
	*ret = (struct vm_audit){.n_vms = 3, .n_pages = 100, .n_faults = 1};
	return OK;
}

void vm_start(struct vm *vm)
{
	assert_ptr_equal(vm, &made);
	note("start\n");
}

void vm_gather(struct vm *vm, enum vm_action action)
{
	note("%s %s\n", action == VM_FREEZE ? "freeze" : "revert", vm->name);
}

void vm_press_power_button(struct vm *vm)
{
	note("press %s\n", vm->name);
}

void vm_reset(struct vm *vm)
{
	note("reset %s\n", vm->name);
}

bool vm_end(struct vm *vm, enum vm_outcome outcome, const char *fmt, ...)
{
	assert_int_equal(outcome, VM_ENDED_WELL);
	note("end %s\n", vm->name);
	vm->outcome = outcome;
	return true;
}

/* A template t, a clone t-0 that the operator has stopped, and r, which runs and is in focus. */
static int set_up(void **state)
{
	vms = NULL;
	idle_vms_add(&template, "t", VM_FROZEN, vcpu, ARRAY_SIZE(vcpu));
	template.layer = &layer;
	template.n_holds = 2;
	template.next_number = 1007;
	template.n_clones_ended = 1006;
	template.n_clones_failed = 5;
	idle_vms_add(&stopped, "t-0", VM_RUNNING, &paused, 1);
	stopped.template = &template;
	idle_vms_add(&running, "r", VM_RUNNING, vcpu, ARRAY_SIZE(vcpu));
	running.share = (struct share){.weight = 100, .used = 7900};
	focus = &running;
	n_left = 2;
	chosen_cpu = 0;
	return 0;
}

/* Enter the line; job_work() answers. */
static void begin(const char *text)
{
	static char line[256];

	*said = *did = '\0';
	strcpy(line, text);
	command_run(line);
}

static void type(const char *text)
{
	begin(text);
	while (job_is_running())
		job_work();
}

static void a_vm_is_offered_to_gdb(void **state)
{
	static const struct serial_port com3 = SERIAL_COM3;
	static const struct {
		const char *line, *did, *said;
	} cases[] = {
		{"gdbserver r", "",
		 "Error: gdbserver needs a serial port: com1, com2, com3 or com4\n"},
		{"gdbserver r tcp::1234", "",
		 "Error: gdbserver needs a serial port: com1, com2, com3 or com4\n"},
		{"gdbserver r com1", "", "Error: COM1 is the console's port\n"},
		{"gdbserver t com3", "", "Error: VM t is a template\n"},
		{"gdbserver r com3", "gdb at COM3\noffer 2\n",
		 "Waiting for gdb connection on device 'COM3'\n"},
	};

	gdb_has = NULL;
	gdb_is_full = false;
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		type(cases[i].line);
		assert_string_equal(did, cases[i].did);
		assert_string_equal(said, cases[i].said);
	}
	gdb_has = &com3;
	gdb_is_full = true;
	type("gdbserver r");
	assert_string_equal(said, "Error: no memory for gdb, or it has 8 VMs already\n");
	stopped.is_debugged = true;
	type("save t-0 /x");
	assert_string_equal(said, "Error: gdb is attached to VM t-0: detach it first\n");
	stopped.is_debugged = false;
}

static void commands_are_told_apart(void **state)
{
	static const struct {
		const char *line, *did;
	} cases[] = {
		{"clone t", "clone t\nstart\n"},
		{"console r", "attach r\n"},
		{"cont", "resume r\n"},
		{"c", "resume r\n"},
		{"destroy t", "give up t\n"},
		{"freeze  r ", "freeze r\n"},
		{"info registers", "pause r\nregisters of vCPU 0\nregisters of vCPU 1\nresume r\n"},
		{"revert t-0", "revert t-0\n"},
		{"map t jobs=/j out=/o", "map t\nwith jobs=/j\nwith out=/o\n"},
		{"save t /x", "save t to /x\n"},
		{"save t-0 /x", "save t-0 to /x\n"},
		{"send \"/a b\"", "send /a b\n"},
		{"stop", "pause r\n"},
		{"system_powerdown", "press r\n"},
		{"system_reset", "reset r\n"},
		{"vsock 3 7 \"a line\"", "vsock 3 7 'a line'\n"},
		{"vsock 4294967295 4294967295", "vsock 4294967295 4294967295 '(none)'\n"},
		{"x /2xg 0x10", "examine r: vCPU 0, linear 10, 16 bytes as x8\n"},
		{"x/b 1+1", "examine r: vCPU 0, linear 2, 1 bytes as x1\n"},
		{"  xp/4dh 16", "examine r: vCPU 0, physical 10, 8 bytes as d2\n"},
		{"cpu 1", ""},
		{"xp 0", "examine r: vCPU 1, physical 0, 2 bytes as d2\n"},
		{"x/0x 0", ""},
		{"vm t", "focus t\n"},
		{"vm t-0", "focus t-0\n"},
		{"dump-guest-memory /d", "dump r to /d\n"},
		{"", ""},
		{"  ", ""},
		{"destroy r", "end r\n"}, /* last: r has ended */
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		type(cases[i].line);
		assert_string_equal(said, "");
		assert_string_equal(did, cases[i].did);
	}
}

/* Lines about a VM are logged a few times only (hv/vm/tell.h), but the operator is told each time.
 */
static void what_a_command_causes_is_logged_again(void **state)
{
	memset(running.n_told, 8, sizeof(running.n_told));
	memset(template.n_told, 8, sizeof(template.n_told));
	type("freeze r");
	assert_int_equal(running.n_told[VM_TOLD_NO_TEMPLATE], 0);
	type("revert t-0");
	assert_int_equal(template.n_told[VM_TOLD_FAILED], 0);
	type("destroy t-0");
	assert_int_equal(stopped.by_operator, VM_BY_NAME);
}

static void the_screen_shows_what_is_asked_for(void **state)
{
	type("screen status");
	assert_true(idle_shows_status);
	assert_string_equal(said, "");
	type("screen console");
	assert_false(idle_shows_status);
	type("screen text");
	assert_string_equal(said, "Error: invalid screen 'text'\n");
	idle_has_screen = false;
	type("screen status");
	idle_has_screen = true;
	assert_string_equal(said, "Error: this machine has no screen\n");
}

static void a_topic_is_answered(void **state)
{
	static const struct {
		const char *line, *said;
	} cases[] = {
		{"info cpus", "* CPU #0: running, 7 exits\n  CPU #1: running, 8 exits\n"},
		{"info exits", "other              3\nCPUID              4\n"
			       "preemption timer   8\nall                15\n"},
		{"info exits t-0", "all                0\n"},
		{"info tree", "t: paused (template), 292 KiB private memory\n"
			      "  t-0: paused, 0 KiB private memory\n"
			      "r: running, 0 KiB private memory\n"},
		{"info merge", "pages_shared: 0\npages_sharing: 0\npages_scanned: 0\n"},
		{"info frames", "frames: 0 of 0 free, of 4 KiB each\n"},
		{"info memdev", "\n"},
		{"info  numa", "0 nodes\n"},
		{"info memory-devices", ""},
		{"info memory_size_summary", "base memory: 0\nplugged memory: 0\n"},
		{"query-memdev", "{\"return\": []}\n"},
		{"query-memory-devices", "{\"return\": []}\n"},
		{"query-memory-size-summary",
		 "{\"return\": {\"base-memory\": 0, \"plugged-memory\": 0}}\n"},
		{"info mitigations", "mitigations auto: none\n"},
		{"info status", "VM status: running\n"},
		{"info templates",
		 "t: 292 KiB, 1007 clones made, 1 alive, 1006 ended, 5 of them failed\n"},
		{"info version", "Stencil 0.0.0 (test)\n"},
		{"info vms",
		 "* r: running, 0 KiB private memory, tables included; weight 100, 7 ms used\n"
		 "  t-0: paused, 0 KiB private memory, tables included; weight 0, 0 ms used\n"
		 "  t: paused (template), 292 KiB private memory, tables included; weight 0, 0 ms "
		 "used\n"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		type(cases[i].line);
		assert_string_equal(said, cases[i].said);
		assert_string_equal(did, "");
	}
	type("info  mtree   -f");
	assert_non_null(strstr(said, "FlatView #1\n"));
	type("info mtree");
	assert_non_null(strstr(said, "address-space: I/O\n"));
}

static void a_balloon_is_asked_for_and_told(void **state)
{
	static const struct {
		const char *line;
		uint64_t size;
	} asked[] = {
		{"balloon 64", MIB(64)},   {"balloon 1G", GIB(1)},  {"balloon 1024", GIB(1)},
		{"balloon 1.5M", 1572864}, {"balloon 4096B", 4096},
	};

	type("info balloon");
	assert_string_equal(said, "Error: No balloon device has been activated\n");
	type("balloon 64");
	assert_string_equal(said, "Error: No balloon device has been activated\n");
	balloon_owner = &running;
	type("info balloon");
	assert_string_equal(said, "balloon: actual=128\n");
	for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
		type(asked[i].line);
		assert_string_equal(said, "");
		assert_int_equal(balloon_size, asked[i].size);
	}
	type("balloon 0");
	assert_string_equal(said, "Error: Parameter 'target' expects a size\n");
	type("balloon lots");
	assert_string_equal(said, "invalid size\n");
	type("balloon 17592186044416");
	assert_string_equal(said, "invalid size\n");
	assert_int_equal(balloon_size, 4096);
	balloon_owner = NULL;
}

static void options_are_read(void **state)
{
	static const struct {
		const char *line, *did;
	} cases[] = {
		{"clone t 2", "clone t\nstart\nclone t\nstart\n"},
		{"clone -S t 2", "clone t\npause t-1\nstart\nclone t\npause t-1\nstart\n"},
		{"dump-guest-memory -s /d", "dump r to /d, sent\n"},
		{"save -s t x", "save t to x, sent\n"},
		{"save -z t x", "save t to x, packed\n"},
		{"save -i -s t x", "save t to x, sent, packed, a layer\n"},
		{"save -s -z t x", "save t to x, sent, packed\n"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		n_left = 2;
		type(cases[i].line);
		assert_string_equal(said, "");
		assert_string_equal(did, cases[i].did);
	}
}

static void clones_stop_when_memory_ends(void **state)
{
	type("clone t 4294967295");
	assert_string_equal(did, "clone t\nstart\nclone t\nstart\nclone t\n");
}

static void the_check_tells_all_its_faults(void **state)
{
	audit_status = OK;
	type("check");
	assert_string_equal(said, "t: a fault\n"
				  "check: VMs and templates: 3, frames: 100, faults: 1\n");
	audit_status = ERR_NOMEM;
	type("check");
	assert_string_equal(said, "Error: check: no memory for a byte a frame\n");
}

static void names_of_files_that_could_not_be_sent_are_refused(void **state)
{
	char line[256] = "save t ", *end = line + strlen(line);

	memset(end, 'x', 190);
	type(line);
	assert_string_equal(said, "");
	end[190] = 'x';
	type(line);
	assert_string_equal(did, "");
	assert_string_equal(said, "save: the files' name is too long\n");
}

static void a_vm_that_does_not_fit_is_refused(void **state)
{
	static const struct {
		const char *line, *said;
	} cases[] = {
		{"clone x", "Error: there is no VM 'x'\n"},
		{"vm x", "Error: there is no VM 'x'\n"},
		{"vsock 2 7", "vsock: invalid CID '2'\n"},
		{"vsock x 7", "vsock: invalid CID 'x'\n"},
		{"vsock 4294967296 7", "vsock: invalid CID '4294967296'\n"},
		{"vsock 3 -1", "vsock: invalid port '-1'\n"},
		{"info exits x", "Error: there is no VM 'x'\n"},
		{"clone r", "Error: VM r is not a template\n"},
		{"freeze t", "Error: VM t is a template\n"},
		{"console t", "Error: VM t is a template\n"},
		{"console t-0", "Error: VM t-0 does not read the console\n"},
		{"revert t", "Error: VM t is a template\n"},
		{"revert r", "Error: VM r is not a clone\n"},
		{"map r jobs=/j", "Error: VM r is not a template\n"},
		{"save r /x", "Error: VM r is running: stop it or make it a template first\n"},
		{"stop", "Error: VM t is a template\n"},
		{"cont", "Error: VM t is a template\n"},
		{"balloon 64", "Error: VM t is a template\n"},
		{"system_powerdown", "Error: VM t is a template\n"},
		{"system_reset", "Error: VM t is a template\n"},
	};

	focus = &template;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		type(cases[i].line);
		assert_string_equal(said, cases[i].said);
		assert_string_equal(did, "");
	}
}

static void there_may_be_no_vm(void **state)
{
	static const char *const lines[] = {"stop", "info status", "info memdev",
					    "system_powerdown", "system_reset"};

	running.outcome = VM_ENDED_WELL;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		type(lines[i]);
		assert_string_equal(said, "Error: there is no VM in focus\n");
	}
	focus = vms = NULL;
	type("stop");
	assert_string_equal(said, "Error: there is no VM in focus\n");
	type("info vms");
	assert_string_equal(said, "");
}

/* Between two steps the VM leaves the list, or stays there until its last processor has left it. */
static void the_rest_of_an_answer_ends_with_its_vm(void **state)
{
	static const char *const lines[] = {"info cpus", "info mtree -f"};

	tsc_hz = 1; /* a turn is one step */
	for (size_t i = 0; i < 2 * ARRAY_SIZE(lines); i++) {
		set_up(state);
		begin(lines[i / 2]);
		job_work();
		assert_true(job_is_running());
		assert_string_not_equal(said, "");
		*said = '\0';
		running.outcome = VM_ENDED_WELL;
		if (i % 2)
			vms = running.next;
		job_work();
		assert_false(job_is_running());
		assert_string_equal(said, "Error: the VM has ended\n");
	}
	tsc_hz = 1000000;
}

static void a_template_that_is_given_up_has_no_answer(void **state)
{
	focus = &template;
	type("info memory_size_summary");
	assert_string_equal(said, "base memory: 0\nplugged memory: 0\n");
	begin("info memory_size_summary");
	template.is_given_up = true;
	job_work();
	assert_string_equal(said, "Error: the VM has ended\n");
}

static void a_vcpu_that_waits_for_an_interrupt_is_halted(void **state)
{
	vcpu[1].regs.requests = VCPU_REQUEST_HALT;
	type("info cpus");
	assert_string_equal(said, "* CPU #0: running, 7 exits\n  CPU #1: halted, 8 exits\n");
	vcpu[1].regs.requests = 0;
}

static void a_tree_has_any_depth(void **state)
{
	struct vm inner, outer, other, leaf;

	idle_vms_add(&leaf, "x-0-0", VM_RUNNING, vcpu, ARRAY_SIZE(vcpu));
	idle_vms_add(&other, "t-1", VM_RUNNING, vcpu, ARRAY_SIZE(vcpu));
	idle_vms_add(&outer, "x", VM_FROZEN, vcpu, ARRAY_SIZE(vcpu));
	idle_vms_add(&inner, "x-0", VM_FROZEN, vcpu, ARRAY_SIZE(vcpu));
	other.template = &template;
	inner.template = &outer;
	leaf.template = &inner;
	outer.layer = inner.layer = &layer;
	outer.is_given_up = true;
	outer.n_holds = inner.n_holds = 1;
	running.outcome = VM_FAILED; /* and not freed yet */
	type("info tree");
	assert_string_equal(said, "t: paused (template), 292 KiB private memory\n"
				  "  t-0: paused, 0 KiB private memory\n"
				  "  t-1: running, 0 KiB private memory\n"
				  "x: given up (template), 292 KiB private memory\n"
				  "  x-0: paused (template), 292 KiB private memory\n"
				  "    x-0-0: running, 0 KiB private memory\n");
	assert_int_equal(template.n_holds, 2);
	assert_int_equal(outer.n_holds, 1);
	assert_int_equal(inner.n_holds, 1);
}

static void a_template_that_was_given_up_is_gone(void **state)
{
	template.is_given_up = true;
	type("info templates");
	assert_string_equal(said, "");
	type("clone t");
	assert_string_equal(said, "Error: there is no VM 't'\n");
}

static void quit_ends_all_that_runs(void **state)
{
	static const char *const lines[] = {"quit", "q"};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		type(lines[i]);
		assert_string_equal(said, "");
		assert_true(command_has_quit());
	}
	command_end_vms();
	/* The templates first, so that no clone starts in the place of one that ends. */
	assert_string_equal(did, "give up all\nend r\nend t-0\n");
	assert_int_equal(stopped.by_operator, VM_BY_OPERATOR);
}

static void what_is_wrong_is_refused_in_qemus_words(void **state)
{
	static const struct {
		const char *line, *said;
	} cases[] = {
		{"y", "unknown command: 'y'\n"},
		{"y/2", "unknown command: 'y'\n"},
		{"Info", "unknown command: 'Info'\n"},
		{"info x", "unknown command: 'info x'\n"},
		{"info mtree -d", "unknown command: 'info mtree -d'\n"},
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
		{"save -z -s t", "save: string expected\nTry \"help save\" for more information\n"},
		{"save -c t x", "save: extraneous characters at the end of line\n"
				"Try \"help save\" for more information\n"},
		{"save -sz t x", "save: extraneous characters at the end of line\n"
				 "Try \"help save\" for more information\n"},
		{"save - t x", "save: extraneous characters at the end of line\n"
			       "Try \"help save\" for more information\n"},
		{"save -s t", "save: string expected\nTry \"help save\" for more information\n"},
		{"save t /x y", "save: extraneous characters at the end of line\n"
				"Try \"help save\" for more information\n"},
		{"clone t 0", "clone: invalid count '0'\n"},
		{"clone t x", "clone: invalid count 'x'\n"},
		{"clone t -1", "clone: invalid count '-1'\n"},
		{"clone t 4294967296", "clone: invalid count '4294967296'\n"},
		{"clone t 99999999999999999999", "clone: invalid count '99999999999999999999'\n"},
		{"cpu 2", "invalid CPU index\n"},
		{"cpu -1", "invalid CPU index\n"},
		{"cpu \"\"", "invalid CPU index\n"},
		{"clone t \"\"", "clone: invalid count ''\n"},
		{"x", "unexpected end of expression\nTry \"help x\" for more information\n"},
		{"x/4z 0", "invalid char in format: 'z'\nTry \"help x\" for more information\n"},
		{"xp /2xg zz",
		 "invalid char 'z' in expression\nTry \"help xp\" for more information\n"},
		{"x/i 0", "format 'i' is not supported: there is no disassembler\n"
			  "Try \"help x\" for more information\n"},
		{"x 0 1", "x: extraneous characters at the end of line\n"
			  "Try \"help x\" for more information\n"},
		{"send \"/a", "unterminated string\n"},
		{"1 2 3 4 5 6 7 8 9", "too many words\n"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		type(cases[i].line);
		assert_string_equal(did, "");
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

	type("help");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_non_null(strstr(said, names[i]));
	type("help stop");
	assert_string_equal(said, "stop -- stop the VM in focus\n");
	type("? clone");
	assert_string_equal(said, "clone [-S] name [count] -- start clones of a template\n"
				  "\t\t\t -S: stopped, until 'cont'\n");
	type("help status");
	assert_string_equal(said, "info status -- show the current VM status (running|paused)\n");
	type("help info vms");
	assert_string_equal(said, "info vms -- show the VMs\n");
	type("help y");
	assert_string_equal(said, "unknown command: 'y'\n");
	type("help info y");
	assert_string_equal(said, "unknown command: 'info y'\n");
	type("help stop x");
	assert_string_equal(said, "unknown command: 'help stop x'\n");
	type("info");
	assert_non_null(strstr(said, "info mtree [-f] -- "));
	assert_non_null(strstr(said, "info vms -- "));
	type("help info");
	assert_non_null(strstr(said, "info vms -- "));
}

/* What is typed after a line when Tab is pressed, or the names that are listed. */
static const char *complete(const char *line)
{
	static struct completion completion;
	static char rest[MONITOR_LINE_SIZE + 1];

	command_complete(line, strlen(line), &completion);
	rest[completion_rest(&completion, rest)] = '\0';
	return completion.n > 1 && *rest == '\0' ? completion.list : rest;
}

static void words_are_completed(void **state)
{
	static const struct {
		const char *line, *rest;
	} cases[] = {
		{"sys", "tem_"},
		{"system_", " system_powerdown system_reset"},
		{"  system_r", "eset "},
		{"sysx", ""},
		{"info me", " memdev memory-devices memory_size_summary merge"},
		{"info  vm", "s "},
		{"info vms ", ""},
		{"info vms x", ""},
		{"help fr", "eeze "},
		{"? info ver", ""},
		{"vm ", " r t-0 t"},
		{"vm t", " t-0 t"},
		{"vm r", " "},
		{"freeze t", "-0 "},
		{"clone ", "t "},
		{"clone -S ", "t "},
		{"clone -S t ", ""},
		{"clone t ", ""},
		{"save ", " r t-0 t"},
		{"save -s t-", "0 "},
		{"save -s -z t-", "0 "},
		{"stop ", ""},
		{"nonsense ", ""},
		{"send \"/a ", ""},
		{"1 2 3 4 5 6 7 8 9 ", ""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(complete(cases[i].line), cases[i].rest);
	template.is_given_up = true;
	running.outcome = VM_ENDED_WELL;
	assert_string_equal(complete("vm "), "t-0 ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_vm_is_offered_to_gdb, set_up),
		cmocka_unit_test_setup(commands_are_told_apart, set_up),
		cmocka_unit_test_setup(what_a_command_causes_is_logged_again, set_up),
		cmocka_unit_test_setup(the_screen_shows_what_is_asked_for, set_up),
		cmocka_unit_test_setup(a_topic_is_answered, set_up),
		cmocka_unit_test_setup(a_balloon_is_asked_for_and_told, set_up),
		cmocka_unit_test_setup(options_are_read, set_up),
		cmocka_unit_test_setup(clones_stop_when_memory_ends, set_up),
		cmocka_unit_test_setup(the_check_tells_all_its_faults, set_up),
		cmocka_unit_test_setup(names_of_files_that_could_not_be_sent_are_refused, set_up),
		cmocka_unit_test_setup(a_vm_that_does_not_fit_is_refused, set_up),
		cmocka_unit_test_setup(there_may_be_no_vm, set_up),
		cmocka_unit_test_setup(the_rest_of_an_answer_ends_with_its_vm, set_up),
		cmocka_unit_test_setup(a_template_that_is_given_up_has_no_answer, set_up),
		cmocka_unit_test_setup(a_vcpu_that_waits_for_an_interrupt_is_halted, set_up),
		cmocka_unit_test_setup(a_tree_has_any_depth, set_up),
		cmocka_unit_test_setup(a_template_that_was_given_up_is_gone, set_up),
		cmocka_unit_test_setup(quit_ends_all_that_runs, set_up),
		cmocka_unit_test_setup(what_is_wrong_is_refused_in_qemus_words, set_up),
		cmocka_unit_test_setup(words_are_completed, set_up),
		cmocka_unit_test_setup(help_names_every_command, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
