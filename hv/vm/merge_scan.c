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
#include "hv/host/random.h"
#include "hv/host/tsc.h"
#include "hv/lib/print.h"
#include "hv/vcpu/sched.h"

#define TURN_MS		20
#define TURN_PAGES	(VM_MERGE_RATE * TURN_MS / 1000)
#define SCAN_MS		1000 /* at least, from one scan's start to the next one's */
#define RECORDS_AT_ONCE 1000 /* merged frames looked at in one step */
#define HURRY_LOOK_MS	1
#define HURRY_PAGES	100 /* between two turns: a small part of a slice */

/*
 * 'lock' guards 'merge', and the visit of 'vm'. It may be taken inside vms_lock, and a VM's lock
 * inside it. The rest belongs to the processor that works, except the atomics.
 */
static struct {
	struct lock lock;
	bool is_on; /* atomic */
	struct merge merge;
	/*
	 * Being visited; NULL: none. Atomic: visit() sets it before it reads the VM's
	 * merge_paused, and vm_merge_pause() sets that before it reads this. Cleared with release:
	 * the visit's work on the tree comes before.
	 */
	struct vm *vm;
	uint64_t visit_generation; /* of its tree when the visit began */
	bool is_scanning;
	uint32_t next_record; /* of merged frames, at the end of a scan */
	uint64_t scan_start;  /* host TSC */
	struct merged_counters logged;
	bool is_in_vain;    /* memory is scarce, but the last scan has freed none; atomic */
	bool is_working;    /* atomic */
	uint64_t due;	    /* atomic: host TSC */
	uint64_t hurry_due; /* the same, of the next look whether memory is scarce */
	const void *waiter; /* atomic: the processor that wakes up for it */
} search;

void vm_merge_setup(enum merge_mode mode)
{
	struct siphash_key key;

	if (mode == MERGE_OFF)
		return;
	if (mode == MERGE_ALL) {
		random_fill(&key, sizeof(key));
		if (merge_setup(frame_total(), &key) != OK)
			log_warning("not enough memory to look for equal pages of VMs");
	}
	/* Release: other processors may be idle already. Pairs with is_on(). */
	__atomic_store_n(&search.is_on, true, __ATOMIC_RELEASE);
}

static bool has_part(const struct vm *vm)
{
	for (size_t i = 0; i < mem_map_all(vm->mem); i++)
		if (merge_takes(&vm->mem->region[i]))
			return true;
	return false;
}

/* Begin a visit, unless the VM must be left alone. Both locks are held. */
static bool visit(struct vm *vm)
{
	if (!has_part(vm) || vm_outcome(vm) != VM_RUNNING)
		return false;
	__atomic_store_n(&search.vm, vm, __ATOMIC_SEQ_CST);
	/* In this order: a debugger pauses and resumes before its first breakpoint. */
	if (__atomic_load_n(&vm->merge_paused, __ATOMIC_SEQ_CST) || vm_is_debugged(vm)) {
		__atomic_store_n(&search.vm, NULL, __ATOMIC_RELEASE);
		return false;
	}
	search.visit_generation = vm->ept.generation;
	search.merge = (struct merge){.id = vm->index};
	return true;
}

/* Visit the next VM in this scan, which goes through the list once. Both locks are held. */
static bool visit_next(void)
{
	struct vm *vm = search.is_scanning ? vms_cursor[VMS_WALK_MERGE] : vms;

	while (vm && !visit(vm))
		vm = vm->next;
	search.is_scanning = true;
	vms_cursor[VMS_WALK_MERGE] = vm ? vm->next : NULL;
	return vm != NULL;
}

/* Every VM was visited, and every processor has flushed since. Free what has no count, in steps. */
static void end_scan(uint64_t now)
{
	struct merged_counters counters = merged_count();

	if (merged_free_some(&search.next_record, RECORDS_AT_ONCE))
		return;
	if (counters.shared != search.logged.shared || counters.sharing != search.logged.sharing)
		log_debug("merge: pages_shared %lu, pages_sharing %lu, pages_scanned %lu",
			  counters.shared, counters.sharing, merge_scanned());
	__atomic_store_n(&search.is_in_vain,
			 frame_is_scarce() && counters.sharing <= search.logged.sharing,
			 __ATOMIC_RELAXED);
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
	bool has_vm;

	vms_acquire();
	lock_acquire(&search.lock);
	has_vm = visit_next();
	lock_release(&search.lock);
	lock_release(&vms_lock);
	if (!has_vm)
		end_scan(now);
	return has_vm;
}

/* The generation that all vCPUs have seen. The VM's lock is held, so the tree does not change. */
static uint64_t caught_up(const struct vm *vm)
{
	uint64_t all = vm->ept.generation;

	for (unsigned i = 0, n = vm_n_made(vm); i < n; i++) {
		const struct vcpu *vcpu = vm_vcpu(vm, i);
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
		__atomic_store_n(&search.vm, NULL, __ATOMIC_RELEASE);
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
	return __atomic_load_n(&search.is_on, __ATOMIC_ACQUIRE);
}

/* Look at so many pages. False: nothing is due, or another processor is at work. */
static bool work(uint64_t now, unsigned n_pages, bool gives_way)
{
	uint64_t n_scanned = merge_scanned();

	if (now < __atomic_load_n(&search.due, __ATOMIC_RELAXED) ||
	    __atomic_exchange_n(&search.is_working, true, __ATOMIC_ACQUIRE))
		return false;
	__atomic_store_n(&search.due, gives_way ? now + tsc_hz / 1000 * TURN_MS : now,
			 __ATOMIC_RELAXED);
	/* Ask is_on() again, because vm_merge_end() may have been called meanwhile. */
	for (unsigned i = 0; is_on() && i < 4 * n_pages && merge_scanned() - n_scanned < n_pages;
	     i++)
		if ((gives_way && sched_is_wanted(this_cpu())) || !step(now))
			break;
	/* Pairs with the exchange above: the next processor sees all stores. */
	__atomic_store_n(&search.is_working, false, __ATOMIC_RELEASE);
	return true;
}

bool vm_merge_work(void)
{
	return is_on() && work(rdtsc(), TURN_PAGES, true);
}

void vm_merge_hurry(void)
{
	uint64_t now = rdtsc();

	if (!is_on() || now < __atomic_load_n(&search.hurry_due, __ATOMIC_RELAXED))
		return;
	if (frame_is_scarce() && !__atomic_load_n(&search.is_in_vain, __ATOMIC_RELAXED))
		(void)work(now, HURRY_PAGES, false);
	else
		__atomic_store_n(&search.hurry_due, now + tsc_hz / 1000 * HURRY_LOOK_MS,
				 __ATOMIC_RELAXED);
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

/* Out of line: rare, and vm_merge_pause() is on the way of each revert. */
static __attribute__((noinline)) void end_visit(struct vm *vm)
{
	lock_acquire(&search.lock);
	if (search.vm == vm) {
		lock_acquire(&vm->lock);
		merge_forget(&search.merge, &vm->ept);
		lock_release(&vm->lock);
		__atomic_store_n(&search.vm, NULL, __ATOMIC_RELEASE);
	}
	lock_release(&search.lock);
}

void vm_merge_pause(struct vm *vm)
{
	__atomic_store_n(&vm->merge_paused, true, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&search.vm, __ATOMIC_SEQ_CST) == vm)
		end_visit(vm);
}

void vm_merge_end(void)
{
	/* Sequentially consistent: a processor that sets is_working later sees this in is_on(). */
	__atomic_store_n(&search.is_on, false, __ATOMIC_SEQ_CST);
	while (__atomic_exchange_n(&search.is_working, true, __ATOMIC_SEQ_CST))
		pause();
	merge_end();
}
