/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A look copies one VM after the other to a table, from which rows are made. Between two VMs
 * vms_lock is free, and the cursor of the list moves on when a VM leaves it.
 */
#include "hv/monitor/status_look.h"

#include "hv/frame/frame.h"
#include "hv/host/io.h"
#include "hv/host/tsc.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"
#include "hv/monitor/status_table.h"
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
static uint64_t last_look; /* host TSC: when it began */
/* The selected VM, and the one that is shown alone, or NO_VM. */
static unsigned selected = NO_VM, opened = NO_VM;
static bool opens; /* the selected one, when a look has found which that is */

/* The look that is being made. */
static struct {
	bool has_read_all;
	unsigned end;	/* the least number of VMs that are not listed */
	uint64_t began; /* host TSC */
	uint64_t ticks; /* since the last look */
	struct status_counts counts;
	unsigned wanted;			     /* the VM that was the opened one */
	const struct status_node *selected, *opened; /* NULL: not there */
	struct status_detail detail;		     /* of 'opened' */
	/* New samples: they take the place of the old ones when all rates are known. */
	struct sample samples[STATUS_ROWS_MAX];
	unsigned n_samples;
} current;

static bool is_running(const struct vm *vm)
{
	return vm_outcome(vm) == VM_RUNNING;
}

static bool is_template(const struct vm *vm)
{
	return vm_outcome(vm) == VM_FROZEN;
}

void status_look_begin(void)
{
	uint64_t now = rdtsc();

	status_table_begin();
	current.has_read_all = false;
	current.began = now;
	current.ticks = now - last_look;
	current.counts = (struct status_counts){0};
	current.selected = current.opened = NULL;
	current.wanted = opened;
	vms_acquire();
	vms_cursor[VMS_WALK_STATUS] = vms;
	lock_release(&vms_lock);
	current.end = vm_next_index(); /* else there may be no end */
}

static void count(const struct status_vm *vm)
{
	struct status_counts *counts = &current.counts;

	counts->n_running += vm->state == STATUS_RUNNING;
	counts->n_paused += vm->state == STATUS_PAUSED;
	counts->n_templates += vm->state == STATUS_TEMPLATE || vm->state == STATUS_GIVEN_UP;
	counts->n_private += vm->n_private;
	counts->n_shared += vm->shares;
}

/* vms_lock is held. */
static void read_detail(const struct vm *vm, const struct usage *usage)
{
	current.detail = (struct status_detail){
		.n_vcpus = vm->n_vcpus,
		.weight = vm->share.weight,
		.memory = vm->config->ram_size,
		.limit = vm->ept.max_owned == EPT_UNLIMITED ? 0 : vm->ept.max_owned * PAGE_SIZE,
		.cpu_ms = usage->ticks / (tsc_hz / 1000),
		.n_clones = __atomic_load_n(&vm->next_number, __ATOMIC_RELAXED),
		.n_clones_ended = __atomic_load_n(&vm->n_clones_ended, __ATOMIC_RELAXED),
		.n_clones_failed = __atomic_load_n(&vm->n_clones_failed, __ATOMIC_RELAXED),
	};
	memcpy(current.detail.n_exits, usage->n_exits, sizeof(usage->n_exits));
	if (vm->template)
		format(current.detail.template, sizeof(current.detail.template), "%s",
		       vm_name(vm->template));
}

static void set_usage(struct status_node *node, const struct usage *usage)
{
	node->ticks = usage->ticks;
	for (unsigned kind = 0; kind < N_EXIT_KINDS; kind++)
		node->n_exits += usage->n_exits[kind];
}

/* Without what it shares with its templates. vms_lock is held. */
static void describe(const struct vm *vm, struct status_vm *ret)
{
	*ret = (struct status_vm){.index = vm->index};
	format(ret->name, sizeof(ret->name), "%s", vm_name(vm));
	if (is_running(vm)) {
		ret->state = vm_is_paused(vm) ? STATUS_PAUSED : STATUS_RUNNING;
		ret->n_private = vm->ept.n_owned * PAGE_SIZE;
	} else {
		ret->state = vm->is_given_up ? STATUS_GIVEN_UP : STATUS_TEMPLATE;
		ret->shares = vm->layer->n_owned * PAGE_SIZE;
	}
}

/* vms_lock is held. */
static void read_vm(const struct vm *vm)
{
	struct status_node *node;
	struct usage usage = {0};
	struct status_vm row;

	describe(vm, &row);
	count(&row);
	node = status_table_add(&row, vm->template ? vm->template->index : NO_VM);
	if (node == NULL) {
		current.counts.n_unlisted++;
		return;
	}
	usage_add(&usage, vm);
	set_usage(node, &usage);
	if (vm->index == selected)
		current.selected = node;
	if (vm->index != current.wanted)
		return;
	current.opened = node;
	read_detail(vm, &usage);
}

/* The next VM of the list. False: that was all. */
static bool read_next(void)
{
	const struct vm *vm;

	vms_acquire();
	vm = vms_cursor[VMS_WALK_STATUS];
	vms_cursor[VMS_WALK_STATUS] = vm ? vm->next : NULL;
	if (vm && vm->index >= current.end)
		vm = NULL;
	if (vm && (is_running(vm) || is_template(vm)))
		read_vm(vm);
	lock_release(&vms_lock);
	return vm != NULL;
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

/*
 * A clone that ends during a look, after its template was read, is missing in both: what has been
 * used does not shrink, and the next look finds it.
 */
static uint64_t later(uint64_t before, uint64_t now)
{
	return now > before ? now : before;
}

static void read_row(const struct status_node *node, struct status_vm *ret)
{
	struct sample *now = &current.samples[current.n_samples];
	const struct sample *before = find_sample(node->vm.index, current.n_samples);

	current.n_samples++;
	*now = (struct sample){node->vm.index, node->ticks, node->n_exits};
	*ret = node->vm;
	ret->cpu = ret->exits = STATUS_NONE;
	if (before == NULL || current.ticks == 0)
		return;
	now->ticks = later(before->ticks, now->ticks);
	now->n_exits = later(before->n_exits, now->n_exits);
	ret->cpu = (now->ticks - before->ticks) * 1000 / current.ticks;
	ret->exits = (now->n_exits - before->n_exits) * tsc_hz / current.ticks;
}

static void read_rows(struct status_view *status, unsigned n_rows)
{
	unsigned end = status->n_vms - status->top < n_rows ? status->n_vms : status->top + n_rows;

	status->n_rows = 0;
	for (unsigned row = status->top; row < end; row++)
		read_row(status_table_row(row), &status->row[status->n_rows++]);
	if (status->n_vms > 0)
		selected = status_table_row(status->selected)->vm.index;
}

/*
 * If the VM was looked for and is not there, it has ended: the tree is shown again. A key may have
 * opened another one during the look.
 */
static void show_opened(struct status_view *status)
{
	status->has_detail = current.opened != NULL && current.opened->vm.index == opened;
	if (!status->has_detail) {
		if (current.wanted == opened)
			opened = NO_VM;
		return;
	}
	status->detail = current.detail;
	current.n_samples = 0;
	read_row(current.opened, &status->detail.vm);
}

static void read_machine(struct status_view *status)
{
	status->up_s = rdtsc() / tsc_hz;
	status->memory = frame_total() * PAGE_SIZE;
	status->memory_free = frame_available() * PAGE_SIZE;
	status->n_made = __atomic_load_n(&vm_totals.n_made, __ATOMIC_RELAXED);
	status->n_ended = __atomic_load_n(&vm_totals.n_ended_well, __ATOMIC_RELAXED);
	status->n_failed = __atomic_load_n(&vm_totals.n_failed, __ATOMIC_RELAXED);
}

static void fill(struct status_view *status, unsigned n_rows)
{
	status->counts = current.counts;
	status->n_vms = status_table_rows();
	if (current.selected && selected == current.selected->vm.index)
		status->selected = current.selected->row;
	scroll(status, n_rows);
	current.n_samples = 0;
	read_rows(status, n_rows);
	show_opened(status);
	read_machine(status);
}

static void keep_samples(void)
{
	memcpy(samples, current.samples, current.n_samples * sizeof(samples[0]));
	n_samples = current.n_samples;
	last_look = current.began;
}

bool status_look_step(struct status_view *status, unsigned n_rows)
{
	if (!current.has_read_all) {
		current.has_read_all = !read_next();
		return false;
	}
	if (!status_table_build())
		return false;
	fill(status, n_rows);
	if (opens && status->n_vms > 0) {
		opens = false;
		opened = selected;
		status_look_begin();
		return false;
	}
	opens = false;
	keep_samples();
	return true;
}

void status_open(bool on)
{
	opens = on && selected == NO_VM;
	opened = on ? selected : NO_VM;
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
