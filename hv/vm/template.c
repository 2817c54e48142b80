/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A clone shares with its template what is constant: the configuration, the memory map, and the
 * layer. Everything else is copied. Device state must not point to mutable memory, which template
 * and clones would then share; therefore VMs with NVDIMM labels are refused.
 */
#include "hv/vm/template.h"

#include "hv/config/drive.h"
#include "hv/devices/clone_name.h"
#include "hv/guest/reserve.h"
#include "hv/guest/working_set.h"
#include "hv/host/cpu.h"
#include "hv/host/io.h"
#include "hv/lib/print.h"
#include "hv/lib/string.h"
#include "hv/vm/build.h"
#include "hv/vm/checksum.h"
#include "hv/vm/clone_line.h"
#include "hv/vm/hold.h"
#include "hv/vm/map.h"
#include "hv/vm/merge_scan.h"
#include "hv/vm/net.h"
#include "hv/vm/news.h"
#include "hv/vm/output.h"
#include "hv/vm/protect.h"
#include "hv/vm/save_queue.h"
#include "hv/vm/serial.h"
#include "hv/vm/tell.h"
#include "hv/vm/usage.h"
#include "hv/vm/vm_identity.h"

/* Entries, and frames, before other work has its turn: some tens of microseconds each. */
#define FREEZE_AT_ONCE	1000
#define PROTECT_AT_ONCE 100

/* So many reverts until a clone gives back what it no longer changes. */
#define TRIM_EVERY 16

/*
 * A clone that keeps its pages may own twice as many frames as its working set lists, and so many
 * more; but no more than are copied in some milliseconds.
 */
#define RESTORE_MIN 64
#define RESTORE_MAX 8192

static unsigned n_freezing; /* VMs between begin_freeze() and the end of it; atomic */

bool template_lines_wait;

void template_set_config(struct clone_config *clones)
{
	clone_lines_set(clones);
}

static bool refuse(struct vm *vm, const char *why)
{
	vm_tell(vm, VM_TOLD_NO_TEMPLATE, LOG_ERROR, "cannot become a template: %s", why);
	vm->platform.control.answer = CONTROL_REFUSED;
	return false;
}

static void tell_writes(struct vm *clone, phys_t set)
{
	vm_output_pays(clone);
	log_info("VM %s: later clones get copies of %lu pages that %s wrote",
		 vm_name(clone->template), working_set_count(set), vm_name(clone));
}

/* Whether the list of what a clone writes is still to be made, by its line with precopy=on. */
static inline bool may_note_writes(const struct vm *clone)
{
	return clone->made_for != NULL && clone->made_for->precopy &&
	       __atomic_load_n(&clone->template->working_set, __ATOMIC_RELAXED) == 0;
}

/*
 * With precopy=on, the first clone to end, or to be reverted, records its working set for those
 * started later.
 */
static void note_writes(struct vm *clone)
{
	struct vm *template = clone->template;
	phys_t none = 0, set;

	lock_acquire(&clone->lock);
	set = working_set_record(&clone->ept, clone->mem);
	lock_release(&clone->lock);
	/* Release: the working set is written before its address. Pairs with precopy(). */
	if (!__atomic_compare_exchange_n(&template->working_set, &none, set, false,
					 __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		working_set_free(set);
	else if (set != 0)
		tell_writes(clone, set);
}

/* The template's working set, for a clone whose line asks for it, or that the operator has made. */
static phys_t set_for(const struct vm *clone)
{
	if (clone->made_for && !clone->made_for->precopy)
		return 0;
	return __atomic_load_n(&clone->template->working_set, __ATOMIC_ACQUIRE);
}

/*
 * Copy in advance what the working set lists. No vCPU of the clone runs, and no search for equal
 * pages. If memory runs out, the guest's writes copy the rest of the pages later.
 */
static void precopy(struct vm *clone)
{
	phys_t set = set_for(clone);

	if (set == 0)
		return;
	if (working_set_copy(set, &clone->ept, clone->mem) != OK)
		log_debug("VM %s: no memory to copy all pages in advance", vm_name(clone));
}

/* A clone's number is the next one, once there is memory for the clone: none is left out. */
#define NEXT_NUMBER UINT32_MAX

static uint32_t take_job(struct clone_config *line)
{
	uint32_t number;

	lock_acquire(&vms_lock);
	number = map_take(line);
	lock_release(&vms_lock);
	return number;
}

/*
 * Count one more clone of the line, if it asks for one now and the template still has its name. A
 * clone with a job has the job's number, others the next one.
 */
static bool take_turn(struct vm *template, struct clone_config *line, uint32_t *ret_number)
{
	if (__atomic_load_n(&template->is_given_up, __ATOMIC_RELAXED) || !clone_line_take(line))
		return false;
	*ret_number = line->map ? take_job(line) : NEXT_NUMBER;
	return true;
}

/* Note whether the clone that was counted was made. */
static void note_turn(struct vm *template, struct clone_config *line, uint32_t number,
		      bool was_made)
{
	bool is_news = false;

	vms_acquire();
	if (was_made)
		clone_line_made(line);
	else
		is_news = clone_line_refused(line);
	if (!was_made && line->map)
		map_put_back(line, number);
	lock_release(&vms_lock);
	if (!was_made)
		__atomic_store_n(&template_lines_wait, true, __ATOMIC_RELAXED);
	if (is_news)
		vm_tell(template, VM_TOLD_NO_CLONE, LOG_ERROR, "no memory for another clone");
}

static __attribute__((noinline)) void request_rare_looks(struct vm *clone)
{
	const struct platform_extras extras = clone->platform.extras;
	uint32_t requests = 0;

	/* Because of the template's output, the UART or a port may be held. */
	if (clone->platform.uart.is_held)
		requests = VCPU_REQUEST_UART;
	if (extras.n_virtio > 0) /* an event that its sockets are others */
		requests |= VCPU_REQUEST_UART | VCPU_REQUEST_VIRTIO;
	if (extras.has_legacy)
		requests |= VCPU_REQUEST_RESUMED;
	if (requests != 0)
		vcpu_request(clone->vcpu, requests);
}

/* Ask for what the clone's devices need before its vCPUs run. */
static inline __attribute__((always_inline)) void request_looks(struct vm *clone)
{
	const struct platform *platform = &clone->platform;

	if (platform_has_more(platform->extras) || platform->extras.has_legacy ||
	    platform->uart.is_held)
		request_rare_looks(clone);
}

static void begin_others(struct vm *clone)
{
	clone->others = VM_OTHERS_LENT;
	if (!clone->template->has_idle_others)
		vm_make_others(clone);
}

static void build_clone(struct vm *clone, struct vm *template, const char *name, uint32_t number)
{
	clone->index = vm_next_index();
	clone->config = template->config;
	clone->share.weight = template->share.weight;
	clone->share.home = (uint16_t)this_cpu()->index;
	clone->mem = template->mem;
	clone->number = number;
	clone->name = name;
	ept_clone(&clone->ept, template->layer, template->ept.max_owned);
	clone->memory = (struct guest_memory){.ept = &clone->ept, .map = clone->mem};
	platform_copy(&clone->platform, &template->platform);
	clone->platform.control = (struct control){.is_clone = true, .answer = clone->number};
	clone->devices_changed = false;
	vcpu_create_copy(clone->vcpu, clone, &clone->ept,
			 irqchip_lapic(&clone->platform.irqchip, 0), template->vcpu);
	if (clone->n_vcpus > 1)
		begin_others(clone);
	request_looks(clone);
	vm_identity_make(clone);
	if (clone->platform.extras.n_virtio > 0)
		vm_net_renew(clone);
}

static struct vm *make_clone(struct vm *template, const char *name, uint32_t number)
{
	uint64_t now = rdtsc();
	struct vm *clone = vm_allocate_clone(template);

	if (clone == NULL)
		return NULL;
	if (number == NEXT_NUMBER)
		number = template_next_number(template);
	build_clone(clone, template, name, number);
	__atomic_fetch_add(&vm_totals.n_made, 1, __ATOMIC_RELAXED);
	if (news_are_heard())
		news_tell(vm_name(clone), NEWS_CLONED, vm_name(template));
	clone->platform.control.asked_at = (uint32_t)(now + clone->vcpu->guest.tsc_offset);
	return clone;
}

struct vm *template_clone(struct vm *template, const char *name)
{
	struct vm *clone = make_clone(template, name, NEXT_NUMBER);

	if (clone)
		precopy(clone);
	return clone;
}

static void start_clones(struct vm *template, struct clone_config *line)
{
	uint32_t number;

	while (clone_line_wants(line) && take_turn(template, line, &number)) {
		struct vm *clone = make_clone(template, line->name, number);

		if (clone == NULL || __atomic_load_n(&template_lines_wait, __ATOMIC_RELAXED))
			note_turn(template, line, number, clone != NULL);
		if (clone == NULL)
			return;
		if (line->max_private)
			clone->ept.max_owned = line->max_private / PAGE_SIZE;
		clone->made_for = line;
		if (line->precopy)
			precopy(clone);
		if (line->map)
			map_begin(clone);
		if (line->paused)
			vm_pause(clone, true);
		vm_start(clone);
	}
}

/* A clone stops. Whether it was the last one of a line; NULL: it was of none. */
static bool leave_line(struct clone_config *line)
{
	return line != NULL && clone_line_left(line);
}

/* A clone of the line has left it: start the next one. NULL: the clone was of no line. */
static void start_next(struct vm *template, struct clone_config *line, bool was_last)
{
	if (line == NULL)
		return;
	if (was_last)
		vm_tell_clones(template);
	start_clones(template, line);
}

bool template_keep_numbers(struct vm *template, uint32_t first, uint32_t n)
{
	bool are_free;

	vms_acquire();
	are_free = first >= __atomic_load_n(&template->next_number, __ATOMIC_RELAXED);
	if (are_free)
		__atomic_store_n(&template->next_number, first + n, __ATOMIC_RELAXED);
	lock_release(&vms_lock);
	return are_free;
}

void template_start_line(struct vm *template, struct clone_config *line)
{
	clone_line_add(line);
	start_clones(template, line);
}

/* The template of the next line from '*line' on that waits for memory, with a hold. NULL: none. */
static struct vm *hold_next_waiting(struct clone_config **line)
{
	struct vm *template = NULL;

	vms_acquire();
	for (; *line != NULL; *line = (*line)->next) {
		template = clone_line_waits(*line) ? template_find((*line)->template) : NULL;
		if (template != NULL)
			break;
	}
	if (template != NULL)
		template_hold(template);
	lock_release(&vms_lock);
	return template;
}

void template_retry_waiting(void)
{
	struct clone_config *line = clone_lines();
	struct vm *template;

	while ((template = hold_next_waiting(&line)) != NULL) {
		start_clones(template, line);
		vms_acquire();
		template_put(template);
		lock_release(&vms_lock);
		line = line->next;
	}
}

bool template_lines_are_done(void)
{
	bool are_done = true;

	for (const struct clone_config *line = clone_lines(); line; line = line->next) {
		if (!clone_line_waits(line))
			continue;
		are_done = false;
		log_error("VM %s: %u of %u clones were not made: no memory", line->template,
			  line->count - line->n_started, line->count);
	}
	return are_done;
}

/* What a clone has no use for until it becomes a template. */
static void clear_template(struct vm *vm)
{
	vm->working_set = 0;
	vm->next_number = vm->n_clones_ended = vm->n_clones_failed = vm->n_holds = 0;
	vm->is_given_up = vm->has_new_sum = false;
	memset(vm->n_told, 0, sizeof(vm->n_told));
}

static bool begin_freeze(struct vm *vm)
{
	vm_flush_output(vm);
	if (vm->template == NULL && vm->labels.labels)
		return refuse(vm, "NVDIMM labels cannot be shared");
	if (vm->platform.job_port.is_there)
		return refuse(vm, "it runs a job");
	if (drives_find_unshared(vm->config))
		return refuse(vm, "all clones would write to the file of a drive: write "
				  "snapshot=on for it, or share-rw=on for its device");
	vm_merge_pause(vm);
	if (!vm_take_areas(vm) || vm_identity_hide(vm) != OK ||
	    ept_freeze(&vm->ept, &vm->layer) != OK) {
		vm_merge_resume(vm);
		return refuse(vm, "no memory left");
	}
	vm_keep(vm);
	if (vm->template)
		clear_template(vm);
	if (vm->config->is_template && vm->template == NULL)
		vm->layer->saved_id = vm->config->saved.id;
	vm_net_leave(vm);
	for (unsigned i = 0; i < vm->n_vcpus; i++)
		vm_vcpu(vm, i)->stolen = rdtsc();
	__atomic_fetch_add(&n_freezing, 1, __ATOMIC_RELAXED);
	return true;
}

/* Whether all vCPUs except the first one wait for an interrupt, which no timer of theirs causes. */
static bool others_are_idle(const struct vm *vm)
{
	bool are_idle = true;

	for (unsigned i = 1; are_idle && i < vm->n_vcpus; i++)
		are_idle = sched_would_halt(vm_vcpu(vm, i));
	return are_idle;
}

static void end_freeze(struct vm *vm)
{
	bool was_last;

	for (unsigned i = 0; i < vm->n_vcpus; i++)
		vcpu_free_scratch(vm_vcpu(vm, i));
	vm->has_idle_others = others_are_idle(vm);
	(void)vm_name(vm); /* makes it, for its clones' identities */
	vm->next_number = map_numbers_end(vm);
	vms_acquire();
	__atomic_store_n(&vm->outcome, VM_FROZEN, __ATOMIC_RELAXED);
	if (vm->template)
		usage_hand_over(vm);
	vm->n_holds = 2; /* its name's and ours: from now on the operator may destroy it */
	checksum_note(vm);
	if (__atomic_load_n(&vm->is_ending, __ATOMIC_RELAXED)) /* the operator wants it to */
		template_give_up(vm);
	was_last = leave_line(vm->made_for);
	lock_release(&vms_lock);
	__atomic_fetch_sub(&n_freezing, 1, __ATOMIC_RELAXED);
	(void)vm_output_detach(vm);
	vm_tell_news(vm, NEWS_FROZEN, "");
	__atomic_fetch_add(&vm_totals.n_ended_well, 1, __ATOMIC_RELAXED);
	vm_output_pays(vm);
	log_info("VM %s: is now a template with %lu KiB of private memory, tables included",
		 vm_name(vm), vm->layer->n_owned * PAGE_SIZE / KIB(1));
	save_queue_note(vm);
	start_next(vm->template, vm->made_for, was_last);
	for (struct clone_config *line = clone_lines(); line; line = line->next)
		if (strcmp(line->template, vm_name(vm)) == 0)
			start_clones(vm, line);
	vms_acquire();
	template_put(vm);
	lock_release(&vms_lock);
}

/* Protection comes last: until then the layer's tables are written. False: all is done. */
static bool freeze_some(struct ept_layer *layer)
{
	return ept_layer_freeze_some(layer, FREEZE_AT_ONCE) || protect_some(layer, PROTECT_AT_ONCE);
}

bool template_freeze(struct vm *vm)
{
	if (!template_is_freezing(vm) && !begin_freeze(vm))
		return false;
	if (reserve_end_some(vm->mem, FREEZE_AT_ONCE) || freeze_some(vm->layer))
		return false;
	end_freeze(vm);
	return true;
}

bool template_is_changing(void)
{
	return template_has_graves() || __atomic_load_n(&n_freezing, __ATOMIC_RELAXED) > 0;
}

void template_adopt(struct vm *vm)
{
	bool is_template;

	vm_list(vm);
	do
		is_template = template_freeze(vm);
	while (!is_template && template_is_freezing(vm));
	if (is_template)
		return;
	__atomic_fetch_add(&vm_totals.n_failed, 1, __ATOMIC_RELAXED);
	vm_release(vm);
	template_vm_gone(vm);
}

void template_vm_ends(struct vm *vm)
{
	if (vm->template && vm_outcome(vm) == VM_ENDED_WELL && may_note_writes(vm))
		note_writes(vm);
}

void template_vm_gone(struct vm *vm)
{
	struct vm *template = vm->template, *held = template_held_by(vm);
	struct clone_config *line = vm->made_for;
	struct lock *list = vm_lock_list(vm);

	usage_hand_over(vm);
	vm_unlist(vm);
	lock_release(list);
	vm_output_leave(vm);
	vm_free(vm);
	/* The next clone finds the memory that this one had. */
	start_next(template, line, leave_line(line));
	template_drop(held);
}

/* Copy the template's devices. The clone keeps its identity, its job and its control port. */
static __attribute__((noinline)) void copy_devices(struct vm *clone)
{
	bool has_job = clone->platform.job_port.is_there;

	platform_copy(&clone->platform, &clone->template->platform);
	if (clone->platform.extras.n_virtio > 0)
		vm_net_renew(clone);
	clone->platform.job_port.is_there = has_job;
	clone->devices_changed = false;
}

static inline void revert_devices(struct vm *clone)
{
	struct control *control = &clone->platform.control;

	if (clone->devices_changed || platform_has_more(clone->platform.extras))
		copy_devices(clone);
	control->answer = clone->number;
	control->n_reverts++;
}

static uint64_t restore_max(phys_t set)
{
	uint64_t n = 2 * working_set_count(set) + RESTORE_MIN;

	return n < RESTORE_MAX ? n : RESTORE_MAX;
}

/*
 * No processor walks the tree: all vCPUs are put away, or loaded on this one. With a working set
 * the clone's pages stay, unless it has come to write to many others; now and then without those
 * that its latest round has not changed.
 */
static __attribute__((noinline)) void restore_memory(struct vm *clone, phys_t set)
{
	bool trims = clone->platform.control.n_reverts % TRIM_EVERY == TRIM_EVERY - 1;

	if (!ept_restore(&clone->ept, restore_max(set), trims))
		precopy(clone);
}

/* All but the vCPUs. */
static inline __attribute__((always_inline)) void revert_machine(struct vm *clone)
{
	phys_t set;

	if (may_note_writes(clone))
		note_writes(clone);
	if (clone->platform.extras.n_virtio > 0)
		vm_net_leave(clone);
	vm_merge_pause(clone);
	set = set_for(clone);
	if (set == 0)
		ept_reset(&clone->ept);
	else
		restore_memory(clone, set);
	vm_merge_resume(clone);
	clone->line.len = 0;
	revert_devices(clone);
	if (clone->platform.job_port.is_there)
		map_begin_again(clone);
	request_looks(clone);
	vm_identity_renew(clone);
}

void template_revert(struct vm *clone)
{
	revert_machine(clone);
	for (unsigned i = 0; i < clone->n_vcpus; i++)
		vcpu_copy(vm_vcpu(clone, i), vm_vcpu(clone->template, i));
}

void template_revert_loaded(struct vm *clone)
{
	revert_machine(clone);
	vcpu_copy_loaded(clone->vcpu, clone->template->vcpu);
}
