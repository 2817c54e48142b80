/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/qmp/qmp_vm.h"

#include "hv/lib/string.h"
#include "hv/monitor/answer.h"
#include "hv/monitor/command.h"
#include "hv/monitor/info.h"
#include "hv/vm/balloon.h"
#include "hv/vm/hold.h"

static bool is_there(const struct vm *vm)
{
	return answer_is_running(vm) || answer_is_template(vm);
}

static struct vm *find_named(struct qmp_call *call, const char *name)
{
	for (struct vm *vm = vms; vm; vm = vm->next)
		if (is_there(vm) && strcmp(vm_name(vm), name) == 0)
			return vm;
	(void)qmp_fail(call, "DeviceNotFound", "there is no VM '%s'", name);
	return NULL;
}

struct vm *qmp_find_vm(struct qmp_call *call)
{
	const char *name = qmp_string(call, "vm");
	struct vm *only = NULL;

	if (name != NULL)
		return find_named(call, name);
	for (struct vm *vm = vms; vm; vm = vm->next) {
		if (!is_there(vm))
			continue;
		if (only != NULL) {
			(void)qmp_fail(call, "GenericError",
				       "there are several VMs: name one with the argument 'vm'");
			return NULL;
		}
		only = vm;
	}
	if (only == NULL)
		(void)qmp_fail(call, "DeviceNotFound", "there is no VM");
	return only;
}

/* The same, and a template is refused. */
static struct vm *find_running(struct qmp_call *call)
{
	struct vm *vm = qmp_find_vm(call);

	if (vm == NULL || answer_is_running(vm))
		return vm;
	(void)qmp_fail(call, "GenericError", "VM %s is a template", vm_name(vm));
	return NULL;
}

static const char *bool_text(bool value)
{
	return value ? "true" : "false";
}

/* A template never runs again. */
static bool runs(const struct vm *vm)
{
	return answer_is_running(vm) && !vm_is_paused(vm);
}

enum job_state qmp_query_status(struct qmp_call *call)
{
	const struct vm *vm;

	vms_acquire();
	vm = qmp_find_vm(call);
	if (vm) {
		qmp_begin_return(call);
		qmp_put(&call->out, "{\"running\": %s, \"status\": \"%s\"}", bool_text(runs(vm)),
			runs(vm) ? "running" : "paused");
		qmp_end_return(call);
	}
	lock_release(&vms_lock);
	return JOB_IS_DONE;
}

/* The next VM or template; NULL: that was all. vms_lock is held. */
static const struct vm *next_listed(const struct qmp_call *call)
{
	struct vm *vm = vms_cursor[VMS_WALK_QMP];

	while (vm && vm->index < call->first_new && !is_there(vm))
		vm = vm->next;
	if (vm && vm->index >= call->first_new)
		vm = NULL;
	vms_cursor[VMS_WALK_QMP] = vm ? vm->next : NULL;
	return vm;
}

static void put_vm(struct qmp_call *call, const struct vm *vm)
{
	qmp_put(&call->out,
		"%s{\"name\": \"%s\", \"running\": %s, \"is-template\": %s, \"private\": %lu, "
		"\"weight\": %u",
		call->n_done > 0 ? ", " : "", vm_name(vm), bool_text(runs(vm)),
		bool_text(!answer_is_running(vm)),
		(vm->ept.n_owned + (vm->layer ? vm->layer->n_owned : 0)) * PAGE_SIZE,
		vm->share.weight);
	if (vm->template)
		qmp_put(&call->out, ", \"template\": \"%s\"", vm_name(vm->template));
	qmp_put(&call->out, "}");
	call->n_done++;
}

static void begin_list(struct qmp_call *call)
{
	vms_cursor[VMS_WALK_QMP] = vms;
	/* VMs that come later are not listed, else there may be no end. */
	call->first_new = vm_next_index();
	qmp_begin_return(call);
	qmp_put(&call->out, "[");
}

enum job_state qmp_query_vms(struct qmp_call *call)
{
	const struct vm *vm;

	vms_acquire();
	if (call->n_done == 0)
		begin_list(call);
	vm = next_listed(call);
	if (vm)
		put_vm(call, vm);
	lock_release(&vms_lock);
	if (vm)
		return JOB_GOES_ON;
	qmp_put(&call->out, "]");
	qmp_end_return(call);
	return JOB_IS_DONE;
}

bool qmp_find_config(struct qmp_call *call)
{
	const struct vm *vm;

	vms_acquire();
	vm = qmp_find_vm(call);
	if (vm)
		call->config = vm->config;
	lock_release(&vms_lock);
	return vm != NULL;
}

/* The first line begins "{"return": ", the last one ends with its "}". */
static void put_line(void *context, const char *line)
{
	struct qmp_call *call = context;

	if (call->n_done++ > 0)
		qmp_put(&call->out, "%s", line);
	else
		qmp_put(&call->out, call->id[0] != '\0' ? "{\"id\": %s, %s" : "{%s%s", call->id,
			line + 1);
}

enum job_state qmp_query_memory(struct qmp_call *call)
{
	struct info_part part = {.first = call->n_done, .n = 1};
	struct info_vm about;

	if (call->n_done == 0 && !qmp_find_config(call))
		return JOB_IS_DONE;
	about = (struct info_vm){.config = call->config};
	(void)info_run_part(&about, call->command->name, &part, put_line, call);
	if (part.n == 1)
		return JOB_GOES_ON;
	qmp_put(&call->out, "\r\n");
	return JOB_IS_DONE;
}

/* Do something to a VM that runs. A job of the prompt may need it as it is. */
static enum job_state with_running(struct qmp_call *call, void (*act)(struct vm *vm))
{
	struct vm *vm;

	if (job_is_running())
		return JOB_WAITS;
	vms_acquire();
	vm = find_running(call);
	if (vm)
		act(vm);
	lock_release(&vms_lock);
	return vm ? qmp_done(call) : JOB_IS_DONE;
}

/* A VM that has a balloon, and runs if 'runs'; NULL: there is none, which is answered. */
static struct vm *find_balloon(struct qmp_call *call, bool runs)
{
	struct vm *vm = runs ? find_running(call) : qmp_find_vm(call);

	if (vm == NULL || vm_has_balloon(vm))
		return vm;
	(void)qmp_fail(call, "DeviceNotActive", "No balloon device has been activated");
	return NULL;
}

enum job_state qmp_balloon(struct qmp_call *call)
{
	uint64_t size = qmp_argument(call, "value")->number;
	bool is_size = (int64_t)size > 0;
	struct vm *vm;

	vms_acquire();
	vm = find_balloon(call, true);
	if (vm && is_size)
		vm_balloon_ask(vm, size);
	else if (vm)
		(void)qmp_fail(call, "GenericError", "Parameter 'target' expects a size");
	lock_release(&vms_lock);
	return vm && is_size ? qmp_done(call) : JOB_IS_DONE;
}

enum job_state qmp_query_balloon(struct qmp_call *call)
{
	struct vm *vm;

	vms_acquire();
	vm = find_balloon(call, false);
	if (vm) {
		qmp_begin_return(call);
		qmp_put(&call->out, "{\"actual\": %lu}", vm_balloon_size(vm));
		qmp_end_return(call);
	}
	lock_release(&vms_lock);
	return JOB_IS_DONE;
}

static void stop(struct vm *vm)
{
	vm_pause(vm, true);
}

enum job_state qmp_stop(struct qmp_call *call)
{
	return with_running(call, stop);
}

static void cont(struct vm *vm)
{
	vm_pause(vm, false);
}

enum job_state qmp_cont(struct qmp_call *call)
{
	return with_running(call, cont);
}

enum job_state qmp_powerdown(struct qmp_call *call)
{
	return with_running(call, vm_press_power_button);
}

enum job_state qmp_reset(struct qmp_call *call)
{
	return with_running(call, command_reset_vm);
}

static void freeze(struct vm *vm)
{
	vm_gather(vm, VM_FREEZE);
}

enum job_state qmp_freeze(struct qmp_call *call)
{
	return with_running(call, freeze);
}

enum job_state qmp_revert(struct qmp_call *call)
{
	struct vm *vm;
	bool is_clone;

	if (job_is_running())
		return JOB_WAITS;
	vms_acquire();
	vm = find_running(call);
	is_clone = vm && vm->template;
	if (is_clone)
		vm_gather(vm, VM_REVERT);
	else if (vm)
		(void)qmp_fail(call, "GenericError", "VM %s is not a clone", vm_name(vm));
	lock_release(&vms_lock);
	return is_clone ? qmp_done(call) : JOB_IS_DONE;
}

enum job_state qmp_destroy(struct qmp_call *call)
{
	struct vm *vm;

	if (job_is_running())
		return JOB_WAITS;
	vms_acquire();
	vm = qmp_find_vm(call);
	if (vm)
		command_destroy_vm(vm);
	lock_release(&vms_lock);
	return vm ? qmp_done(call) : JOB_IS_DONE;
}
