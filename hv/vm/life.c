/* SPDX-License-Identifier: BSD-2-Clause */
/* The actions on a VM as a whole: freeze, revert, reset and end. */
#include "hv/vm/life.h"

#include "hv/host/cpu.h"
#include "hv/host/io.h"
#include "hv/lib/print.h"
#include "hv/vcpu/load.h"
#include "hv/vcpu/sched.h"
#include "hv/vm/build.h"
#include "hv/vm/debug.h"
#include "hv/vm/map.h"
#include "hv/vm/net.h"
#include "hv/vm/news.h"
#include "hv/vm/output.h"
#include "hv/vm/report.h"
#include "hv/vm/serial.h"
#include "hv/vm/tell.h"
#include "hv/vm/template.h"

static uint64_t count_exits(const struct vm *vm)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < vm->n_vcpus; i++)
		n += vcpu_n_exits(vm_vcpu(vm, i));
	return n;
}

static void count_end(struct vm *vm, bool well)
{
	__atomic_fetch_add(well ? &vm_totals.n_ended_well : &vm_totals.n_failed, 1,
			   __ATOMIC_RELAXED);
	if (vm->template == NULL)
		return;
	__atomic_fetch_add(&vm->template->n_clones_ended, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&vm->template->has_new_sum, true, __ATOMIC_RELAXED);
	/* Release pairs with the monitor: the clone is among those that have ended. */
	__atomic_fetch_add(&vm->template->n_clones_failed, !well, __ATOMIC_RELEASE);
}

static void log_crash(struct vcpu *crashed, enum log_level level)
{
	vcpu_load(crashed, this_cpu());
	vcpu_report_registers(crashed, level);
	vcpu_put(crashed);
}

static void log_end(struct vm *vm, enum log_level level)
{
	const struct mem_region *rom = vm->memory.dropped_at;
	enum log_level detail = level == LOG_ERROR ? LOG_INFO : level;
	bool well = vm_outcome(vm) == VM_ENDED_WELL;

	if (log_prefix(level) == NULL) /* most clones end so, and need no name for it */
		return;
	vm_output_pays(vm);
	log_line(level, "VM %s: %s: %s", vm_name(vm), well ? "ended" : "failed", vm->why);
	if (vm->crashed)
		log_crash(vm->crashed, level);
	log_line(detail, "VM %s: private memory %lu KiB, tables included; %lu exits", vm_name(vm),
		 vm->ept.n_owned * PAGE_SIZE / KIB(1), count_exits(vm));
	if (vm->memory.n_dropped > 0)
		log_line(detail, "VM %s: %lu writes to ROM dropped%s%s", vm_name(vm),
			 vm->memory.n_dropped, rom ? ", the last one to " : "",
			 rom ? rom->backend->id : "");
}

/* Its map has a line for each job; the registers are worth more lines. */
static void report_job_end(struct vm *vm)
{
	if (vm->crashed && vm_may_tell(vm, VM_TOLD_FAILED, LOG_ERROR))
		log_end(vm, LOG_ERROR);
	else
		log_end(vm, LOG_DEBUG);
	map_report(vm, vm->ept.n_owned);
}

/* Whether neither the configuration nor the operator has asked for this VM by its name. */
static bool is_one_of_many(const struct vm *vm)
{
	bool is_named = vm->made_for != NULL && vm->made_for->name != NULL;

	return vm->template != NULL && !is_named && vm->by_operator != VM_BY_NAME;
}

/*
 * Of clones there may be any number. Those that end well have a sum: see vm_tell_clones(). Of those
 * that fail the first ones have a line each, for the reason.
 */
static enum log_level level_of_end(struct vm *vm)
{
	if (vm_outcome(vm) == VM_ENDED_WELL)
		return is_one_of_many(vm) ? LOG_DEBUG : LOG_INFO;
	if (vm->template == NULL || vm_may_tell(vm, VM_TOLD_FAILED, LOG_ERROR))
		return LOG_ERROR;
	return LOG_DEBUG;
}

static void report_end(struct vm *vm)
{
	vm_flush_output(vm);
	count_end(vm, vm_outcome(vm) == VM_ENDED_WELL);
	if (vm->platform.job_port.is_there)
		report_job_end(vm);
	else
		log_end(vm, level_of_end(vm));
	vm_tell_rest(vm);
}

static void tell_end(const struct vm *vm)
{
	if (vm_outcome(vm) == VM_FAILED)
		vm_tell_news(vm, NEWS_FAILED, vm->why);
	else
		vm_tell_news(vm, vm->by_operator ? NEWS_ENDED_BY_OPERATOR : NEWS_ENDED, vm->why);
}

/* The VM has ended. False: a piece of its memory was freed, and more is left. */
static bool free_vm(struct vm *vm)
{
	if (vm_free_some(vm))
		return false;
	vm_release(vm);
	template_vm_gone(vm);
	template_retry_lines();
	return true;
}

/*
 * False: a piece of its memory was discarded or freed, and more is left; '*ret' is the action that
 * continues it.
 */
static bool end(struct vm *vm, enum vm_action *ret)
{
	*ret = VM_END;
	if (vm_is_debugged(vm))
		debug_leave(vm, vm->outcome);
	if (vm_discard_some(vm))
		return false;
	tell_end(vm);
	report_end(vm);
	template_vm_ends(vm);
	*ret = VM_FREE;
	return free_vm(vm);
}

/* Except the registers of the first vCPU, which writes them itself when it starts. */
static void power_on(struct vm *vm)
{
	vm_tell_news(vm, vm->by_operator ? NEWS_RESET_BY_OPERATOR : NEWS_RESET, "");
	vm->by_operator = 0;
	vm_net_leave(vm);
	platform_reset(&vm->platform);
	vm->devices_changed = true;
	vm_own_guest(vm);
	vm->guest.n_loaded = 0;
	for (unsigned i = 0; i < vm->n_vcpus; i++)
		vcpu_power_on(vm_vcpu(vm, i));
}

/* No VMCS holds the state of a vCPU any longer, even if another action has had it put away. */
static void revert(struct vm *vm)
{
	template_revert(vm);
	for (unsigned i = 0; i < vm->n_vcpus; i++)
		vcpu_forget_vmcs(vm_vcpu(vm, i));
	if (vm_is_debugged(vm))
		debug_renew(vm);
}

bool vm_revert_at_once(struct vcpu *vcpu)
{
	enum {
		MAY_STAY = VCPU_REQUEST_EVENT | VCPU_REQUEST_TIMER | VCPU_REQUEST_UART |
			   VCPU_REQUEST_BUTTON | VCPU_REQUEST_LEAVE
	};
	struct vm *vm = vcpu->vm;

	/* A stopped VM's vCPU must return to the scheduler, which sets it aside again. */
	if (vm->n_vcpus > 1 || vcpu->is_stepping || vcpu_is_paused(vcpu) || vm_is_debugged(vm) ||
	    __atomic_load_n(&vcpu->regs.requests, __ATOMIC_RELAXED) & ~(uint32_t)MAY_STAY)
		return false;
	template_revert_loaded(vm);
	vcpu_reload(vcpu);
	return true;
}

/* Clones get none of what a debugger has set. */
static bool freeze(struct vm *vm)
{
	if (vm_is_debugged(vm))
		debug_leave(vm, VM_FROZEN);
	vm_deliver_press(vm);
	return template_freeze(vm);
}

/*
 * Whether its vCPUs are gone: it has ended and may be freed, or is a template. Else '*ret' is the
 * action that continues when they have gathered again, or 0. A freeze that has begun goes to its
 * end, whatever else is asked for; if that is the VM's end, the template is given up at once.
 */
static bool act(struct vm *vm, uint32_t actions, enum vm_action *ret)
{
	bool is_gone = false;

	*ret = 0;
	if (actions & VM_FREE) {
		*ret = VM_FREE;
		return free_vm(vm);
	}
	if (template_is_freezing(vm) || !(actions & (VM_END | VM_RESET | VM_REVERT)))
		is_gone = freeze(vm);
	else if (actions & VM_END)
		return end(vm, ret);
	else if (actions & VM_RESET)
		power_on(vm);
	else
		revert(vm);
	if (!is_gone && template_is_freezing(vm))
		*ret = VM_FREEZE;
	return is_gone;
}

/*
 * The action continues when the first vCPU, which alone leaves its place, has gathered again: other
 * VMs have their turn until then.
 */
static void gather_again(struct vm *vm, enum vm_action action)
{
	vm->n_gathered = (uint16_t)(vm->n_vcpus - 1);
	__atomic_fetch_or(&vm->actions, action, __ATOMIC_RELEASE);
	vcpu_request(vm->vcpu, VCPU_REQUEST_GATHER);
	sched_make_ready(vm->vcpu, 1);
}

void vm_gathered(struct vm *vm)
{
	unsigned n_vcpus = vm->n_vcpus;
	uint16_t weight = vm->share.weight;
	uint64_t start = rdtsc();
	enum vm_action next;

	/* Acquire and release: the last vCPU sees what all others have stored. */
	if (__atomic_add_fetch(&vm->n_gathered, 1, __ATOMIC_ACQ_REL) < n_vcpus)
		return;
	vm->n_gathered = 0;
	if (act(vm, __atomic_exchange_n(&vm->actions, 0, __ATOMIC_ACQUIRE), &next)) {
		sched_remove(n_vcpus, weight, rdtsc() - start);
		return;
	}
	sched_charge_work(&vm->share, rdtsc() - start);
	if (next != 0)
		gather_again(vm, next);
	else
		vm_make_ready(vm);
}
