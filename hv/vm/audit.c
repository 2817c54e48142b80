/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who owns which frame, in the whole machine. First all frames with a known use are claimed: free
 * and reserved ones, images, merged pages, templates, VMs. What remains is the hypervisor's own,
 * to which no tree may lead.
 */
#include "hv/vm/audit.h"

#include "hv/ept/audit.h"
#include "hv/ept/merged.h"
#include "hv/frame/frame.h"
#include "hv/frame/phys.h"
#include "hv/host/cpu.h"
#include "hv/host/paging.h"
#include "hv/host/rendezvous.h"
#include "hv/lib/string.h"
#include "hv/vm/protect.h"
#include "hv/vm/template.h"
#include "hv/vm/vm.h"

static void claim_free(void *context, phys_t frame)
{
	ept_audit_claim(context, frame, FRAME_FREE);
}

static void claim_reserved(void *context, phys_t frame)
{
	ept_audit_claim(context, frame, FRAME_RESERVED);
}

static void claim_vm_frame(void *context, phys_t frame)
{
	ept_audit_claim(context, frame, FRAME_OF_VM);
}

static void claim_merged(void *context, phys_t frame)
{
	ept_audit_claim(context, frame, FRAME_MERGED);
}

/* Several regions, of several VMs, may show the same image. */
static void claim_image(struct ept_audit *audit, const struct image *image)
{
	phys_t end = image->base + image->size;

	for (phys_t frame = align_down(image->base, PAGE_SIZE); frame < end; frame += PAGE_SIZE)
		if (frame_use_of(&audit->uses, frame) != FRAME_IMAGE)
			ept_audit_claim(audit, frame, FRAME_IMAGE);
}

/* Clones have their template's regions. */
static void claim_regions(struct ept_audit *audit, const struct vm *vm)
{
	for (size_t i = 0; vm->template == NULL && i < mem_map_all(vm->mem); i++) {
		const struct mem_region *region = &vm->mem->region[i];

		if (region->image != NULL)
			claim_image(audit, region->image);
		if (region->reserve != NULL)
			frame_each_reserved(region->reserve, claim_reserved, audit);
	}
}

static void claim_vcpu(struct ept_audit *audit, const struct vcpu *vcpu)
{
	if (vcpu->step_pages == NULL)
		return;
	ept_audit_claim(audit, virt_to_phys(vcpu->step_pages), FRAME_OF_VM);
	for (unsigned i = 0; i < STEP_PAGES_MAX; i++)
		if (vcpu->step_pages->scratch[i] != 0)
			ept_audit_claim(audit, vcpu->step_pages->scratch[i], FRAME_SCRATCH);
}

/* A layer's parents are those of older templates, which may be gone. */
static void claim_layers(struct ept_audit *audit, struct ept_layer *layer)
{
	while (layer != NULL && ept_audit_claim_layer(audit, layer))
		layer = layer->parent;
}

static void claim_vm(struct ept_audit *audit, const struct vm *vm)
{
	audit->name = vm_name(vm);
	vm_each_frame((struct vm *)vm, claim_vm_frame, audit);
	for (unsigned i = 0, n = vm_n_made(vm); i < n; i++)
		claim_vcpu(audit, vm_vcpu(vm, i));
	claim_regions(audit, vm);
	claim_layers(audit, vm->ept.base);
	claim_layers(audit, vm->layer);
	ept_audit_claim_tree(audit, &vm->ept);
}

/* Each layer that a VM leads to is counted once for its parent: when it is found first. */
static void count_parents(struct ept_layer *layer)
{
	while (layer != NULL && layer->n_found++ == 0)
		layer = layer->parent;
}

static void count_layers(const struct vm *vm)
{
	count_parents(vm->ept.base);
	count_parents(vm->layer);
}

static bool shows(const void *context, gpa_t gpa, phys_t frame, bool writes)
{
	const struct vm *vm = context;
	const struct mem_region *region = gpa.raw < MEM_HIDDEN_START
						  ? mem_map_find(vm->mem, gpa)
						  : mem_map_find_hidden(vm->mem, gpa);

	return region != NULL && region->image != NULL &&
	       frame == region->image->base + region->offset + (gpa.raw - region->gpa.raw) &&
	       (!writes || region->kind == MEM_SHARED);
}

static void check_vm(struct ept_audit *audit, const struct vm *vm)
{
	const struct ept_memory memory = {vm, shows};

	audit->name = vm_name(vm);
	ept_audit_check_tree(audit, &vm->ept, &memory);
	if (vm->layer != NULL)
		ept_audit_check_layer(audit, vm->layer, &memory);
}

static void check_merged(struct ept_audit *audit)
{
	uint64_t sharing = merged_count().sharing;

	if (sharing != audit->n_merged)
		ept_audit_fault(audit, "%lu leaves are merged, but %lu are counted",
				audit->n_merged, sharing);
}

static void check_own_tables(struct ept_audit *audit)
{
	uint64_t virt;

	if (paging_has_nx() && paging_find_wx(&virt))
		ept_audit_fault(audit, "the hypervisor can write and execute %#lx", virt);
}

/* All processors wait. */
static void check_roots(struct ept_audit *audit)
{
	for (unsigned i = 0; i < n_cpus; i++)
		ept_audit_check_root(audit, cpus[i]->ept_root, cpus[i]->ept_top);
}

/* Frames that never change are read-only in the hypervisor's own map. */
static void check_protected(struct ept_audit *audit)
{
	for (uint64_t i = 0; i < audit->uses.n; i++) {
		enum frame_use use = audit->uses.use[i];
		phys_t frame = i * PAGE_SIZE;

		if (use != FRAME_ZERO && (use != FRAME_LAYER || !protect_is_on()))
			continue;
		if (paging_probe((uintptr_t)phys_to_virt(frame), true))
			ept_audit_fault(audit, "the hypervisor can write frame %#lx, which is %s",
					frame, frame_use_name(use));
	}
}

/* A VM that has ended has no tree any more. */
static bool has_tree(const struct vm *vm)
{
	return vm->ept.root != 0;
}

static void audit_vms(struct ept_audit *audit, struct vm_audit *ret)
{
	vms_acquire(); /* all processors wait: the list stays as it is */
	lock_release(&vms_lock);
	for (const struct vm *vm = vms; vm != NULL; vm = vm->next)
		if (has_tree(vm))
			claim_vm(audit, vm);
	for (const struct vm *vm = vms; vm != NULL; vm = vm->next)
		if (has_tree(vm))
			count_layers(vm);
	for (const struct vm *vm = vms; vm != NULL; vm = vm->next) {
		ret->n_vms++;
		if (has_tree(vm))
			check_vm(audit, vm);
	}
}

static void audit_all(struct ept_audit *audit, struct vm_audit *ret)
{
	audit->name = "the machine";
	frame_each_free(claim_free, audit);
	merged_each(claim_merged, audit);
	ept_audit_claim_zeros(audit);
	audit_vms(audit, ret);
	audit->name = "the machine";
	check_merged(audit);
	check_own_tables(audit);
	check_roots(audit);
	check_protected(audit);
	for (uint64_t i = 0; i < audit->uses.n; i++)
		ret->n_pages += audit->uses.use[i] != FRAME_OTHER;
	ret->n_faults = audit->n_faults;
}

enum status vm_audit(void (*say)(const char *name, const char *what), struct vm_audit *ret)
{
	uint64_t n = frame_end() / PAGE_SIZE, n_frames = align_up(n, PAGE_SIZE) / PAGE_SIZE;
	struct ept_audit audit = {.say = say};
	bool is_changing;
	phys_t run;

	*ret = (struct vm_audit){0};
	if (template_is_changing())
		return ERR_BUSY;
	run = frame_alloc_run(n_frames, PAGE_SIZE);
	if (run == 0)
		return ERR_NOMEM;
	audit.uses = (struct frame_uses){phys_to_virt(run), n};
	memset(audit.uses.use, FRAME_OTHER, n);
	rendezvous_begin();
	is_changing = template_is_changing();
	if (!is_changing)
		audit_all(&audit, ret);
	rendezvous_end();
	frame_free_run(run, n_frames);
	return is_changing ? ERR_BUSY : OK;
}
