/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The operator's session: keys, prompt, commands and jobs over the console, whose UART has a speed,
 * and over the list of VMs, in which VMs come and go between two turns of the boot processor.
 */
#include "hv/gdb/gdb.h"
#include "hv/monitor/monitor.h"

#include <asm/prctl.h>
#include <stdio.h>
#include <string.h>

#include "hv/host/console.h"
#include "hv/host/keyboard.h"
#include "hv/host/log.h"
#include "hv/host/tsc.h"
#include "hv/monitor/command.h"
#include "hv/monitor/examine_job.h"
#include "hv/monitor/file_job.h"
#include "hv/monitor/job.h"
#include "hv/monitor/keys.h"
#include "hv/monitor/registers.h"
#include "hv/monitor/say.h"
#include "hv/vm/audit.h"
#include "hv/vm/hold.h"
#include "hv/vm/map.h"
#include "hv/vm/output.h"
#include "hv/vm/save_queue.h"
#include "hv/vm/serial.h"
#include "hv/vm/template.h"
#include "hv/vm/vm.c"
#include "tests/unit/all_vcpus.h"
#include "tests/unit/support.h"

#include "tests/unit/balloon_vms.h"
#include "tests/unit/hotplug_vms.h"

enum {
	FIFO_US = 1389, /* 16 bytes at 115200 baud */
	TURN_US = 1000,
	TYPED_SIZE = 4096, /* kept while a command runs */
	N_VMS = 1000,
};

#define PROMPT "(stencil) "

const uint8_t font[FONT_GLYPHS][FONT_HEIGHT] = {0};
uint64_t tsc_hz = 1000000000;
struct vcpu_shared vcpu_shared;

static unsigned now_us, ready_us;
static char sent[1 << 20];
static size_t n_sent;
static const char *typed; /* what the operator types next */

static struct vm_config config;
static struct mem_map no_memory;
static struct vcpu vcpu;
static struct ept_layer layer;
static struct vm pool[2 * N_VMS];
static char names[2 * N_VMS][16];
static unsigned n_made;
static struct vm *template;
static bool floods;

bool serial_is_present(const struct serial_port *port)
{
	return true;
}

void serial_init(const struct serial_port *port)
{
}

bool serial_can_send(const struct serial_port *port)
{
	return now_us >= ready_us;
}

bool serial_all_sent(const struct serial_port *port)
{
	return serial_can_send(port);
}

/* A newline has a return before it. No lock is held at the speed of a line. */
void serial_send(const struct serial_port *port, uint8_t byte)
{
	assert_int_equal(vms_lock.next, vms_lock.serving);
	ready_us = now_us + FIFO_US;
	assert_true(n_sent < sizeof(sent) - 1);
	if (byte != '\r')
		sent[n_sent++] = (char)byte;
	sent[n_sent] = '\0';
}

int serial_receive(const struct serial_port *port)
{
	return typed && *typed ? (uint8_t)*typed++ : -1;
}

int keyboard_read(void)
{
	return -1;
}

void sched_add(struct vcpu *vcpus, unsigned n)
{
}

bool sched_are_aside(const struct vcpu *vcpus, unsigned n)
{
	return vcpu.is_aside;
}

int arch_prctl(int code, struct cpu *address); /* libc's, which no header declares */

static struct cpu cpu;
struct cpu *cpus[CPU_MAX] = {&cpu};
unsigned n_cpus = 1;

void sched_move_used(struct share *from, uint64_t *to)
{
	*to += from->used;
	from->used = 0;
}

void sched_pause(struct vcpu *vcpus, unsigned n, bool on)
{
	vcpus->is_paused = on;
}

void sched_request(struct vcpu *of, uint32_t requests)
{
}

void registers_show(const struct vcpu *of)
{
}

void examine_job(struct vm *vm, unsigned cpu, const struct examine *examine)
{
}

static struct vm *attached;
static uint64_t end_code;

void vm_output_attach(struct vm *vm, const char *name, uint64_t code)
{
	assert_int_equal(vms_lock.next, vms_lock.serving + 1); /* the VM is not freed meanwhile */
	attached = vm;
	end_code = code;
}

bool vm_output_detach(const struct vm *vm)
{
	bool is_attached = attached != NULL;

	attached = NULL;
	return is_attached;
}

bool vm_output_is_raw(void)
{
	return attached != NULL;
}

void console_print(const char *fmt, ...)
{
	char line[200];
	va_list args;

	va_start(args, fmt);
	console_write_raw(line, (size_t)vsnprintf(line, sizeof(line), fmt, args));
	va_end(args);
	console_write_raw("\n", 1);
}

bool vm_has_input(const struct vm *vm)
{
	return false;
}

bool vm_has_input_room(const struct vm *vm)
{
	return true;
}

void vm_put_input(struct vm *vm, uint8_t byte)
{
}

static struct vm *make_vm(const char *form, enum vm_outcome outcome)
{
	struct vm *vm = &pool[n_made];

	assert_true(n_made < ARRAY_SIZE(pool));
	snprintf(names[n_made], sizeof(names[0]), form, n_made);
	*vm = (struct vm){.index = vm_next_index(),
			  .name = names[n_made++],
			  .outcome = outcome,
			  .config = &config,
			  .mem = &no_memory,
			  .layer = &layer,
			  .vcpu = &vcpu,
			  .n_vcpus = 1};
	return vm;
}

struct vm *template_clone(struct vm *of, const char *name)
{
	assert_ptr_equal(of, template);
	return n_made < ARRAY_SIZE(pool) ? make_vm("clone-%u", VM_RUNNING) : NULL;
}

void template_put(struct vm *of)
{
	if (of)
		of->n_holds--;
}

void template_give_up(struct vm *of)
{
	of->is_given_up = true;
}

void template_give_up_all(void)
{
}

static bool saves; /* the configuration asks for a save */

bool save_queue_is_wanted(void)
{
	return saves;
}

static unsigned n_map_pieces; /* of a map that is not finished */

bool map_is_done(void)
{
	return n_map_pieces > 0;
}

enum status map_prepare(struct clone_config *line)
{
	return ERR_NOMEM;
}

bool template_keep_numbers(struct vm *of, uint32_t first, uint32_t n)
{
	return true;
}

void template_start_line(struct vm *of, struct clone_config *line)
{
	fail();
}

static unsigned n_late_looks;

void map_end_late(void)
{
	n_late_looks++;
}

bool map_finish_some(void)
{
	return n_map_pieces > 0 && n_map_pieces-- > 0;
}

static enum job_state save_some(void)
{
	return saves ? JOB_WAITS : JOB_IS_DONE;
}

void file_job_begin_due(void)
{
	static const struct job job = {.step = save_some, .is_configured = true};

	if (saves)
		job_begin(&job);
}

void file_job_dump(struct vm *vm, const char *path, bool is_sent)
{
}

const struct serial_port *gdb_port(void)
{
	return NULL;
}

const char *gdb_refuses(const struct serial_port *port)
{
	return "does not exist in this machine";
}

enum status gdb_begin(const struct serial_port *port)
{
	return OK;
}

enum status gdb_offer(uint32_t vm_index)
{
	return OK;
}

void file_job_save(struct vm *vm, const char *path, struct save_how how)
{
}

void file_job_send(const char *path)
{
}

static bool is_changing; /* a template is */

enum status vm_audit(void (*say)(const char *name, const char *what), struct vm_audit *ret)
{
	*ret = (struct vm_audit){.n_vms = n_made};
	return is_changing ? ERR_BUSY : OK;
}

/* What the boot processor does in a millisecond. */
static void turn(void)
{
	static const char line[] = "guest: what a guest prints\n";

	now_us += TURN_US;
	keys_poll();
	while (floods && console_offer(line, strlen(line)))
		;
	(void)console_poll();
}

static void run(unsigned n_turns)
{
	while (n_turns-- > 0)
		turn();
}

static void wait_for_prompt(void)
{
	do
		turn();
	while (*typed || job_is_running() || console_waiting() > 0 || !console_line_is_open());
}

static void begin_typing(const char *text)
{
	n_sent = 0;
	*sent = '\0';
	typed = text;
}

static void type(const char *text)
{
	begin_typing(text);
	wait_for_prompt();
}

/* Type, and return while the answer is on its way. */
static void begin(const char *text)
{
	begin_typing(text);
	run(100);
	assert_true(job_is_running());
}

static unsigned count(const char *what)
{
	unsigned n = 0;

	for (const char *at = sent; (at = strstr(at, what)) != NULL; at++)
		n++;
	return n;
}

static bool ends_with(const char *what)
{
	return n_sent >= strlen(what) && strcmp(sent + n_sent - strlen(what), what) == 0;
}

/* Its struct is freed. */
static void end_vm_of(unsigned number)
{
	vms_acquire();
	vm_unlist(&pool[number]);
	lock_release(&vms_lock);
	memset(&pool[number], 0xa5, sizeof(pool[0]));
}

/* A template and many VMs. The monitor has the console. */
static int set_up(void **state)
{
	static const struct boot_info no_screens;

	console_set_buffered(false);
	console_init(&no_screens);
	now_us = ready_us = 0;
	console_set_buffered(true);
	cpu = (struct cpu){.self = &cpu};
	assert_int_equal(arch_prctl(ARCH_SET_GS, &cpu), 0);
	vms = NULL;
	vms_end = &vms;
	n_made = 0;
	vcpu = (struct vcpu){.is_aside = true};
	template = make_vm("t", VM_FROZEN);
	template->n_holds = 1;
	vm_list(template);
	while (n_made < N_VMS)
		vm_list(make_vm("vm-%u", VM_RUNNING));
	type("\x01"
	     "c");
	return 0;
}

static int tear_down(void **state)
{
	type("\x01"
	     "c");
	floods = saves = false;
	return 0;
}

static void a_long_list_goes_on_while_vms_come_and_go(void **state)
{
	begin("info vms\r");
	assert_non_null(strstr(sent, "* vm-1: running"));
	assert_null(strstr(sent, "vm-500: "));
	end_vm_of(500);
	end_vm_of(vms_cursor[VMS_WALK_MONITOR]->index - template->index); /* the next one */
	vm_start(make_vm("new-%u", VM_RUNNING));
	wait_for_prompt();
	assert_int_equal(count("  vm-"), N_VMS - 4);
	assert_null(strstr(sent, "vm-500: "));
	assert_null(strstr(sent, "new-"));
	assert_non_null(strstr(sent, "  t: paused (template)"));
	assert_true(ends_with(PROMPT));
}

static void a_key_ends_the_list_in_one_line(void **state)
{
	begin("info vms\rinfo templates\r");
	assert_null(vms_cursor[VMS_WALK_MERGE]);
	type("\x03");
	assert_int_equal(count("Interrupted\n" PROMPT), 1);
	assert_true(ends_with("used\nInterrupted\n" PROMPT));
	/* What was typed after the command is forgotten, and nothing of the job is left. */
	assert_null(strstr(sent, "clones made"));
	assert_null(vms_cursor[VMS_WALK_MONITOR]);
	type("info status\r");
	assert_string_equal(sent, "info status\nVM status: running\n" PROMPT);
}

static void a_key_without_a_job_is_ignored(void **state)
{
	type("info \x03status\r");
	assert_string_equal(sent, "info status\nVM status: running\n" PROMPT);
}

static void the_line_before_comes_back(void **state)
{
	type("info status\r");
	type("vm vm-7\r");
	type("\x1b[A\x1b[A\r");
	assert_int_equal(count("\nVM status: running\n"), 1);
	assert_int_equal(count("info status"), 1);
	type("\x10\x0e\x0e\r"); /* there is none after the newest */
	assert_int_equal(count("VM status"), 0);
	type("\x1b[A\x1b[D\x1b[D\b\x1b[F\r");
	assert_non_null(strstr(sent, "unknown command: 'info staus'"));
}

static void tab_completes_or_lists(void **state)
{
	type("info st\t\r");
	assert_int_equal(count("info status \nVM status: "), 1);
	type("system_\tr\t\x15");
	assert_int_equal(count("system_\nsystem_powerdown system_reset\n" PROMPT "system_reset "),
			 1);
	type("vm vm-7\t");
	assert_non_null(strstr(sent, "vm-7\nvm-7 vm-70 "));
	type("\x15\t");
	assert_non_null(strstr(sent, "\nballoon check clone "));
	type("nonsense\t\x15");
	assert_int_equal(count("\n"), 0);
}

static void a_tree_keeps_its_place_while_vms_end(void **state)
{
	for (unsigned i = 10; i < 900; i++)
		pool[i].template = template;
	begin("info tree\r");
	assert_non_null(strstr(sent, "  vm-11: running"));
	assert_int_equal(template->n_holds, 2);
	for (unsigned i = 11; i < 800; i++)
		end_vm_of(i);
	wait_for_prompt();
	assert_int_equal(count("\n  vm-899: running"), 1);
	assert_int_equal(count("\nvm-900: running"), 1);
	assert_int_equal(template->n_holds, 1);
	begin("info tree\r");
	type("\x03");
	assert_int_equal(template->n_holds, 1);
}

static unsigned n_steps;

static enum job_state say_much(void)
{
	for (unsigned i = 0; i < JOB_SAY_MAX / 1024; i++)
		say("%01023u", n_steps);
	return ++n_steps < 20 ? JOB_GOES_ON : JOB_IS_DONE;
}

static void no_line_of_a_step_is_lost(void **state)
{
	static const struct job job = {.step = say_much};

	tsc_hz *= 1000; /* much fits a turn */
	n_steps = 0;
	begin_typing("");
	job_begin(&job);
	wait_for_prompt();
	tsc_hz /= 1000;
	assert_int_equal(count("\n0000"), 20 * JOB_SAY_MAX / 1024);
	assert_null(strstr(sent, "lost"));
}

static void clones_are_made_in_pieces(void **state)
{
	unsigned n;

	typed = "clone t 4294967295\r";
	while (*typed)
		turn();
	assert_true(job_is_running());
	assert_int_equal(template->n_holds, 2);
	n = n_made;
	run(1);
	assert_true(n_made > n || n == ARRAY_SIZE(pool));
	type("\x03");
	n = n_made;
	assert_true(n < ARRAY_SIZE(pool));
	run(100);
	assert_int_equal(n_made, n);
	assert_int_equal(template->n_holds, 1);
}

static void no_clone_is_made_of_a_template_without_a_name(void **state)
{
	typed = "clone t 4294967295\r";
	while (*typed)
		turn();
	template->is_given_up = true;
	wait_for_prompt();
	assert_true(n_made < ARRAY_SIZE(pool));
	assert_int_equal(template->n_holds, 1);
}

static void a_vm_may_end_during_its_answer(void **state)
{
	vcpu.is_aside = false;
	begin("vm vm-7\rinfo registers\r");
	assert_true(vcpu.is_paused);
	end_vm_of(7);
	wait_for_prompt();
	assert_true(ends_with("Error: the VM has ended\n" PROMPT));
}

static void a_stopped_vm_goes_on_after_the_key(void **state)
{
	vcpu.is_aside = false;
	begin("vm vm-7\rinfo registers\r");
	assert_true(vcpu.is_paused);
	type("\x03");
	assert_false(vcpu.is_paused);
	assert_true(ends_with("Interrupted\n" PROMPT));
}

static void a_check_waits_until_no_template_changes(void **state)
{
	is_changing = true;
	begin("check\r");
	is_changing = false;
	wait_for_prompt();
	assert_string_equal(sent,
			    "check\ncheck: VMs and templates: 1000, frames: 0, faults: 0\n" PROMPT);
}

static void a_job_holds_the_machine_after_the_prompt(void **state)
{
	begin("info vms\r");
	typed = "\x01"
		"c";
	run(10);
	assert_false(monitor_is_on());
	assert_true(monitor_holds_machine() && monitor_is_waiting());
	while (job_is_running() || console_waiting() > 0)
		turn();
	assert_false(monitor_holds_machine() || monitor_is_waiting());
	assert_int_equal(count("  vm-"), N_VMS - 2);
	type("\x01"
	     "c");
}

static void a_configured_save_is_not_interrupted(void **state)
{
	saves = true;
	run(1);
	typed = "\x03";
	run(100);
	assert_true(job_is_running());
	saves = false;
	wait_for_prompt();
	assert_null(strstr(sent, "Interrupted"));
}

static void the_operator_is_answered_beside_a_flood(void **state)
{
	tsc_hz = 10000000; /* the prompt comes twice a second */
	floods = true;
	run(500);
	begin_typing("info status\rinfo version\r");
	for (unsigned i = 0; i < 2000 && !strstr(sent, "templates\n"); i++)
		turn();
	assert_int_equal(count("\nVM status: running\n"), 1);
	assert_int_equal(count("\nStencil 0.0.0 (test)\n"), 1);
	assert_true(count("guest: what a guest prints\n") > 10);
	floods = false;
	tsc_hz = 1000000000;
	wait_for_prompt();
}

/* The line that says so has the code, and another VM or the monitor ends it. */
static void ctrl_a_a_attaches_the_console_to_the_vm_in_focus(void **state)
{
	char line[200];

	begin_typing("\x01"
		     "c\x01"
		     "a");
	run(100);
	assert_ptr_equal(attached, &pool[1]);
	snprintf(line, sizeof(line), "console: raw output of VM vm-1, until %016lx\n", end_code);
	assert_int_equal(count(line), 1);
	assert_int_not_equal(end_code, 0);
	for (const char *keys = "anc"; *keys; keys++) {
		begin_typing((char[]){1, *keys, '\0'});
		run(100);
		assert_null(attached);
		begin_typing(*keys == 'c' ? "\x01"
					    "c\x01"
					    "a"
					  : "\x01"
					    "a");
		run(100);
		assert_non_null(attached);
	}
	type("\x01"
	     "c");
}

static void a_command_attaches_the_console(void **state)
{
	begin_typing("console vm-7\r");
	run(100);
	assert_ptr_equal(attached, &pool[7]);
	assert_false(monitor_is_on());
	assert_int_equal(count("console: raw output of VM vm-7, until "), 1);
	begin_typing("\x01"
		     "d");
	run(100);
	assert_null(attached);
	assert_false(monitor_is_on());
	type("\x01"
	     "c");
	type("console nobody\r");
	assert_int_equal(count("Error: there is no VM 'nobody'\n" PROMPT), 1);
}

static char much[TYPED_SIZE + 200];

/* Lines, which together do not fit, and 'last'. */
static const char *type_much(const char *line, const char *last)
{
	size_t len = 0;

	while (len <= TYPED_SIZE)
		len += (size_t)snprintf(much + len, sizeof(much) - len, "%s", line);
	snprintf(much + len, sizeof(much) - len, "%s", last);
	return much;
}

static void ctrl_c_is_read_after_more_than_is_kept(void **state)
{
	begin("info vms\r");
	typed = type_much("info version\r", "\x03");
	run(100);
	assert_false(job_is_running());
	wait_for_prompt();
	assert_int_equal(count("Interrupted\n"), 1);
	assert_int_equal(count("Stencil 0.0.0 (test)"), 0);
	assert_int_equal(count("lost"), 0);
	type("info status\r");
	assert_string_equal(sent, "info status\nVM status: running\n" PROMPT);
}

static void what_is_typed_waits_while_the_console_is_full(void **state)
{
	static const char line[] = "an answer that is longer than a line\n";

	type("vm vm-7\r");
	while (console_waiting() < 5000)
		console_write_raw(line, strlen(line));
	tsc_hz = UINT64_MAX / 4;
	for (const char *text = "stop\r"; *text; text++)
		monitor_type((uint8_t)*text);
	monitor_poll();
	assert_false(vcpu.is_paused);
	tsc_hz = 0; /* two seconds, in which nothing leaves */
	monitor_poll();
	assert_true(vcpu.is_paused);
	tsc_hz = 1000000000;
	wait_for_prompt();
}

/* No part of a line is taken for another command. */
static void lines_without_room_are_lost_whole_and_counted(void **state)
{
	static const char line[] = "destroy vm-10\r";
	char told[80];
	unsigned n_kept = TYPED_SIZE / strlen(line), n_typed = TYPED_SIZE / strlen(line) + 1;

	begin("info vms\r");
	typed = type_much(line, "info status\rinfo vers");
	while (job_is_running())
		turn();
	wait_for_prompt();
	assert_int_equal(count("(stencil) destroy vm-10\n") + count("\ndestroy vm-10\n"), n_kept);
	type("ion\r");
	snprintf(told, sizeof(told), "Error: typed lines lost while a command ran: %u\n",
		 n_typed - n_kept + 2);
	assert_int_equal(count(told), 1);
	type("info status\r");
	assert_true(ends_with("info status\nVM status: running\n" PROMPT));
}

static void what_is_typed_without_a_return_is_bounded(void **state)
{
	begin("info vms\r");
	typed = type_much("x", "\rinfo status\r");
	wait_for_prompt();
	assert_int_equal(count("VM status: running"), 1);
	assert_int_equal(count("Error: typed lines lost while a command ran: 1\n"), 1);
	assert_true(ends_with(PROMPT));
}

/* The sender is held up instead, as without a command. */
static void nothing_is_lost_that_ctrl_c_cannot_end(void **state)
{
	saves = true;
	run(1);
	typed = type_much("info version\r", "");
	run(100);
	assert_true(*typed && !monitor_has_room());
	saves = false;
	begin_typing(typed);
	wait_for_prompt();
	assert_int_equal(count("\nStencil 0.0.0 (test)"),
			 TYPED_SIZE / strlen("info version\r") + 1);
	assert_int_equal(count("lost"), 0);
}

/* Read together, the command and the key. */
static void ctrl_c_is_found_among_what_waits(void **state)
{
	type("info vms\rinfo templates\r\x03info status\r");
	assert_int_equal(count("Interrupted\n"), 1);
	assert_int_equal(count("clones made"), 0);
	assert_true(ends_with("info status\nVM status: running\n" PROMPT));
}

/* The machine is held without the prompt, too. */
static void a_save_of_the_configuration_is_waited_for(void **state)
{
	assert_true(monitor_holds_machine() && monitor_is_waiting());
	type("\x01"
	     "c");
	assert_false(monitor_holds_machine() || monitor_is_waiting());
	saves = true;
	assert_true(monitor_holds_machine() && monitor_is_waiting());
	saves = false;
	type("\x01"
	     "c");
}

static void a_map_is_finished_before_the_machine_ends(void **state)
{
	type("\x01"
	     "c");
	n_map_pieces = 5;
	n_late_looks = 0;
	assert_true(monitor_holds_machine() && monitor_is_waiting());
	while (monitor_holds_machine())
		turn();
	assert_int_equal(n_map_pieces, 0);
	assert_true(n_late_looks > 0);
	type("\x01"
	     "c");
}

/* The last test: the monitor knows no way back. The command that runs is completed first. */
static void after_quit_there_is_no_prompt(void **state)
{
	begin("info vms\r");
	monitor_quit(); /* as the power button does */
	typed = "quit\rinfo status\r";
	while (*typed)
		turn();
	assert_true(job_is_running() && command_has_quit());
	assert_true(monitor_holds_machine());
	assert_int_equal(pool[1].outcome, VM_RUNNING);
	while (job_is_running() || console_waiting() > 0)
		turn();
	run(200);
	assert_int_equal(count("  vm-"), N_VMS - 2);
	assert_int_equal(pool[1].outcome, VM_ENDED_WELL);
	assert_true(monitor_is_on());
	assert_false(monitor_holds_machine());
	assert_false(ends_with(PROMPT));
	assert_int_equal(count("(stencil) "), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_long_list_goes_on_while_vms_come_and_go),
		TEST(a_key_ends_the_list_in_one_line),
		TEST(a_key_without_a_job_is_ignored),
		TEST(the_line_before_comes_back),
		TEST(tab_completes_or_lists),
		TEST(a_tree_keeps_its_place_while_vms_end),
		TEST(no_line_of_a_step_is_lost),
		TEST(clones_are_made_in_pieces),
		TEST(no_clone_is_made_of_a_template_without_a_name),
		TEST(a_vm_may_end_during_its_answer),
		TEST(a_stopped_vm_goes_on_after_the_key),
		TEST(a_check_waits_until_no_template_changes),
		TEST(a_job_holds_the_machine_after_the_prompt),
		TEST(a_configured_save_is_not_interrupted),
		TEST(the_operator_is_answered_beside_a_flood),
		TEST(ctrl_a_a_attaches_the_console_to_the_vm_in_focus),
		TEST(a_command_attaches_the_console),
		TEST(what_is_typed_waits_while_the_console_is_full),
		TEST(ctrl_c_is_read_after_more_than_is_kept),
		TEST(lines_without_room_are_lost_whole_and_counted),
		TEST(what_is_typed_without_a_return_is_bounded),
		TEST(nothing_is_lost_that_ctrl_c_cannot_end),
		TEST(ctrl_c_is_found_among_what_waits),
		TEST(a_save_of_the_configuration_is_waited_for),
		TEST(a_map_is_finished_before_the_machine_ends),
		cmocka_unit_test_setup(after_quit_there_is_no_prompt, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
