/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pieces of memory that comes and goes. The map of a VM is read without a lock by its vCPUs, which
 * are aside, and under vms_lock by the search for equal pages. A page that was mapped is free only
 * after its translation is gone; no processor enters the guest before it has compared generations.
 */
#include "hv/vm/hotplug.h"

#include "hv/config/hotplug.h"
#include "hv/config/layout.h"
#include "hv/frame/frame.h"
#include "hv/frame/phys.h"
#include "hv/guest/prealloc.h"
#include "hv/guest/region_map.h"
#include "hv/guest/reserve.h"
#include "hv/lib/assert.h"
#include "hv/vm/hold.h"
#include "hv/vm/merge_scan.h"
#include "hv/vm/template.h"

/* At a time: some tens of microseconds each. */
enum { PAGES_AT_ONCE = 256, FRAMES_AT_ONCE = 500, ENTRIES_AT_ONCE = 2000 };

const char *hotplug_refuses(const struct vm *vm)
{
	if (vm_outcome(vm) == VM_FROZEN || template_is_freezing(vm))
		return "it is a template: its clones have the same memory";
	if (vm->template)
		return "it is a clone: it has its template's memory";
	if (vm_is_debugged(vm))
		return "gdb is attached: detach it first";
	return NULL;
}

void hotplug_begin_in(struct hotplug *work, struct dimm_config *dimm)
{
	*work = (struct hotplug){.dimm = dimm, .region = memory_region_of_dimm(dimm)};
}

/* How much of an image's memory is mapped at a time: about 500 entries. */
static uint64_t map_step(const struct ept *ept, const struct mem_region *region)
{
	if (region->image == NULL)
		return GIB(1);
	if (ept->leaf_levels > 1 &&
	    is_aligned((region->image->base + region->offset) | region->gpa.raw, MIB(2)))
		return GIB(1);
	return MIB(2);
}

/* From 'at' to the next multiple of 'step', or the end. */
static uint64_t piece_len(const struct hotplug *work, uint64_t step)
{
	uint64_t start = work->region.gpa.raw + work->at;
	uint64_t len = align_down(start, step) + step - start, left = work->region.len - work->at;

	return len < left ? len : left;
}

static void next_stage(struct hotplug *work)
{
	work->stage++;
	work->at = 0;
}

static void pass(struct hotplug *work, uint64_t len)
{
	work->at += len;
	if (work->at == work->region.len)
		next_stage(work);
}

static enum status map_some(struct vm *vm, struct hotplug *work)
{
	struct mem_region piece = work->region;

	piece.gpa = gpa_add(piece.gpa, work->at);
	piece.offset += work->at;
	piece.len = piece_len(work, map_step(&vm->ept, &work->region));
	TRY(region_map(&vm->ept, &piece));
	pass(work, piece.len);
	return OK;
}

static enum status reserve_some(struct vm *vm, struct hotplug *work)
{
	uint64_t len;

	if (!backend_has_reserve(work->region.backend)) {
		next_stage(work);
		return OK;
	}
	len = piece_len(work, PAGES_AT_ONCE * PAGE_SIZE);
	TRY(reserve_part(&vm->ept, &work->region, work->at, len));
	pass(work, len);
	return OK;
}

static bool is_preallocated(const struct mem_region *region)
{
	return region->kind == MEM_COW && region->backend->prealloc;
}

static enum status fill_some(struct vm *vm, struct hotplug *work)
{
	uint64_t len = piece_len(work, PAGES_AT_ONCE * PAGE_SIZE);
	phys_t frame;

	if (!is_preallocated(&work->region)) {
		next_stage(work);
		return OK;
	}
	for (uint64_t at = work->at; at < work->at + len; at += PAGE_SIZE)
		TRY(region_copy_page(&vm->ept, &work->region, gpa_add(work->region.gpa, at),
				     &frame));
	pass(work, len);
	return OK;
}

/* Fill the next 2 MiB with a large page. False: nothing has changed. */
static bool fill_large(struct vm *vm, const struct hotplug *work)
{
	const struct mem_region *region = &work->region;
	const struct prealloc fill = {
		.lock = &vm->lock,
		.ept = &vm->ept,
		.region = region,
		.policy = backend_frame_policy(region->backend),
		.first_page = memory_backend_offset(region) / PAGE_SIZE,
	};

	return is_preallocated(region) && piece_len(work, MIB(2)) == MIB(2) &&
	       prealloc_large(&fill, gpa_add(region->gpa, work->at));
}

/* The regions move. */
static void forget_regions(struct vm *vm)
{
	vm->memory.last = NULL;
	vm->memory.dropped_at = NULL;
}

/*
 * The map has room: it is made for as many DIMMs as there can be slots. What was set aside is the
 * map's from now on, and is freed with the VM.
 */
static void let_in(struct vm *vm, struct hotplug *work)
{
	enum status status;

	vm_merge_pause(vm);
	vms_acquire();
	status = mem_map_add(vm->mem, &work->region);
	lock_release(&vms_lock);
	vm_merge_resume(vm);
	assert(status == OK);
	work->region.reserve = NULL;
	forget_regions(vm);
	vm_lock_devices(vm);
	memory_slots_insert(platform_slots(&vm->platform), (unsigned)work->dimm->slot,
			    &(struct memory_slot){.base = work->dimm->addr,
						  .len = work->dimm->size,
						  .node = work->dimm->node},
			    true);
	vm_unlock_devices(vm);
}

void hotplug_begin_out(struct vm *vm, struct hotplug *work, struct dimm_config *dimm)
{
	gpa_t gpa = {dimm->addr};

	*work = (struct hotplug){
		.dimm = dimm,
		.region = *mem_map_find(vm->mem, gpa),
		.stage = HOTPLUG_EMPTIES,
	};
	vm_merge_pause(vm);
	vms_acquire();
	mem_map_remove(vm->mem, gpa);
	lock_release(&vms_lock);
	vm_merge_resume(vm);
	forget_regions(vm);
}

/*
 * Free own pages one by one: a table with many of them would take long. Zeros take their place, so
 * that their tables are not holes, which stay.
 */
static void empty_some(struct vm *vm, struct hotplug *work)
{
	gpa_t gpa = gpa_add(work->region.gpa, work->at);
	gpa_t end = gpa_add(work->region.gpa, work->region.len);
	unsigned n_entries = ENTRIES_AT_ONCE, n_pages = PAGES_AT_ONCE;
	uint64_t entry;

	while (n_pages-- > 0 && (entry = ept_next_own(&vm->ept, &gpa, end, &n_entries)) != 0) {
		uint64_t len = entry & EPT_LARGE ? MIB(2) : PAGE_SIZE;

		/* An own page needs no table on its way, and so no frame. */
		(void)ept_map_zero(&vm->ept, gpa, len);
		gpa = gpa_add(gpa, len);
	}
	ept_reclaim(&vm->ept);
	work->at = gpa.raw - work->region.gpa.raw;
	if (work->at >= work->region.len)
		next_stage(work);
}

/* Along the pieces in which it was mapped, which needs no table either. */
static void unmap_some(struct vm *vm, struct hotplug *work)
{
	uint64_t len = piece_len(work, GIB(1));

	(void)ept_map(&vm->ept, gpa_add(work->region.gpa, work->at), 0, len, 0);
	pass(work, len);
	if (work->stage == HOTPLUG_UNMAPS)
		return;
	ept_trim(&vm->ept);
	ept_reclaim(&vm->ept);
}

static void unreserve_some(struct hotplug *work)
{
	struct frame_reserve *reserve = work->region.reserve;

	if (reserve != NULL && frame_reserve_free_some(reserve, FRAMES_AT_ONCE))
		return;
	work->region.reserve = NULL;
	next_stage(work);
}

static enum status go_in_locked(struct vm *vm, struct hotplug *work)
{
	enum status status;

	lock_acquire(&vm->lock);
	if (work->stage == HOTPLUG_MAPS)
		status = map_some(vm, work);
	else if (work->stage == HOTPLUG_RESERVES)
		status = reserve_some(vm, work);
	else
		status = fill_some(vm, work);
	lock_release(&vm->lock);
	return status;
}

static enum status go_in(struct vm *vm, struct hotplug *work)
{
	enum status status = OK;

	if (work->stage == HOTPLUG_FILLS && fill_large(vm, work))
		pass(work, MIB(2));
	else
		status = go_in_locked(vm, work);
	if (status != OK) {
		work->stage = HOTPLUG_EMPTIES;
		work->at = 0;
		return status;
	}
	if (work->stage == HOTPLUG_IS_IN)
		let_in(vm, work);
	return OK;
}

enum status hotplug_some(struct vm *vm, struct hotplug *work)
{
	if (work->stage < HOTPLUG_IS_IN)
		return go_in(vm, work);
	lock_acquire(&vm->lock);
	if (work->stage == HOTPLUG_EMPTIES)
		empty_some(vm, work);
	else if (work->stage == HOTPLUG_UNMAPS)
		unmap_some(vm, work);
	else
		unreserve_some(work);
	lock_release(&vm->lock);
	return OK;
}

void hotplug_ask(struct vm *vm, const struct dimm_config *dimm)
{
	vm_lock_devices(vm);
	memory_slots_ask(platform_slots(&vm->platform), (unsigned)dimm->slot);
	vm_unlock_devices(vm);
}

void hotplug_clear_slot(struct vm *vm, unsigned slot)
{
	vm_lock_devices(vm);
	memory_slots_clear(platform_slots(&vm->platform), slot);
	vm_unlock_devices(vm);
}

static bool ejects_wait; /* atomic */

void hotplug_note_eject(void)
{
	/* Release pairs with hotplug_next_eject(): the slots say which. */
	__atomic_store_n(&ejects_wait, true, __ATOMIC_RELEASE);
}

static bool has_ejected(struct vm *vm)
{
	return vm->platform.extras.n_slots > 0 && vm_outcome(vm) == VM_RUNNING &&
	       !hotplug_refuses(vm) &&
	       __atomic_load_n(&platform_slots(&vm->platform)->has_ejected, __ATOMIC_RELAXED);
}

struct vm *hotplug_next_eject(void)
{
	struct vm *vm = vms;

	if (!__atomic_load_n(&ejects_wait, __ATOMIC_ACQUIRE))
		return NULL;
	/* Another one that comes now sets it again. */
	__atomic_store_n(&ejects_wait, false, __ATOMIC_SEQ_CST);
	while (vm && !has_ejected(vm))
		vm = vm->next;
	if (vm)
		__atomic_store_n(&ejects_wait, true, __ATOMIC_RELAXED);
	return vm;
}

struct dimm_config *hotplug_ejected(const struct vm *vm)
{
	int slot = memory_slots_next_ejected(platform_slots((struct platform *)&vm->platform));
	struct dimm_config *dimm = vm->config->dimms;

	while (dimm && (!dimm_is_plain(dimm) || dimm->slot != slot))
		dimm = dimm->next;
	return dimm;
}
