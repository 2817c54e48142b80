/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The operator's prompt and what its commands do. VMs come and go on other processors: one is
 * looked up and dealt with under vms_lock, and what is asked of it is requested, as
 * guests request it. Whoever holds the console may do everything: there are no rights.
 */
#include "hv/monitor/monitor.h"

#include "hv/ept/merged.h"
#include "hv/frame/frame.h"
#include "hv/guest/merge.h"
#include "hv/host/console.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"
#include "hv/monitor/command.h"
#include "hv/monitor/focus.h"
#include "hv/monitor/job.h"
#include "hv/monitor/line.h"
#include "hv/vcpu/sched.h"
#include "hv/vm/hold.h"
#include "hv/vm/save_queue.h"
#include "hv/vm/template.h"
#include "hv/vm/vm.h"

#define PROMPT	   "(stencil) "
#define TYPED_SIZE 512

static struct {
	bool is_on; /* atomic */
	bool is_busy;
	bool is_quitting;
	struct image_list *images;
	struct monitor_line line;
	/* What is typed while a command is at work; more is lost. */
	uint8_t typed[TYPED_SIZE];
	size_t n_typed;
} monitor;

void monitor_setup(struct image_list *images)
{
	monitor.images = images;
	monitor_job_setup(images);
}

bool monitor_is_on(void)
{
	return __atomic_load_n(&monitor.is_on, __ATOMIC_RELAXED);
}

bool monitor_holds_machine(void)
{
	return (monitor_is_on() && !monitor.is_quitting) || template_save_is_wanted();
}

bool monitor_is_waiting(void)
{
	return monitor_is_on() || template_save_is_wanted();
}

static void emit(void *context, const char *line)
{
	char text[INFO_LINE_MAX + 2];
	size_t len = format(text, sizeof(text), "%s\n", line);

	(void)context;
	console_write_raw(text, len < sizeof(text) ? len : sizeof(text) - 1);
}

__attribute__((format(printf, 1, 2))) static void say(const char *fmt, ...)
{
	char line[INFO_LINE_MAX + 1];
	va_list args;

	va_start(args, fmt);
	format_v(line, sizeof(line), fmt, args);
	va_end(args);
	emit(NULL, line);
}

static bool is_running(const struct vm *vm)
{
	return __atomic_load_n(&vm->outcome, __ATOMIC_RELAXED) == VM_RUNNING;
}

/* Not one that was given up. */
static bool is_template(const struct vm *vm)
{
	return __atomic_load_n(&vm->outcome, __ATOMIC_RELAXED) == VM_FROZEN && !vm->is_given_up;
}

/* Said if there is none. vms_lock is held. */
static struct vm *find_vm(const char *name)
{
	for (struct vm *vm = vms; vm; vm = vm->next)
		if (strcmp(vm->name, name) == 0 && (is_running(vm) || is_template(vm)))
			return vm;
	say("Error: there is no VM '%s'", name);
	return NULL;
}

static struct vm *find_focus(void)
{
	struct vm *vm = focus_vm();

	if (vm && (is_running(vm) || is_template(vm)))
		return vm;
	say("Error: there is no VM in focus");
	return NULL;
}

static void end_vm(struct vm *vm)
{
	vm_end(vm, VM_ENDED_WELL, "ended by the operator");
}

static bool must_run(const struct vm *vm)
{
	if (!is_running(vm))
		say("Error: VM %s is a template", vm->name);
	return is_running(vm);
}

static const char *status_text(const struct vm *vm)
{
	if (!is_running(vm))
		return "paused (template)";
	return __atomic_load_n(&vm->is_paused, __ATOMIC_RELAXED) ? "paused" : "running";
}

static void info_vms(void)
{
	const struct vm *focus = focus_vm();

	for (const struct vm *vm = vms; vm; vm = vm->next)
		if (is_running(vm) || is_template(vm))
			say("%c %s: %s, %llu KiB private memory, tables included",
			    vm == focus ? '*' : ' ', vm->name, status_text(vm),
			    (unsigned long long)(vm->ept.n_owned * PAGE_SIZE / KIB(1)));
}

static void info_templates(void)
{
	for (const struct vm *vm = vms; vm; vm = vm->next)
		if (is_template(vm))
			say("%s: %llu KiB, %u clones made, %u alive", vm->name,
			    (unsigned long long)(vm->layer->n_owned * PAGE_SIZE / KIB(1)),
			    vm->next_number, vm->n_holds - 1);
}

/* In the words of Linux's KSM. */
/* Others may take or give some meanwhile. */
static void info_frames(void)
{
	say("frames: %llu of %llu free, of 4 KiB each", (unsigned long long)frame_available(),
	    (unsigned long long)frame_total());
}

static void info_merge(void)
{
	struct merged_counters counters = merged_count();

	say("pages_shared: %llu", (unsigned long long)counters.shared);
	say("pages_sharing: %llu", (unsigned long long)counters.sharing);
	say("pages_scanned: %llu", (unsigned long long)merge_scanned());
}

static void info_cpus(const struct vm *vm)
{
	for (unsigned i = 0; i < vm->n_vcpus; i++) {
		const struct vcpu *vcpu = &vm->vcpu[i];
		bool is_halted =
			__atomic_load_n(&vcpu->regs.requests, __ATOMIC_RELAXED) & VCPU_REQUEST_HALT;

		say("%c CPU #%u: %s, %llu exits", i == 0 ? '*' : ' ', i,
		    is_halted ? "halted" : "runs", (unsigned long long)vcpu->n_exits);
	}
}

static void freeze(struct vm *vm)
{
	if (must_run(vm))
		vm_gather(vm, VM_FREEZE);
}

static void revert(struct vm *vm)
{
	if (!must_run(vm))
		return;
	if (vm->template)
		vm_gather(vm, VM_REVERT);
	else
		say("Error: VM %s is no clone", vm->name);
}

static void destroy(struct vm *vm)
{
	if (is_running(vm))
		end_vm(vm);
	else
		template_give_up(vm);
}

static void save(struct vm *vm, const struct monitor_request *request)
{
	if (is_running(vm) && !__atomic_load_n(&vm->is_paused, __ATOMIC_RELAXED))
		say("Error: VM %s runs: stop it, or make it a template, before", vm->name);
	else
		monitor_job_save(vm, request->path, request->is_sent);
}

static void reset(struct vm *vm)
{
	if (must_run(vm))
		vm_reset(vm);
}

static void set_paused(struct vm *vm, bool on)
{
	if (must_run(vm))
		sched_pause(vm, on);
}

/* Commands about all VMs, or about one by its name. vms_lock is held. False: not one of these. */
static bool run_about_vms(const struct monitor_request *request)
{
	struct vm *vm = NULL;

	switch (request->command) {
	case MONITOR_INFO_VMS:
		info_vms();
		return true;
	case MONITOR_INFO_TEMPLATES:
		info_templates();
		return true;
	case MONITOR_DESTROY:
	case MONITOR_FREEZE:
	case MONITOR_REVERT:
	case MONITOR_SAVE:
	case MONITOR_VM:
		vm = find_vm(request->name);
		break;
	default:
		return false;
	}
	if (vm == NULL)
		return true;
	if (request->command == MONITOR_DESTROY)
		destroy(vm);
	else if (request->command == MONITOR_FREEZE)
		freeze(vm);
	else if (request->command == MONITOR_REVERT)
		revert(vm);
	else if (request->command == MONITOR_SAVE)
		save(vm, request);
	else
		focus_set(vm);
	return true;
}

/* The parser knows that it is one of these. vms_lock is held. */
static void info_memory(struct vm *vm, const char *command)
{
	static struct device_list devices;

	platform_list(&vm->platform, &devices);
	(void)info_run(vm->config, vm->mem, &devices, command, emit, NULL);
}

/* Commands about the VM in focus. vms_lock is held. */
static void run_about_focus(const struct monitor_request *request)
{
	struct vm *vm = find_focus();

	if (vm == NULL)
		return;
	switch (request->command) {
	case MONITOR_STOP:
	case MONITOR_CONT:
		set_paused(vm, request->command == MONITOR_STOP);
		break;
	case MONITOR_SYSTEM_RESET:
		reset(vm);
		break;
	case MONITOR_INFO_STATUS:
		say("VM status: %s", status_text(vm));
		break;
	case MONITOR_INFO_CPUS:
		info_cpus(vm);
		break;
	case MONITOR_INFO_REGISTERS:
		monitor_job_registers(vm);
		break;
	case MONITOR_DUMP:
		monitor_job_dump(vm, request->name, request->is_sent);
		break;
	default:
		info_memory(vm, request->name);
		break;
	}
}

/* A template that has a name stays: only the monitor takes it. */
static void start_clones(const struct monitor_request *request)
{
	struct vm *template;

	lock_acquire(&vms_lock);
	template = find_vm(request->name);
	lock_release(&vms_lock);
	if (template && !is_template(template)) {
		say("Error: VM %s is no template", request->name);
		return;
	}
	for (uint32_t i = 0; template && i < request->count; i++) {
		struct vm *clone = template_clone(template, NULL);

		if (clone == NULL)
			return;
		clone->is_paused = request->is_paused;
		vm_start(clone);
	}
}

static void send_file(const char *path)
{
	struct image *image = NULL;
	enum image_error error = image_lookup(monitor.images->first, path, &image);

	if (error == IMAGE_OK && (image == NULL || image->type != IMAGE_FILE))
		error = IMAGE_IS_DIRECTORY;
	if (error == IMAGE_OK)
		monitor_job_send(image);
	else
		say("Error: send: could not open '%s': %s", path, image_error_text(error));
}

static void run(const struct monitor_request *request)
{
	switch (request->command) {
	case MONITOR_NOTHING:
		return;
	case MONITOR_CLONE:
		start_clones(request);
		return;
	case MONITOR_INFO_FRAMES:
		info_frames();
		return;
	case MONITOR_INFO_MERGE:
		info_merge();
		return;
	case MONITOR_INFO_VERSION:
		say("Stencil, a hypervisor for VM templates");
		return;
	case MONITOR_QUIT:
		monitor.is_quitting = true;
		return;
	case MONITOR_SEND:
		send_file(request->name);
		return;
	case MONITOR_SYSTEM_POWERDOWN:
		say("Error: system_powerdown: this machine has no power button");
		return;
	default:
		break;
	}
	lock_acquire(&vms_lock);
	if (!run_about_vms(request))
		run_about_focus(request);
	lock_release(&vms_lock);
}

static void type(uint8_t byte)
{
	char echo[MONITOR_ECHO_SIZE];
	struct monitor_request request;
	bool entered;
	size_t len = monitor_line_type(&monitor.line, byte, echo, &entered);

	if (len > 0)
		console_write_part(echo, len);
	if (!entered)
		return;
	monitor_parse(monitor.line.text, &request, emit, NULL);
	run(&request);
	monitor_line_clear(&monitor.line);
	monitor.is_busy = monitor_job_work();
}

void monitor_type(uint8_t byte)
{
	if (monitor.n_typed < TYPED_SIZE)
		monitor.typed[monitor.n_typed++] = byte;
}

/* What was typed, as far as no command is at work. */
static void take_typed(void)
{
	size_t n = 0;

	while (n < monitor.n_typed && !monitor.is_busy)
		type(monitor.typed[n++]);
	memmove(monitor.typed, monitor.typed + n, monitor.n_typed - n);
	monitor.n_typed -= n;
}

/* Only when the console is quiet: guests that say much would be interrupted at each line. */
static void show_prompt(void)
{
	char text[sizeof(PROMPT) + MONITOR_LINE_SIZE];
	size_t len;

	if (console_line_is_open() || console_waiting() > 0)
		return;
	len = format(text, sizeof(text), "%s%s", PROMPT, monitor.line.text);
	console_write_part(text, len);
}

void monitor_switch(void)
{
	static bool was_on;
	bool is_on = !monitor_is_on();

	__atomic_store_n(&monitor.is_on, is_on, __ATOMIC_RELAXED);
	if (is_on && !was_on)
		say("Stencil monitor - type 'help' for more information");
	else if (!is_on)
		log_info("console: input goes to the guests");
	was_on = true;
}

/* Again and again: a VM that freezes starts others. */
static void end_vms(void)
{
	lock_acquire(&vms_lock);
	for (struct vm *vm = vms; vm; vm = vm->next)
		if (is_running(vm))
			end_vm(vm);
	lock_release(&vms_lock);
}

void monitor_poll(void)
{
	monitor.is_busy = monitor_job_work();
	if (monitor.is_quitting && !monitor.is_busy)
		end_vms();
	take_typed();
	if (monitor_is_on() && !monitor.is_busy && !monitor.is_quitting)
		show_prompt();
}
