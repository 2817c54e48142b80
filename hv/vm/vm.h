/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/config/config.h"
#include "hv/devices/platform.h"
#include "hv/ept/ept.h"
#include "hv/guest/guest_memory.h"
#include "hv/guest/region.h"
#include "hv/lib/lock.h"
#include "hv/vcpu/vcpu.h"
#include "hv/vm/nvdimm_labels.h"

enum vm_outcome {
	VM_RUNNING,
	VM_ENDED_WELL,
	VM_FAILED,
	VM_FROZEN, /* a template: never runs again, see template.h */
};

/* Output that is not a whole line yet: of all that the guest writes to the console. */
#define VM_LINE_SIZE 256
struct vm_line {
	uint16_t len;
	char text[VM_LINE_SIZE];
};

/* Bytes typed at the console, on their way to a guest's UART. One writer, one reader. */
#define VM_INPUT_SIZE 128
struct vm_input {
	uint8_t data[VM_INPUT_SIZE];
	uint32_t head; /* written by the console's reader, atomically */
	uint32_t tail; /* written by the vCPU, atomically */
};

/* What is done to a VM as a whole, by the last of its vCPUs to stop; of several the last here. */
enum vm_action {
	VM_FREEZE = 1, /* it becomes a template */
	VM_REVERT = 2, /* a clone becomes again what its template was */
	VM_RESET = 4,  /* as after power-on, but for time */
	VM_END = 8,
};

/* What a clone gets a copy of, besides platform and vCPUs. A revert leaves it as it is. */
struct vm_guest {
	struct loader_state start; /* how the kernel in memory is entered */
	unsigned n_starts;
};

struct vm {
	struct lock lock; /* guards ept and memory; the scheduler's may be taken inside */
	/* Guards platform if there are several vCPUs; 'lock' may be taken inside. */
	struct lock devices_lock;
	struct vm *next, **link; /* in 'vms'; NULL: not in the list */
	unsigned index;		 /* from 0 */
	const char *name;
	const struct vm_config *config;
	struct ept ept;
	struct mem_map *mem; /* constant once running, but for its counters */
	struct guest_memory memory;
	struct vm_labels labels; /* of NVDIMMs; used by platform */
	struct vcpu *vcpu;	 /* n_vcpus of them, in the frames of this struct */
	unsigned n_vcpus;
	unsigned n_frames;	/* of this struct, with all that follows it */
	struct vcpu *only_vcpu; /* that may run; NULL: all may; atomic, see hv/run/sync.h */
	unsigned n_gathered;	/* vCPUs that stopped for an action; atomic */
	uint32_t actions;	/* enum vm_action, to be done; atomic */
	struct vm_input input;
	struct vm_line line; /* guarded by the device lock */
	bool is_paused; /* by the operator; atomic: it runs no instruction, see hv/vcpu/sched.c */
	bool is_ending; /* somebody has said how; atomic */
	enum vm_outcome outcome; /* atomic */
	struct vcpu *crashed;	 /* whose registers are said with the outcome; NULL: nobody's */
	char why[200];
	struct vm_guest guest;
	bool merge_paused; /* guarded by vm_merge.c */

	/* Of clones and templates, see template.h. */
	struct vm *template; /* it is a clone of; holds it. NULL: made from the configuration */
	uint32_t number;     /* among its template's clones */
	struct clone_config *made_for; /* NULL: not for a line of the configuration */
	char own_name[64];
	struct ept_layer *layer; /* a template's memory */
	uint64_t checksum;	 /* of it, if has_checksum */
	phys_t working_set; /* a template's: what its first clone wrote; atomic, 0: not known */
	uint32_t next_number;
	unsigned n_holds;  /* on a template, see hv/vm/hold.h; guarded by vms_lock */
	bool is_given_up;  /* a template that is not cloned again; guarded by vms_lock */
	bool has_checksum; /* a template's memory is checked against 'checksum' */

	struct platform platform; /* last: it grows with the vCPUs; these follow it, their XSAVE
				     areas them */
};

static inline struct lapic *vm_lapic(const struct vcpu *vcpu)
{
	return &vcpu->vm->platform.irqchip.lapic[vcpu->number];
}

/*
 * The VM's lock, taken for a loaded vCPU that may change the tree. memory_unlock() gives the lock
 * back, and marks the vCPU if the tree has changed: its next flush then waits for the others.
 */
struct memory_lock {
	struct vcpu *vcpu;
	uint64_t generation; /* of the tree when the lock was taken */
};

static inline struct memory_lock memory_lock(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;

	lock_acquire(&vm->lock);
	return (struct memory_lock){vcpu, vm->ept.generation};
}

static inline void memory_unlock(const struct memory_lock *held)
{
	struct vm *vm = held->vcpu->vm;

	if (vm->ept.generation != held->generation)
		held->vcpu->has_moved_on = true;
	lock_release(&vm->lock);
}

/* Make those vCPUs look at their local APICs that got something. The devices are locked. */
void vm_kick_receivers(struct vm *vm);

/* Around each use of the platform; what reaches other vCPUs by it makes them look. */
static inline void vm_lock_devices(struct vm *vm)
{
	if (vm->n_vcpus > 1)
		lock_acquire(&vm->devices_lock);
}

static inline void vm_unlock_devices(struct vm *vm)
{
	if (vm->platform.irqchip.kicked)
		vm_kick_receivers(vm);
	if (vm->n_vcpus > 1)
		lock_release(&vm->devices_lock);
}

/* All VMs that run, have ended with the configuration's, or are templates; guarded by vms_lock. */
extern struct vm *vms;
extern struct lock vms_lock; /* the scheduler's and the console's may be taken inside */

/*
 * The next VM of a walk through 'vms' that gives vms_lock back between two VMs; NULL: none.
 * vm_unlist() advances it. There is one such walk, hv/vm/merge_scan.c's. Guarded by vms_lock.
 */
extern struct vm *vms_cursor;

/* How VMs ended, machine-wide; atomic. */
struct vm_totals {
	unsigned n_made, n_ended_well, n_failed;
};
extern struct vm_totals vm_totals;

/* A number for a VM that no other has. */
unsigned vm_next_index(void);
/* What a VM made from the configuration has after all else, and its clones share. */
struct vm_shared {
	struct mem_map mem;
	struct platform_wiring wiring;
	struct cpuid_model cpuid; /* of a VM whose state was loaded */
};

/* A struct vm with its vCPUs' places, all zeros, for a VM of the configuration. NULL: no memory. */
struct vm *vm_allocate(const struct vm_config *config, struct vm_shared **ret_shared);
/* The same for a clone: no struct vm_shared, and 'platform' and what follows it is undefined. */
struct vm *vm_allocate_clone(const struct vm *template);
/* The struct, after vm_release(). */
void vm_free(struct vm *vm);
/* Out of 'vms', if it is there. vms_lock is held. */
void vm_unlist(struct vm *vm);

/* The VM with this number; NULL: it is not in the list. vms_lock is held. */
struct vm *vm_find(unsigned index);

/* Put a VM that is complete into the list, and into the scheduler's hands as well. */
void vm_list(struct vm *vm);
void vm_start(struct vm *vm);

/*
 * Have something done to the VM as a whole: all its vCPUs stop at their next entry, between two
 * instructions, and are put away. The last calls vm_gathered(). Any processor, any lock but
 * the scheduler's.
 */
void vm_gather(struct vm *vm, enum vm_action action);

/* The guest's or a processor's wish for a reset: gather for it, or end if resets are ends. */
void vm_reset(struct vm *vm);

/* The guest's end, by its own doing or its own fault: noted, and the vCPUs are gathered for it. */
void vm_end(struct vm *vm, enum vm_outcome outcome, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The same for a guest that did wrong: a report with the registers of the loaded vCPU follows. */
void vm_crash(struct vm *vm, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
