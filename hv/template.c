/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Templates and clones: see template.h. What a clone shares with its template is constant:
 * the configuration, the memory map but for its counters, and the layer. All else is
 * copied. Device state that points outside of its own struct would be shared by accident:
 * platform_clone() knows the buses, and a VM with NVDIMM labels is not frozen.
 */
#include "hv/template.h"

#include "hv/assert.h"
#include "hv/frame.h"
#include "hv/phys.h"
#include "hv/print.h"
#include "hv/sched.h"
#include "hv/string.h"

static const struct clone_config *clone_configs;

void template_set_config(const struct clone_config *clones)
{
	clone_configs = clones;
}

/* Give up one hold on a template; the last one frees it. vms_lock is held. */
static void template_put(struct vm *template)
{
	while (template && --template->n_holds == 0) {
		struct vm *parent = template->template;

		vm_unlist(template);
		ept_layer_put(template->layer);
		vm_release(template);
		vm_free(template);
		template = parent;
	}
}

static bool refuse(struct vm *vm, const char *why)
{
	log_error("VM %s: cannot become a template: %s", vm->name, why);
	vm->platform.control.answer = CONTROL_REFUSED;
	return false;
}

static void start_clones(struct vm *template)
{
	for (const struct clone_config *c = clone_configs; c; c = c->next) {
		if (strcmp(c->template, template->name) != 0)
			continue;
		for (unsigned i = 0; i < c->count; i++) {
			struct vm *clone = template_clone(template, c->name);

			if (clone == NULL)
				break;
			vm_start(clone);
		}
	}
}

bool template_freeze(struct vm *vm)
{
	vm->platform.control.freeze_requested = false;
	if (vm->labels.labels)
		return refuse(vm, "NVDIMM labels cannot be shared");
	if (ept_freeze(&vm->ept, &vm->layer) != OK)
		return refuse(vm, "no memory left");
	vm->outcome = VM_FROZEN;
	vm->n_holds = 1; /* its name: it can be cloned */
	__atomic_fetch_add(&vm_totals.n_ended_well, 1, __ATOMIC_RELAXED);
	log_info("VM %s: is a template now, of %llu KiB private memory, tables included", vm->name,
		 (unsigned long long)(vm->layer->n_owned * PAGE_SIZE / KIB(1)));
	start_clones(vm);
	return true;
}

/* 'to' keeps its own frames. */
static void copy_vcpu(struct vcpu *to, struct vm *clone, const struct vcpu *from)
{
	phys_t xsave_area = to->xsave_area, scratch[STEP_PAGES_MAX];

	assert(from->n_steps == 0);
	memcpy(scratch, to->scratch, sizeof(scratch));
	*to = *from;
	memcpy(to->scratch, scratch, sizeof(scratch));
	to->xsave_area = xsave_area;
	to->vm = clone;
	to->last_cpu = NULL; /* no VMCS and no TLB knows it */
	to->ept_generation = 0;
	to->n_exits = 0;
	to->regs.requests = VCPU_REQUEST_EVENT | VCPU_REQUEST_TIMER;
	copy_words(phys_to_virt(xsave_area), phys_to_virt(from->xsave_area), PAGE_SIZE / 8);
}

static void copy_devices(struct vm *clone, const struct vm *template)
{
	platform_clone(&clone->platform, &template->platform);
	clone->platform.uart.line_len = 0;
	clone->platform.debugcon.line_len = 0;
	clone->platform.control = (struct control){.is_clone = true, .answer = clone->number};
}

static void name_clone(struct vm *clone, const char *name)
{
	if (name)
		format(clone->own_name, sizeof(clone->own_name), "%s", name);
	else
		format(clone->own_name, sizeof(clone->own_name), "%.*s-%u",
		       (int)sizeof(clone->own_name) - 12, clone->template->name, clone->number);
	clone->name = clone->own_name;
}

static enum status build_clone(struct vm *clone, struct vm *template, const char *name)
{
	*clone = (struct vm){
		.index = vm_next_index(),
		.config = template->config,
		.images = template->images,
		.mem = template->mem,
		.template = template,
		.number = template->next_number++,
		.start = template->start,
		.n_starts = template->n_starts,
	};
	name_clone(clone, name);
	ept_clone(&clone->ept, template->layer, EPT_UNLIMITED);
	clone->memory = (struct guest_memory){&clone->ept, clone->mem};
	copy_devices(clone, template);
	clone->vcpu.xsave_area = frame_alloc();
	if (clone->vcpu.xsave_area == 0)
		return ERR_NOMEM;
	copy_vcpu(&clone->vcpu, clone, &template->vcpu);
	return OK;
}

struct vm *template_clone(struct vm *template, const char *name)
{
	struct vm *clone = vm_allocate_clone();

	__atomic_fetch_add(&vm_totals.n_made, 1, __ATOMIC_RELAXED);
	if (clone == NULL) {
		log_error("VM %s: no memory for another clone", template->name);
		return NULL;
	}
	lock_acquire(&vms_lock);
	template->n_holds++;
	lock_release(&vms_lock);
	if (build_clone(clone, template, name) == OK)
		return clone;
	log_error("VM %s: no memory for another clone", template->name);
	vm_release(clone);
	template_vm_gone(clone);
	return NULL;
}

void template_vm_gone(struct vm *vm)
{
	struct vm *template = vm->template;

	lock_acquire(&vms_lock);
	vm_unlist(vm);
	vm_free(vm);
	template_put(template);
	lock_release(&vms_lock);
}

void template_revert(struct vm *clone)
{
	uint64_t n_exits = clone->vcpu.n_exits;

	ept_reset(&clone->ept);
	/* No processor walks the old tree: its one vCPU is put away. */
	ept_reclaim(&clone->ept);
	copy_devices(clone, clone->template);
	copy_vcpu(&clone->vcpu, clone, &clone->template->vcpu);
	clone->vcpu.n_exits = n_exits;
}

/* vms_lock is held. */
static struct vm *find_named(void)
{
	struct vm *vm = vms;

	while (vm && (vm->outcome != VM_FROZEN || vm->unnamed))
		vm = vm->next;
	return vm;
}

void template_release_all(void)
{
	struct vm *vm;

	lock_acquire(&vms_lock);
	while ((vm = find_named()) != NULL) {
		vm->unnamed = true;
		template_put(vm);
	}
	lock_release(&vms_lock);
}
