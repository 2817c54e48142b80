/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Chooses the processor that looks for equal pages, the time, and the VM. There is one search in
 * the whole machine. It stays with a VM until it has seen all pages and every frame that it found
 * is free, so that struct vm needs no room for it.
 */
#include "hv/vm/merge_scan.h"

#include "hv/ept/merged.h"
#include "hv/frame/frame.h"
#include "hv/guest/merge.h"
#include "hv/host/cpu.h"
#include "hv/host/io.h"
#include "hv/host/tsc.h"
#include "hv/lib/print.h"
#include "hv/vcpu/sched.h"

#define TURN_MS	   20
#define TURN_PAGES (VM_MERGE_RATE * TURN_MS / 1000)
#define TURN_STEPS (4 * TURN_PAGES) /* including those that find no page */
#define SCAN_MS	   1000		    /* at least, from one scan's start to the next one's */

/*
 * 'lock' guards 'vm' and 'merge', and merge_paused in VMs. It may be taken inside vms_lock, and a
 * VM's lock inside it. The rest belongs to the processor that works, except the atomics.
 */
static struct {
	struct lock lock;
	const struct vm_config *configs; /* atomic; NULL: no merging */
	struct merge merge;
	struct vm *vm;		   /* being visited; NULL: none */
	uint64_t visit_generation; /* of its tree when the visit began */
	bool is_scanning;
	uint64_t scan_start; /* host TSC */
	struct merged_counters logged;
	bool has_tables;
	bool is_working;    /* atomic */
	uint64_t due;	    /* atomic: host TSC */
	const void *waiter; /* atomic: the processor that wakes up for it */
} search;

void vm_merge_setup(const struct vm_config *configs)
{
	/* Release: other processors may be idle already. Pairs with the loads. */
	__atomic_store_n(&search.configs, configs, __ATOMIC_RELEASE);
}

/* Whether a VM may write to the file. */
static bool is_written(const struct image *image)
{
	const struct vm_config *vm = __atomic_load_n(&search.configs, __ATOMIC_ACQUIRE);

	for (; vm; vm = vm->next)
		for (const struct backend *backend = vm->backends; backend; backend = backend->next)
			if (backend->image == image && backend->kind == MEM_SHARED)
				return true;
	return false;
}

/* Memory that was preallocated or reserved keeps its frames. */
static bool takes_part(const struct vm *vm, const struct mem_region *region)
{
	if (region->kind != MEM_COW)
		return false;
	if (region->backend == NULL)
		return vm->config->mem_merge;
	return region->backend->merge && !region->backend->prealloc && region->reserve == NULL;
}

static void visit(struct vm *vm)
{
	search.vm = vm;
	search.visit_generation = vm->ept.generation;
	search.merge = (struct merge){.id = vm->index};
	for (size_t i = 0; i < vm->mem->n; i++) {
		const struct mem_region *region = &vm->mem->region[i];

		if (takes_part(vm, region))
			search.merge.merges |= (uint32_t)BIT(i);
		if (region->image && !is_written(region->image))
			search.merge.constant |= (uint32_t)BIT(i);
	}
}

static bool has_part(const struct vm *vm)
{
	for (size_t i = 0; i < vm->mem->n; i++)
		if (takes_part(vm, &vm->mem->region[i]))
			return true;
	return false;
}

/* The next VM in this scan, which goes through the list once. Both locks are held. */
static struct vm *next_vm(void)
{
	struct vm *vm = search.is_scanning ? vms_cursor : vms;

	while (vm && (vm->merge_paused || !has_part(vm) ||
		      __atomic_load_n(&vm->outcome, __ATOMIC_RELAXED) != VM_RUNNING))
		vm = vm->next;
	search.is_scanning = true;
	vms_cursor = vm ? vm->next : NULL;
	return vm;
}

/* Every VM was visited, and every processor has flushed since. */
static void end_scan(uint64_t now)
{
	struct merged_counters counters = merged_count();

	merged_free();
	if (counters.shared != search.logged.shared || counters.sharing != search.logged.sharing)
		log_debug("merge: pages_shared %lu, pages_sharing %lu, pages_scanned %lu",
			  counters.shared, counters.sharing, merge_scanned());
	search.logged = counters;
	merge_begin_scan();
	search.is_scanning = false;
	if (now - search.scan_start < tsc_hz / 1000 * SCAN_MS)
		__atomic_store_n(&search.due, search.scan_start + tsc_hz / 1000 * SCAN_MS,
				 __ATOMIC_RELAXED);
	search.scan_start = now;
}

static bool begin_visit(uint64_t now)
{
	struct vm *vm;

	if (!search.has_tables) {
		search.has_tables = true;
		if (merge_setup(frame_total()) != OK)
			log_warning("not enough memory to look for equal pages of VMs");
	}
	lock_acquire(&vms_lock);
	lock_acquire(&search.lock);
	vm = next_vm();
	if (vm != NULL)
		visit(vm);
	lock_release(&search.lock);
	lock_release(&vms_lock);
	if (vm == NULL)
		end_scan(now);
	return vm != NULL;
}

/* The generation that all vCPUs have seen. The VM's lock is held, so the tree does not change. */
static uint64_t caught_up(const struct vm *vm)
{
	uint64_t all = vm->ept.generation;

	for (unsigned i = 0; i < vm->n_vcpus; i++) {
		const struct vcpu *vcpu = &vm->vcpu[i];
		uint64_t seen;

		if (sched_is_parked(vcpu))
			continue;
		seen = __atomic_load_n(&vcpu->ept_generation, __ATOMIC_ACQUIRE);
		all = seen < all ? seen : all;
	}
	return all;
}

/* Look at one page of the VM. False: wait. */
static bool step_vm(struct vm *vm)
{
	enum merge_result result;
	uint64_t seen;

	lock_acquire(&vm->lock);
	seen = caught_up(vm);
	result = merge_step(&search.merge, &vm->ept, vm->mem, seen);
	lock_release(&vm->lock);
	if (result == MERGE_LOOKED)
		return true;
	if (result == MERGE_ENDED && seen >= search.visit_generation) {
		search.vm = NULL;
		return true;
	}
	return false;
}

static bool step(uint64_t now)
{
	bool has_vm, advanced = false;

	lock_acquire(&search.lock);
	has_vm = search.vm != NULL;
	if (has_vm)
		advanced = step_vm(search.vm);
	lock_release(&search.lock);
	return has_vm ? advanced : begin_visit(now);
}

static bool is_on(void)
{
	return __atomic_load_n(&search.configs, __ATOMIC_ACQUIRE) != NULL;
}

bool vm_merge_work(void)
{
	uint64_t now = rdtsc(), n_scanned = merge_scanned();

	if (!is_on() || now < __atomic_load_n(&search.due, __ATOMIC_RELAXED) ||
	    __atomic_exchange_n(&search.is_working, true, __ATOMIC_ACQUIRE))
		return false;
	__atomic_store_n(&search.due, now + tsc_hz / 1000 * TURN_MS, __ATOMIC_RELAXED);
	/* Ask is_on() again, because vm_merge_end() may have been called meanwhile. */
	for (unsigned i = 0; is_on() && i < TURN_STEPS && merge_scanned() - n_scanned < TURN_PAGES;
	     i++)
		if (sched_is_wanted() || !step(now))
			break;
	/* Pairs with the exchange above: the next processor sees all stores. */
	__atomic_store_n(&search.is_working, false, __ATOMIC_RELEASE);
	return true;
}

uint64_t vm_merge_deadline(const struct cpu *cpu)
{
	const void *none = NULL;

	if (!is_on())
		return UINT64_MAX;
	if (!__atomic_compare_exchange_n(&search.waiter, &none, cpu, false, __ATOMIC_RELAXED,
					 __ATOMIC_RELAXED) &&
	    none != cpu)
		return UINT64_MAX;
	return __atomic_load_n(&search.due, __ATOMIC_RELAXED);
}

void vm_merge_woke(const struct cpu *cpu)
{
	const void *me = cpu;

	__atomic_compare_exchange_n(&search.waiter, &me, NULL, false, __ATOMIC_RELAXED,
				    __ATOMIC_RELAXED);
}

void vm_merge_pause(struct vm *vm)
{
	lock_acquire(&search.lock);
	vm->merge_paused = true;
	if (search.vm == vm) {
		lock_acquire(&vm->lock);
		merge_forget(&search.merge, &vm->ept);
		lock_release(&vm->lock);
		search.vm = NULL;
	}
	lock_release(&search.lock);
}

void vm_merge_resume(struct vm *vm)
{
	lock_acquire(&search.lock);
	vm->merge_paused = false;
	lock_release(&search.lock);
}

void vm_merge_end(void)
{
	/* Sequentially consistent: a processor that sets is_working later sees NULL in is_on(). */
	__atomic_store_n(&search.configs, NULL, __ATOMIC_SEQ_CST);
	while (__atomic_exchange_n(&search.is_working, true, __ATOMIC_SEQ_CST))
		pause();
	merge_end();
}
