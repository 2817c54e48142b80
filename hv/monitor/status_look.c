/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tree is walked twice: to find the row of the selected VM, and to read the rows on the screen.
 * A clone comes after its template in the list of VMs, and after clones that were made before it.
 */
#include "hv/monitor/status_look.h"

#include "hv/frame/frame.h"
#include "hv/host/io.h"
#include "hv/host/tsc.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"
#include "hv/vm/usage.h"
#include "hv/vm/vm.h"

#define NO_VM UINT32_MAX

/* What a VM on the screen had used at the last look. */
struct sample {
	unsigned index;
	uint64_t ticks, n_exits;
};

static struct sample samples[STATUS_ROWS_MAX]; /* of the rows, or of the VM that is shown alone */
static unsigned n_samples;
static uint64_t last_look; /* host TSC */
/* The selected VM, and the one that is shown alone, or NO_VM. */
static unsigned selected = NO_VM, opened = NO_VM;
static bool opens; /* the next look makes the selected one the opened one */

static bool is_running(const struct vm *vm)
{
	return __atomic_load_n(&vm->outcome, __ATOMIC_RELAXED) == VM_RUNNING;
}

static bool is_template(const struct vm *vm)
{
	return __atomic_load_n(&vm->outcome, __ATOMIC_RELAXED) == VM_FROZEN;
}

/* From 'vm' on, the first that is there and has this template. */
static const struct vm *find_clone(const struct vm *vm, const struct vm *template)
{
	while (vm && (vm->template != template || !(is_running(vm) || is_template(vm))))
		vm = vm->next;
	return vm;
}

/* The VM in the next row; NULL: that was the last one. vms_lock is held. */
static const struct vm *next_row(const struct vm *vm, unsigned *depth)
{
	const struct vm *next = is_template(vm) ? find_clone(vm->next, vm) : NULL;

	if (next) {
		++*depth;
		return next;
	}
	next = find_clone(vm->next, vm->template);
	while (next == NULL && vm->template) {
		vm = vm->template;
		--*depth;
		next = find_clone(vm->next, vm->template);
	}
	return next;
}

static const struct vm *first_row(unsigned *depth)
{
	*depth = 0;
	return find_clone(vms, NULL);
}

static enum status_state state_of(const struct vm *vm)
{
	if (!is_running(vm))
		return vm->is_given_up ? STATUS_GIVEN_UP : STATUS_TEMPLATE;
	return vm_is_paused(vm) ? STATUS_PAUSED : STATUS_RUNNING;
}

static uint64_t shared_of(const struct vm *vm)
{
	uint64_t n = is_running(vm) ? 0 : vm->layer->n_owned;

	for (const struct vm *up = vm->template; up; up = up->template)
		n += up->layer->n_owned;
	return n * PAGE_SIZE;
}

/* Count a VM for the machine. */
static void add(struct status_view *status, const struct vm *vm)
{
	status->n_vms++;
	if (is_running(vm)) {
		status->n_private += vm->ept.n_owned * PAGE_SIZE;
		status->n_running += !vm_is_paused(vm);
		status->n_paused += vm_is_paused(vm);
	} else {
		status->n_shared += vm->layer->n_owned * PAGE_SIZE;
		status->n_templates++;
	}
}

/* Count all VMs, and find the selected one. vms_lock is held. */
static void count(struct status_view *status)
{
	unsigned depth;

	status->n_vms = status->n_running = status->n_paused = status->n_templates = 0;
	status->n_private = status->n_shared = 0;
	for (const struct vm *vm = first_row(&depth); vm; vm = next_row(vm, &depth)) {
		if (vm->index == selected)
			status->selected = status->n_vms;
		add(status, vm);
	}
}

/* Let the selected row be one that there is, and on the screen. */
static void scroll(struct status_view *status, unsigned n_rows)
{
	unsigned last = status->n_vms > 0 ? status->n_vms - 1 : 0;

	if (status->selected > last)
		status->selected = last;
	if (status->top > status->selected)
		status->top = status->selected;
	if (n_rows > 0 && status->selected - status->top >= n_rows)
		status->top = status->selected - n_rows + 1;
	/* Leave no room below the last row. */
	if (status->top > 0 && status->n_vms - status->top < n_rows)
		status->top = status->n_vms > n_rows ? status->n_vms - n_rows : 0;
}

/* The sample of this VM at the last look; NULL: there is none. Rows seldom change their place. */
static const struct sample *find_sample(unsigned index, unsigned place)
{
	for (unsigned i = 0; i < n_samples; i++) {
		const struct sample *sample = &samples[(place + i) % n_samples];

		if (sample->index == index)
			return sample;
	}
	return NULL;
}

/* A template's counts grow when a clone ends: they are no rate. */
static void read_rates(struct status_vm *row, const struct sample *now, unsigned place,
		       uint64_t ticks)
{
	const struct sample *before = find_sample(now->index, place);

	row->cpu = row->exits = STATUS_NONE;
	if (before == NULL || ticks == 0 || row->state == STATUS_TEMPLATE ||
	    row->state == STATUS_GIVEN_UP)
		return;
	row->cpu = (now->ticks - before->ticks) * 1000 / ticks;
	row->exits = (now->n_exits - before->n_exits) * tsc_hz / ticks;
}

/* New samples: they take the place of the old ones when all rates are known. */
struct look {
	struct sample samples[STATUS_ROWS_MAX];
	unsigned n;
	uint64_t ticks; /* since the last look */
};

static void read_row(struct look *look, const struct vm *vm, struct status_vm *ret)
{
	struct sample *now = &look->samples[look->n];
	struct usage usage = {0};

	usage_add(&usage, vm);
	*now = (struct sample){.index = vm->index, .ticks = usage.ticks};
	for (unsigned kind = 0; kind < N_EXIT_KINDS; kind++)
		now->n_exits += usage.n_exits[kind];
	ret->index = vm->index;
	ret->state = state_of(vm);
	ret->n_private = is_running(vm) ? vm->ept.n_owned * PAGE_SIZE : 0;
	ret->shares = shared_of(vm);
	format(ret->name, sizeof(ret->name), "%s", vm->name);
	read_rates(ret, now, look->n++, look->ticks);
}

/* vms_lock is held. */
static void read_rows(struct status_view *status, unsigned n_rows, struct look *look)
{
	unsigned depth, at = 0;

	status->n_rows = 0;
	for (const struct vm *vm = first_row(&depth); vm && status->n_rows < n_rows;
	     vm = next_row(vm, &depth), at++) {
		struct status_vm *row = &status->row[status->n_rows];

		if (at == status->selected)
			selected = vm->index;
		if (at < status->top)
			continue;
		row->depth = depth;
		read_row(look, vm, row);
		status->n_rows++;
	}
}

/* Without it, the VM has ended: the tree is shown again. vms_lock is held. */
static void read_detail(struct status_view *status, struct look *look)
{
	const struct vm *vm = vm_find(opened);
	struct status_detail *detail = &status->detail;
	struct usage usage = {0};

	status->has_detail = vm && (is_running(vm) || is_template(vm));
	if (!status->has_detail)
		return;
	usage_add(&usage, vm);
	*detail = (struct status_detail){
		.n_vcpus = vm->n_vcpus,
		.weight = vm->share.weight,
		.memory = vm->config->ram_size,
		.limit = vm->ept.max_owned == EPT_UNLIMITED ? 0 : vm->ept.max_owned * PAGE_SIZE,
		.cpu_ms = usage.ticks / (tsc_hz / 1000),
		.n_clones = __atomic_load_n(&vm->next_number, __ATOMIC_RELAXED),
		.n_clones_ended = __atomic_load_n(&vm->n_clones_ended, __ATOMIC_RELAXED),
		.n_clones_failed = __atomic_load_n(&vm->n_clones_failed, __ATOMIC_RELAXED),
	};
	memcpy(detail->n_exits, usage.n_exits, sizeof(usage.n_exits));
	if (vm->template)
		format(detail->template, sizeof(detail->template), "%s", vm->template->name);
	read_row(look, vm, &detail->vm);
}

static void read_machine(struct status_view *status, uint64_t now)
{
	status->up_s = now / tsc_hz;
	status->memory = frame_total() * PAGE_SIZE;
	status->memory_free = frame_available() * PAGE_SIZE;
	status->n_made = __atomic_load_n(&vm_totals.n_made, __ATOMIC_RELAXED);
	status->n_ended = __atomic_load_n(&vm_totals.n_ended_well, __ATOMIC_RELAXED);
	status->n_failed = __atomic_load_n(&vm_totals.n_failed, __ATOMIC_RELAXED);
}

/* vms_lock is held. */
static void read_vms(struct status_view *status, unsigned n_rows, struct look *look)
{
	count(status);
	scroll(status, n_rows);
	read_rows(status, n_rows, look);
	if (opens && status->n_vms > 0)
		opened = selected;
	opens = status->has_detail = false;
	if (opened == NO_VM)
		return;
	look->n = 0;
	read_detail(status, look);
	if (!status->has_detail)
		opened = NO_VM;
}

void status_look(struct status_view *status, unsigned n_rows)
{
	static struct look look;
	uint64_t now = rdtsc();

	look.n = 0;
	look.ticks = now - last_look;
	lock_acquire(&vms_lock);
	read_vms(status, n_rows, &look);
	lock_release(&vms_lock);
	memcpy(samples, look.samples, look.n * sizeof(samples[0]));
	n_samples = look.n;
	last_look = now;
	read_machine(status, now);
}

void status_open(bool on)
{
	opens = on;
	opened = NO_VM;
}

bool status_is_open(void)
{
	return opens || opened != NO_VM;
}

void status_move(struct status_view *status, enum status_move move, unsigned n_rows)
{
	unsigned last = status->n_vms > 0 ? status->n_vms - 1 : 0, at = status->selected;
	unsigned step = move == STATUS_PAGE_UP || move == STATUS_PAGE_DOWN ? n_rows : 1;

	switch (move) {
	case STATUS_UP:
	case STATUS_PAGE_UP:
		at = at > step ? at - step : 0;
		break;
	case STATUS_DOWN:
	case STATUS_PAGE_DOWN:
		at = last - at > step ? at + step : last;
		break;
	case STATUS_HOME:
		at = 0;
		break;
	case STATUS_END:
		at = last;
		break;
	}
	status->selected = at;
	selected = NO_VM;
}
