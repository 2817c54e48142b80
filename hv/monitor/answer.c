/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A step takes vms_lock, formats what it says, and releases the lock before it says it. Between
 * two steps VMs start and end: the cursor of the list moves on when a VM leaves it, any other VM is
 * found again by its number.
 */
#include "hv/monitor/answer.h"

#include "hv/host/tsc.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"
#include "hv/monitor/focus.h"
#include "hv/monitor/info.h"
#include "hv/monitor/job.h"
#include "hv/monitor/registers.h"
#include "hv/monitor/say.h"
#include "hv/monitor/still.h"
#include "hv/vm/audit.h"
#include "hv/vm/hold.h"
#include "hv/vm/template.h"
#include "hv/vm/usage.h"

enum { LINES_AT_ONCE = 4 }; /* of INFO_LINE_MAX bytes */
_Static_assert(LINES_AT_ONCE *(INFO_LINE_MAX + 1) <= JOB_SAY_MAX, "a step");

/* Of the current job. */
static unsigned vm_index; /* of the VM that is described, or of the first one that is not listed */
static unsigned n_done;	  /* lines, or vCPUs */

bool answer_is_running(const struct vm *vm)
{
	return vm_outcome(vm) == VM_RUNNING;
}

bool answer_is_template(const struct vm *vm)
{
	return vm_outcome(vm) == VM_FROZEN && !vm->is_given_up;
}

const char *answer_status(const struct vm *vm)
{
	if (!answer_is_running(vm))
		return "paused (template)";
	return vm_is_paused(vm) ? "paused" : "running";
}

/* The lists. */

static unsigned focus_index; /* UINT32_MAX: none */

static void begin_list(const struct job *job)
{
	const struct vm *focus;

	vms_acquire();
	focus = focus_vm();
	focus_index = focus ? focus->index : UINT32_MAX;
	vms_cursor[VMS_WALK_MONITOR] = vms;
	lock_release(&vms_lock);
	vm_index =
		vm_next_index(); /* VMs that come later are not listed, else there may be no end */
	job_begin(job);
}

/* The next VM of the list, or template; NULL: that was all. vms_lock is held. */
static const struct vm *next_listed(void)
{
	struct vm *vm = vms_cursor[VMS_WALK_MONITOR];

	while (vm && vm->index < vm_index && !answer_is_running(vm) && !answer_is_template(vm))
		vm = vm->next;
	if (vm && vm->index > vm_index)
		vm = NULL;
	vms_cursor[VMS_WALK_MONITOR] = vm ? vm->next : NULL;
	return vm;
}

static void end_list(void)
{
	vms_acquire();
	vms_cursor[VMS_WALK_MONITOR] = NULL;
	lock_release(&vms_lock);
}

/* Returns the line's length; 0: the VM is not listed here. */
typedef size_t format_vm(const struct vm *vm, char *line, size_t size);

static enum job_state list_next(format_vm *format_line)
{
	char line[INFO_LINE_MAX + 1];
	const struct vm *vm;
	size_t len = 0;

	vms_acquire();
	vm = next_listed();
	if (vm)
		len = format_line(vm, line, sizeof(line));
	lock_release(&vms_lock);
	if (len > 0)
		say("%s", line);
	return vm ? JOB_GOES_ON : JOB_IS_DONE;
}

/* With tables. A template's is what its clones share. vms_lock is held. */
static uint64_t private_kib(const struct vm *vm)
{
	uint64_t n_frames = vm->ept.n_owned;

	if (!answer_is_running(vm))
		n_frames += vm->layer->n_owned;
	return n_frames * PAGE_SIZE / KIB(1);
}

static size_t format_usage(const struct vm *vm, char *line, size_t size)
{
	return format(line, size,
		      "%c %s: %s, %lu KiB private memory, tables included; weight %u, %lu ms used",
		      vm->index == focus_index ? '*' : ' ', vm_name(vm), answer_status(vm),
		      private_kib(vm), vm->share.weight,
		      __atomic_load_n(&vm->share.used, __ATOMIC_RELAXED) / (tsc_hz / 1000));
}

static enum job_state list_vm(void)
{
	return list_next(format_usage);
}

void answer_vms(void)
{
	static const struct job job = {.step = list_vm, .end = end_list};

	begin_list(&job);
}

static size_t format_template(const struct vm *vm, char *line, size_t size)
{
	uint32_t n_failed, n_ended;

	if (!answer_is_template(vm))
		return 0;
	/* A clone that fails is counted as ended before: never more have failed than have ended. */
	n_failed = __atomic_load_n(&vm->n_clones_failed, __ATOMIC_ACQUIRE);
	n_ended = __atomic_load_n(&vm->n_clones_ended, __ATOMIC_RELAXED);
	return format(line, size,
		      "%s: %lu KiB, %u clones made, %u alive, %u ended, %u of them failed",
		      vm_name(vm), vm->layer->n_owned * PAGE_SIZE / KIB(1), vm->next_number,
		      template_n_holds(vm) - 1, n_ended, n_failed);
}

static enum job_state list_template(void)
{
	return list_next(format_template);
}

void answer_templates(void)
{
	static const struct job job = {.step = list_template, .end = end_list};

	begin_list(&job);
}

/* The tree. Depth first: a template, then its clones. */

enum { TREE_DEPTH_MAX = 30 }; /* what is deeper has this indentation */

static struct vm *tree_parent; /* held; NULL: VMs without a template are next */
static unsigned tree_next;     /* the least number of its clones that are not listed yet */

/* vms_lock is held. */
static void set_tree_parent(struct vm *vm, unsigned next)
{
	if (vm)
		template_hold(vm);
	template_put(tree_parent);
	tree_parent = vm;
	tree_next = next;
}

/* The next clone of the template, or VM without one. vms_lock is held. */
static struct vm *next_sibling(void)
{
	struct vm *next = NULL;

	for (struct vm *vm = vms; vm; vm = vm->next) {
		bool is_there = answer_is_running(vm) || vm_outcome(vm) == VM_FROZEN;

		if (is_there && vm->template == tree_parent && vm->index >= tree_next &&
		    vm->index < vm_index && (next == NULL || vm->index < next->index))
			next = vm;
	}
	return next;
}

/* The next VM of the tree; NULL: that was all. vms_lock is held. */
static struct vm *next_in_tree(void)
{
	struct vm *vm = next_sibling();

	while (vm == NULL && tree_parent != NULL) {
		set_tree_parent(tree_parent->template, tree_parent->index + 1);
		vm = next_sibling();
	}
	if (vm && vm_outcome(vm) == VM_FROZEN)
		set_tree_parent(vm, 0);
	else if (vm)
		tree_next = vm->index + 1;
	return vm;
}

static void format_node(const struct vm *vm, char *line, size_t size)
{
	unsigned depth = 0;

	for (const struct vm *up = vm->template; up && depth < TREE_DEPTH_MAX; up = up->template)
		depth++;
	format(line, size, "%*s%s: %s, %lu KiB private memory", 2 * (int)depth, "", vm_name(vm),
	       vm_outcome(vm) == VM_FROZEN && vm->is_given_up ? "given up (template)"
							      : answer_status(vm),
	       private_kib(vm));
}

static enum job_state list_node(void)
{
	char line[INFO_LINE_MAX + 1];
	const struct vm *vm;

	vms_acquire();
	vm = next_in_tree();
	if (vm)
		format_node(vm, line, sizeof(line));
	lock_release(&vms_lock);
	if (vm)
		say("%s", line);
	return vm ? JOB_GOES_ON : JOB_IS_DONE;
}

static void end_tree(void)
{
	vms_acquire();
	set_tree_parent(NULL, 0);
	lock_release(&vms_lock);
}

void answer_tree(void)
{
	static const struct job job = {.step = list_node, .end = end_tree};

	vm_index = vm_next_index();
	tree_next = 0;
	job_begin(&job);
}

/* One VM. */

static void begin_about(const struct vm *vm, const struct job *job)
{
	vm_index = vm->index;
	n_done = 0;
	job_begin(job);
}

/* The VM, unless it has ended. vms_lock is held. */
static const struct vm *find(void)
{
	const struct vm *vm = vm_find(vm_index);

	return vm && (answer_is_running(vm) || answer_is_template(vm)) ? vm : NULL;
}

static enum job_state has_ended(void)
{
	say("Error: the VM has ended");
	return JOB_IS_DONE;
}

static char command[ANSWER_COMMAND];

/* What a step says. */
struct said {
	char text[JOB_SAY_MAX + 1];
	size_t len;
};

static void add_line(void *context, const char *line)
{
	struct said *said = context;

	said->len += format(said->text + said->len, sizeof(said->text) - said->len, "%s\n", line);
}

/* vms_lock is held. */
static void read_lines(const struct vm *vm, struct info_part *part, struct said *said)
{
	static struct device_list devices;
	const struct info_vm about = {vm->config, vm->mem, &devices};

	platform_list(&vm->platform, &devices);
	/* Always OK: the caller knows the command. */
	(void)info_run_part(&about, command, part, add_line, said);
}

static enum job_state say_about(void)
{
	struct info_part part = {.first = n_done, .n = LINES_AT_ONCE};
	static struct said said;
	const struct vm *vm;

	said.len = 0;
	vms_acquire();
	vm = find();
	if (vm)
		read_lines(vm, &part, &said);
	lock_release(&vms_lock);
	if (vm == NULL)
		return has_ended();
	if (said.len > 0)
		say_lines(said.text, said.len);
	n_done += part.n;
	return part.n == LINES_AT_ONCE ? JOB_GOES_ON : JOB_IS_DONE;
}

void answer_memory(const struct vm *vm, const char *text)
{
	static const struct job job = {.step = say_about};

	format(command, sizeof(command), "%s", text);
	begin_about(vm, &job);
}

enum { CPU_LINE = 80 };

static void format_cpu(const struct vcpu *vcpu, bool is_chosen, char line[CPU_LINE])
{
	bool is_halted =
		__atomic_load_n(&vcpu->regs.requests, __ATOMIC_RELAXED) & VCPU_REQUEST_HALT;

	format(line, CPU_LINE, "%c CPU #%u: %s, %lu exits", is_chosen ? '*' : ' ', vcpu->number,
	       is_halted ? "halted" : "running", vcpu_n_exits(vcpu));
}

static enum job_state say_cpu(void)
{
	char line[CPU_LINE];
	const struct vm *vm;
	bool is_last = true;

	vms_acquire();
	vm = find();
	if (vm) {
		format_cpu(vm_vcpu(vm, n_done), n_done == focus_cpu(vm), line);
		n_done++;
		is_last = n_done == vm->n_vcpus;
	}
	lock_release(&vms_lock);
	if (vm == NULL)
		return has_ended();
	say("%s", line);
	return is_last ? JOB_IS_DONE : JOB_GOES_ON;
}

void answer_cpus(const struct vm *vm)
{
	static const struct job job = {.step = say_cpu};

	begin_about(vm, &job);
}

void answer_exits(const struct vm *vm)
{
	struct usage usage = {0};
	uint64_t n_all = 0;

	usage_add(&usage, vm);
	for (unsigned kind = 0; kind < N_EXIT_KINDS; kind++) {
		if (usage.n_exits[kind] > 0)
			say("%-18s %lu", usage_exit_name((enum exit_kind)kind),
			    usage.n_exits[kind]);
		n_all += usage.n_exits[kind];
	}
	say("%-18s %lu", "all", n_all);
}

static struct still still;

static enum job_state say_registers(void)
{
	if (still.vm == NULL && !still_look(&still))
		return has_ended();
	if (still.vm == NULL)
		return JOB_WAITS;
	registers_show(vm_vcpu(still.vm, n_done++));
	return n_done == still.vm->n_vcpus ? JOB_IS_DONE : JOB_GOES_ON;
}

static void let_go(void)
{
	still_end(&still);
}

void answer_registers(struct vm *vm)
{
	static const struct job job = {.step = say_registers, .end = let_go};

	still_begin(&still, vm);
	begin_about(vm, &job);
}

/* Clones, and the check. */

static struct vm *template; /* held */
static uint32_t n_wanted;
static bool starts_paused;

static bool may_be_cloned(void)
{
	bool may_be;

	vms_acquire();
	may_be = answer_is_template(template);
	lock_release(&vms_lock);
	return may_be;
}

static enum job_state make_clone(void)
{
	struct vm *clone;

	if (!may_be_cloned())
		return JOB_IS_DONE;
	clone = template_clone(template, NULL);
	if (clone == NULL) {
		log_error("VM %s: no memory for another clone", vm_name(template));
		if (say_listener() != NULL) /* who does not read the log */
			say("Error: no memory for another clone");
		return JOB_IS_DONE;
	}
	if (starts_paused)
		vm_pause(clone, true);
	vm_start(clone);
	return --n_wanted > 0 ? JOB_GOES_ON : JOB_IS_DONE;
}

static void put_template(void)
{
	vms_acquire();
	template_put(template);
	lock_release(&vms_lock);
}

void answer_clone(struct vm *of, uint32_t count, bool is_paused)
{
	static const struct job job = {.step = make_clone, .end = put_template};

	template = of;
	template_hold(template);
	n_wanted = count;
	starts_paused = is_paused;
	job_begin(&job);
}

static void say_fault(const char *name, const char *what)
{
	say("%s: %s", name, what);
}

static enum job_state check(void)
{
	struct vm_audit audit;
	enum status status = vm_audit(say_fault, &audit);

	if (status == ERR_BUSY)
		return JOB_WAITS;
	if (status == OK)
		say("check: VMs and templates: %u, frames: %lu, faults: %lu", audit.n_vms,
		    audit.n_pages, audit.n_faults);
	else
		say("Error: check: no memory for a byte a frame");
	return JOB_IS_DONE;
}

void answer_check(void)
{
	static const struct job job = {.step = check};

	job_begin(&job);
}
