/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The debugger's hands: everything is done to a VM that has stopped, whose state is in memory. Only
 * the boot processor, which runs this, resumes a stopped VM, or asks for an action on it.
 */
#include "hv/gdb/target.h"

#include "hv/lib/print.h"
#include "hv/lib/string.h"
#include "hv/vcpu/saved_paging.h"
#include "hv/vcpu/sched.h"

struct target targets[TARGETS_MAX];
/* Of the targets, in the same places. */
static struct vm_debug *debugs[TARGETS_MAX];
static uint32_t wanted[TARGETS_MAX]; /* 0: none */

struct target *target_find(uint32_t pid)
{
	for (unsigned i = 0; i < TARGETS_MAX; i++)
		if (pid != 0 && targets[i].pid == pid)
			return &targets[i];
	return NULL;
}

static bool is_running(const struct vm *vm)
{
	return vm_outcome(vm) == VM_RUNNING;
}

/* The VM of this process, if it runs. vms_lock is held. */
static struct vm *find_running(uint32_t pid)
{
	struct vm *vm = pid != 0 ? vm_find(pid - 1) : NULL;

	return vm != NULL && is_running(vm) ? vm : NULL;
}

static unsigned first_new; /* VMs that come later are not listed, else there may be no end */

void target_list_begin(void)
{
	vms_acquire();
	first_new = vm_next_index();
	vms_cursor[VMS_WALK_GDB] = vms;
	lock_release(&vms_lock);
}

bool target_list_next(struct target_vm *ret)
{
	struct vm *vm;

	vms_acquire();
	vm = vms_cursor[VMS_WALK_GDB];
	while (vm && vm->index < first_new && !is_running(vm))
		vm = vm->next;
	if (vm && vm->index >= first_new)
		vm = NULL;
	vms_cursor[VMS_WALK_GDB] = vm ? vm->next : NULL;
	if (vm) {
		*ret = (struct target_vm){.pid = vm->index + 1, .n_cpus = vm->n_vcpus};
		format(ret->name, sizeof(ret->name), "%s", vm_name(vm));
	}
	lock_release(&vms_lock);
	return vm != NULL;
}

/* vms_lock is held. */
static enum status attach(struct vm *vm, unsigned place)
{
	if (vm_is_debugged(vm))
		return ERR_OVERLAP;
	debugs[place] = debug_attach(vm);
	if (debugs[place] == NULL)
		return ERR_NOMEM;
	targets[place] = (struct target){.pid = vm->index + 1, .n_cpus = vm->n_vcpus};
	format(targets[place].name, sizeof(targets[place].name), "%s", vm_name(vm));
	vm_pause(vm, true);
	return OK;
}

enum status target_attach(uint32_t pid)
{
	unsigned place = 0;
	enum status status = ERR_NOTFOUND;
	struct vm *vm;

	while (place < TARGETS_MAX && targets[place].pid != 0)
		place++;
	if (place == TARGETS_MAX)
		return ERR_RANGE;
	vms_acquire();
	vm = find_running(pid);
	if (vm != NULL)
		status = attach(vm, place);
	lock_release(&vms_lock);
	return status;
}

void target_attach_wanted(void)
{
	for (unsigned i = 0; i < TARGETS_MAX; i++)
		if (wanted[i] != 0)
			(void)target_attach(wanted[i]); /* it may have ended, or be attached */
}

/* A VM that runs no longer leaves its place to another one. */
enum status target_want(uint32_t pid)
{
	unsigned i = 0;

	while (i < TARGETS_MAX && wanted[i] != pid && find_running(wanted[i]) != NULL)
		i++;
	if (i == TARGETS_MAX)
		return ERR_NOMEM;
	wanted[i] = pid;
	return OK;
}

static struct vm_debug *debug_at(const struct target *target)
{
	return debugs[target - targets];
}

/* The VM, if it has stopped. It stays so until this processor resumes it. */
static struct vm *find_stopped(const struct target *target)
{
	struct vm *vm;

	vms_acquire();
	vm = find_running(target->pid);
	if (vm != NULL && (!vm_is_debugged(vm) || !vm_is_aside(vm)))
		vm = NULL;
	lock_release(&vms_lock);
	if (vm != NULL)
		debug_settle(vm);
	return vm;
}

static void let_go(struct target *target)
{
	debug_free(debug_at(target));
	debugs[target - targets] = NULL;
	target->pid = 0;
}

/* Acquire pairs with debug_leave(): the VM's processors use the struct no longer. */
static enum vm_outcome outcome_of(const struct target *target)
{
	return __atomic_load_n(&debug_at(target)->outcome, __ATOMIC_ACQUIRE);
}

/* Take everything back. NULL: the VM has not stopped. */
static struct vm *leave(struct target *target)
{
	struct vm *vm = find_stopped(target);

	if (vm != NULL)
		debug_leave(vm, VM_RUNNING);
	if (vm != NULL || outcome_of(target) != VM_RUNNING)
		let_go(target);
	return vm;
}

enum status target_detach(struct target *target)
{
	struct vm *vm = leave(target);

	if (vm != NULL)
		vm_pause(vm, false);
	return target->pid == 0 ? OK : ERR_BUSY;
}

enum status target_kill(struct target *target)
{
	struct vm *vm = leave(target);

	if (vm != NULL) {
		vm->by_operator = VM_BY_NAME;
		vm_end(vm, VM_ENDED_WELL, "ended by the debugger");
	}
	return target->pid == 0 ? OK : ERR_BUSY;
}

static enum target_why why_of(const struct vm_debug *debug, const struct debug_cpu *cpu,
			      uint64_t *ret_address)
{
	static const enum target_why whys[] = {
		[DEBUG_NOTHING] = TARGET_ASKED,
		[DEBUG_STEPPED] = TARGET_STEPPED,
		[DEBUG_AT_SOFTWARE] = TARGET_AT_SOFTWARE,
	};

	if (cpu->why != DEBUG_AT_HARDWARE)
		return whys[cpu->why];
	*ret_address = debug->dr[cpu->hit];
	switch (DEBUG_DR7_RW(debug->dr7, cpu->hit)) {
	case DEBUG_RW_EXECUTE:
		return debug->stands_in[cpu->hit] ? TARGET_AT_SOFTWARE : TARGET_AT_HARDWARE;
	case DEBUG_RW_WRITE:
		return TARGET_WROTE;
	default:
		return TARGET_ACCESSED;
	}
}

/* The first vCPU with a reason of its own, or else the first one. */
static void find_stop(const struct target *target, struct target_stop *ret)
{
	const struct vm_debug *debug = debug_at(target);
	unsigned i = 0;

	while (i < target->n_cpus && debug->cpu[i].why == DEBUG_NOTHING)
		i++;
	*ret = (struct target_stop){.cpu = i < target->n_cpus ? i : 0};
	ret->why = why_of(debug, &debug->cpu[ret->cpu], &ret->address);
}

enum target_state target_look(const struct target *target, struct target_stop *ret)
{
	switch (outcome_of(target)) {
	case VM_FROZEN:
		return TARGET_FROZEN;
	case VM_ENDED_WELL:
		return TARGET_ENDED;
	case VM_FAILED:
		return TARGET_FAILED;
	case VM_RUNNING:
		break;
	}
	if (find_stopped(target) == NULL)
		return TARGET_RUNS;
	find_stop(target, ret);
	return TARGET_STOPPED;
}

void target_stop(const struct target *target)
{
	struct vm *vm;

	vms_acquire();
	vm = find_running(target->pid);
	if (vm != NULL)
		vm_pause(vm, true);
	lock_release(&vms_lock);
}

static bool all_go_on(const struct target *target, const uint8_t *how)
{
	for (unsigned i = 0; i < target->n_cpus; i++)
		if (how[i] == TARGET_STAYS)
			return false;
	return true;
}

enum status target_resume(const struct target *target, const uint8_t *how)
{
	struct vm *vm = find_stopped(target);

	if (vm == NULL)
		return ERR_BUSY;
	debug_forget_stops(vm);
	for (unsigned i = 0; i < target->n_cpus; i++)
		if (how[i] == TARGET_STEPS)
			debug_begin_step(vm_vcpu(vm, i));
	if (all_go_on(target, how)) {
		vm_pause(vm, false);
		return OK;
	}
	for (unsigned i = 0; i < target->n_cpus; i++)
		if (how[i] != TARGET_STAYS)
			sched_pause(vm_vcpu(vm, i), 1, false);
	return OK;
}

enum status target_get_register(const struct target *target, unsigned cpu,
				const struct gdb_register *reg, uint8_t ret[GDB_REGISTER_MAX])
{
	const struct vm *vm = find_stopped(target);

	if (vm == NULL)
		return ERR_BUSY;
	gdb_get_register(vm_vcpu(vm, cpu), reg, ret);
	return OK;
}

enum status target_set_register(const struct target *target, unsigned cpu,
				const struct gdb_register *reg,
				const uint8_t value[GDB_REGISTER_MAX])
{
	struct vm *vm = find_stopped(target);

	if (vm == NULL)
		return ERR_BUSY;
	debug_open(vm_vcpu(vm, cpu));
	return gdb_set_register(vm_vcpu(vm, cpu), reg, value);
}

/* By the vCPU's paging, without a change of its tables. */
static enum status translate(struct vm *vm, unsigned cpu, uint64_t address, gpa_t *ret)
{
	struct guest_paging paging;
	enum status status;

	lock_acquire(&vm->lock);
	vcpu_read_saved_paging(vm_vcpu(vm, cpu), &vm->memory, &paging);
	status = guest_peek(&paging, address, ret);
	lock_release(&vm->lock);
	return status;
}

static enum status find_memory(const struct target *target, unsigned cpu, uint64_t address,
			       struct vm **ret_vm, gpa_t *ret_gpa)
{
	*ret_vm = find_stopped(target);
	if (*ret_vm == NULL)
		return ERR_BUSY;
	return translate(*ret_vm, cpu, address, ret_gpa);
}

enum status target_read(const struct target *target, unsigned cpu, uint64_t address, void *buf,
			size_t len)
{
	struct vm *vm;
	gpa_t gpa;

	TRY(find_memory(target, cpu, address, &vm, &gpa));
	return debug_read(vm, gpa, buf, len);
}

enum status target_write(const struct target *target, unsigned cpu, uint64_t address,
			 const void *buf, size_t len)
{
	struct vm *vm;
	gpa_t gpa;

	TRY(find_memory(target, cpu, address, &vm, &gpa));
	return debug_write(vm, gpa, buf, len);
}

/* x86 has none on reads alone. ERR_UNSUPPORTED: nor of this length, or at this place. */
static enum status to_hardware(const struct target_break *breakpoint, struct debug_hardware *ret)
{
	static const uint8_t rws[] = {
		[TARGET_HARDWARE] = DEBUG_RW_EXECUTE,
		[TARGET_ON_WRITE] = DEBUG_RW_WRITE,
		[TARGET_ON_ACCESS] = DEBUG_RW_ACCESS,
	};
	static const uint8_t lens[] = {[1] = 0, [2] = 1, [4] = 3, [8] = 2};
	uint64_t len = breakpoint->len;

	if (breakpoint->kind == TARGET_ON_READ)
		return ERR_UNSUPPORTED;
	*ret = (struct debug_hardware){breakpoint->address, rws[breakpoint->kind], 0, false};
	if (breakpoint->kind == TARGET_HARDWARE)
		return OK;
	if (len == 0 || len > 8 || (len & (len - 1)) != 0 || breakpoint->address % len != 0)
		return ERR_UNSUPPORTED;
	ret->len = lens[len];
	return OK;
}

/* What takes the place of an INT3 in ROM, and in memory that is shared. */
static struct debug_hardware stand_in(uint64_t address)
{
	return (struct debug_hardware){address, DEBUG_RW_EXECUTE, 0, true};
}

static enum status set_software(struct vm *vm, uint64_t address, gpa_t gpa)
{
	const struct debug_hardware hardware = stand_in(address);
	enum status status = debug_set_software(vm, address, gpa);

	return status == ERR_UNSUPPORTED ? debug_set_hardware(vm, &hardware) : status;
}

enum status target_set_break(const struct target *target, unsigned cpu,
			     const struct target_break *breakpoint)
{
	struct debug_hardware hardware;
	struct vm *vm;
	gpa_t gpa;

	if (breakpoint->kind != TARGET_SOFTWARE) {
		TRY(to_hardware(breakpoint, &hardware));
		vm = find_stopped(target);
		return vm != NULL ? debug_set_hardware(vm, &hardware) : ERR_BUSY;
	}
	TRY(find_memory(target, cpu, breakpoint->address, &vm, &gpa));
	return set_software(vm, breakpoint->address, gpa);
}

enum status target_clear_break(const struct target *target, const struct target_break *breakpoint)
{
	struct debug_hardware hardware;
	struct vm *vm = find_stopped(target);

	if (vm == NULL)
		return ERR_BUSY;
	if (breakpoint->kind == TARGET_SOFTWARE) {
		debug_clear_software(vm, breakpoint->address);
		hardware = stand_in(breakpoint->address);
	} else {
		TRY(to_hardware(breakpoint, &hardware));
	}
	debug_clear_hardware(vm, &hardware);
	return OK;
}
