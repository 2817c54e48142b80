/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/qmp/qmp_metrics.h"

#include "hv/ept/merged.h"
#include "hv/frame/frame.h"
#include "hv/host/console.h"
#include "hv/host/io.h"
#include "hv/host/tsc.h"
#include "hv/monitor/answer.h"
#include "hv/vm/output.h"
#include "hv/vm/usage.h"

/* What is told about one VM, or about a template and its clones together. */
struct row {
	struct usage usage;
	uint64_t n_private; /* frames */
	unsigned n_running, n_paused;
};

static uint64_t nanoseconds(uint64_t ticks)
{
	return ticks / tsc_hz * 1000000000 + ticks % tsc_hz * 1000000000 / tsc_hz;
}

static void add(struct row *row, const struct vm *vm)
{
	usage_add(&row->usage, vm);
	if (!answer_is_running(vm))
		return;
	row->n_private += vm->ept.n_owned;
	if (vm_is_paused(vm))
		row->n_paused++;
	else
		row->n_running++;
}

/* A clone's counts are its template's once it is a template itself, or not listed any more. */
static void add_clones(struct row *row, const struct vm *template)
{
	for (const struct vm *vm = vms; vm; vm = vm->next)
		if (vm->template == template && vm_outcome(vm) != VM_FROZEN)
			add(row, vm);
}

static void put_row(struct qmp_call *call, const struct vm *vm, const struct row *row)
{
	uint64_t n_exits = 0;

	for (unsigned kind = 0; kind < N_EXIT_KINDS; kind++)
		n_exits += row->usage.n_exits[kind];
	qmp_put(&call->out,
		"%s{\"name\": \"%s\", \"running\": %u, \"paused\": %u, \"cpu-ns\": %lu, "
		"\"exits\": %lu, \"private\": %lu",
		call->n_done++ > 0 ? ", " : "", vm_name(vm), row->n_running, row->n_paused,
		nanoseconds(row->usage.ticks), n_exits, row->n_private * PAGE_SIZE);
	if (vm->template)
		qmp_put(&call->out, ", \"template\": \"%s\"", vm_name(vm->template));
}

/* More have never failed than have ended, and more never ended than were made. */
static void put_clones(struct qmp_call *call, const struct vm *template)
{
	uint32_t n_failed = __atomic_load_n(&template->n_clones_failed, __ATOMIC_ACQUIRE);
	uint32_t n_ended = __atomic_load_n(&template->n_clones_ended, __ATOMIC_ACQUIRE);

	qmp_put(&call->out,
		", \"clones\": {\"shared\": %lu, \"started\": %u, \"ended\": %u, \"failed\": %u}",
		template->layer->n_owned * PAGE_SIZE, template->next_number, n_ended, n_failed);
}

static void put_vm(struct qmp_call *call, const struct vm *vm, bool has_clones)
{
	struct row row = {0};

	add(&row, vm);
	if (!answer_is_running(vm) && !has_clones)
		add_clones(&row, vm);
	put_row(call, vm, &row);
	if (!answer_is_running(vm))
		put_clones(call, vm);
	qmp_put(&call->out, "}");
}

/* The next VM that has a row; NULL: that was all. vms_lock is held. */
static const struct vm *next_listed(const struct qmp_call *call, bool has_clones)
{
	struct vm *vm = vms_cursor[VMS_WALK_QMP];

	while (vm && vm->index < call->first_new &&
	       !(vm_outcome(vm) == VM_FROZEN ||
		 (answer_is_running(vm) && (has_clones || !vm->template))))
		vm = vm->next;
	if (vm && vm->index >= call->first_new)
		vm = NULL;
	vms_cursor[VMS_WALK_QMP] = vm ? vm->next : NULL;
	return vm;
}

static void put_exits(struct qmp_call *call)
{
	struct usage usage = {0};

	usage_add_all(&usage);
	qmp_put(&call->out, "\"cpu-ns\": %lu, \"exits\": [", nanoseconds(usage.ticks));
	for (unsigned kind = 0; kind < N_EXIT_KINDS; kind++)
		qmp_put(&call->out, "%s{\"reason\": \"%s\", \"count\": %lu}", kind > 0 ? ", " : "",
			usage_exit_name((enum exit_kind)kind), usage.n_exits[kind]);
	qmp_put(&call->out, "]");
}

static void put_machine(struct qmp_call *call)
{
	const struct merged_counters merged = merged_count();
	const struct vm_totals *totals = &vm_totals;

	qmp_put(&call->out,
		"\"uptime-ns\": %lu, \"memory\": %lu, \"memory-free\": %lu, "
		"\"merged-shared\": %lu, \"merged-sharing\": %lu, ",
		nanoseconds(rdtsc()), frame_total() * PAGE_SIZE, frame_available() * PAGE_SIZE,
		merged.shared * PAGE_SIZE, merged.sharing * PAGE_SIZE);
	qmp_put(&call->out,
		"\"vms-made\": %u, \"vms-ended\": %u, \"vms-failed\": %u, "
		"\"guest-lines-lost\": %lu, \"log-lines-lost\": %lu, ",
		__atomic_load_n(&totals->n_made, __ATOMIC_RELAXED),
		__atomic_load_n(&totals->n_ended_well, __ATOMIC_RELAXED),
		__atomic_load_n(&totals->n_failed, __ATOMIC_RELAXED), vm_output_n_lost(),
		console_n_lost());
}

static void begin(struct qmp_call *call)
{
	vms_cursor[VMS_WALK_QMP] = vms;
	call->first_new = vm_next_index();
	qmp_begin_return(call);
	qmp_put(&call->out, "{");
	put_machine(call);
	put_exits(call);
	qmp_put(&call->out, ", \"vms\": [");
}

enum job_state qmp_query_metrics(struct qmp_call *call)
{
	const struct json *clones = qmp_argument(call, "clones");
	bool has_clones = clones != NULL && clones->number;
	const struct vm *vm;

	vms_acquire();
	if (call->n_done == 0)
		begin(call);
	vm = next_listed(call, has_clones);
	if (vm)
		put_vm(call, vm, has_clones);
	lock_release(&vms_lock);
	if (vm)
		return JOB_GOES_ON;
	qmp_put(&call->out, "]}");
	qmp_end_return(call);
	return JOB_IS_DONE;
}
