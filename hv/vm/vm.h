/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/config/config.h"
#include "hv/devices/clone_name.h"
#include "hv/devices/platform.h"
#include "hv/ept/ept.h"
#include "hv/guest/guest_memory.h"
#include "hv/guest/region.h"
#include "hv/lib/lock.h"
#include "hv/vcpu/sched.h"
#include "hv/vcpu/share.h"
#include "hv/vcpu/vcpu.h"
#include "hv/vm/guest_line.h"
#include "hv/vm/news.h"
#include "hv/vm/nvdimm_labels.h"
#include "hv/vm/output_queue.h"

enum vm_outcome {
	VM_RUNNING,
	VM_ENDED_WELL,
	VM_FAILED,
	VM_FROZEN, /* a template, which never runs again: see hv/vm/template.h */
};

/* Kinds of lines that a guest can cause again and again: see hv/vm/tell.h. */
enum vm_told {
	VM_TOLD_TRIPLE_FAULT,
	VM_TOLD_CRASH_KERNEL,
	VM_TOLD_NO_TEMPLATE,
	VM_TOLD_NO_CLONE,
	VM_TOLD_ROM_DROPPED,
	VM_TOLD_PAUSED,
	VM_TOLD_WATCHDOG,
	VM_TOLD_FAILED, /* a clone */
	VM_N_TOLD,
};

/* Console output of the guest that is not a whole line yet. */
struct vm_line {
	uint16_t len;
	uint16_t source; /* see hv/vm/line_source.h */
	char text[VM_LINE_SIZE];
};

/*
 * Bytes typed at the console, on their way to the guest's UART; more wait in the host's. One
 * writer, one reader.
 */
#define VM_INPUT_SIZE 64
struct vm_input {
	uint32_t head; /* written atomically by the processor that reads the console */
	uint32_t tail; /* written atomically by the vCPU */
	uint8_t data[VM_INPUT_SIZE];
};

/*
 * What the last vCPU to stop does to the VM as a whole. Of several actions the last one listed
 * here is done, and the others are dropped.
 */
enum vm_action {
	VM_FREEZE = 1, /* make it a template */
	VM_REVERT = 2, /* make a clone what its template was */
	VM_RESET = 4,  /* to the state after power-on; the clock keeps running */
	VM_END = 8,
	VM_FREE = 16, /* it has ended, and its memory is being freed */
};

/* Whether the operator, or a debugger, asks for what a VM does: for news, and for the log. */
enum vm_by_operator {
	VM_BY_OPERATOR = 1, /* all VMs end */
	VM_BY_NAME,	    /* this VM is meant */
};

/* What a clone gets a copy of when its first reset needs it. A revert does not change it. */
struct vm_guest {
	struct loader_state start; /* how to enter the kernel in memory */
	unsigned n_starts;
	uint64_t n_loaded; /* bytes that a restart has written, see vm_restart() */
};

/* Whether a clone has its vCPUs except the first one: see vm_make_others(). */
enum vm_others {
	VM_OTHERS_LENT = 1, /* no: the template's stand for them */
	VM_OTHERS_STARTED,  /* the same, and the clone was started */
	VM_OTHERS_MAKING,
};

/* vCPUs that share a frame, and frames with others than the first ones. */
enum {
	VM_VCPUS_TOGETHER = PAGE_SIZE / sizeof(struct vcpu),
	VM_FAR_VCPUS_MAX = (TOPOLOGY_MAX_CPUS - 1) / VM_VCPUS_TOGETHER
};

/*
 * In a frame of its own. Parts that some VMs have no room for there, or that are too many, are
 * found through pointers, and each is at most a frame: so memory in pieces will do for a VM.
 */
struct vm {
	struct share share; /* first: the vCPUs find it there */
	/* Guards ept and memory. A processor's queue may be locked inside. */
	struct lock lock;
	/* Guards platform if there are several vCPUs. 'lock' may be taken inside. */
	struct lock devices_lock;
	/* If not NULL, only this vCPU may enter the guest. Atomic, see hv/run/sync.h. */
	struct vcpu *only_vcpu;
	uint32_t n_untold;	 /* lines of enum vm_told that were not logged; atomic */
	uint16_t n_gathered;	 /* vCPUs that have stopped for an action; atomic */
	uint16_t listed_on;	 /* the index, and 1, of the processor where it is new; atomic */
	uint32_t actions;	 /* enum vm_action, pending; atomic */
	uint32_t balloon_target; /* 4 KiB pages; atomic */
	enum vm_outcome outcome; /* atomic */
	bool has_new_balloon_target; /* atomic, see hv/vm/balloon.c */
	bool merge_paused;	     /* atomic, see hv/vm/merge_scan.c */
	/* Set once the outcome is decided; later outcomes are ignored. Atomic. */
	bool is_ending;
	bool is_debugged;     /* see hv/vm/debug.h; atomic */
	bool owns_guest;      /* a clone: 'guest' is filled in */
	uint8_t by_operator;  /* enum vm_by_operator, of the next reset, or the end; a hint */
	bool awaits_checksum; /* a template; guarded by vms_lock */
	uint8_t others;	      /* enum vm_others; 0: all vCPUs are there; atomic */
	unsigned index;	      /* unique, from 0 */
	/* Of a clone: the line of the configuration that asked for it, or NULL. */
	struct clone_config *made_for;
	struct ept_layer *layer;    /* a template's memory; NULL: it is none */
	struct output_queue output; /* guarded by hv/vm/output.c */

	/* From output.name on nothing is cleared in a clone: see vm_allocate_clone(). */

	/* Of templates, and cleared when a clone becomes one: see hv/vm/hold.h. */

	/* What the first clone wrote; 0: not known. Atomic. */
	phys_t working_set;
	uint32_t next_number; /* of clones; atomic */
	/* Its clones that have ended, and those of them that have failed. Atomic. */
	uint32_t n_clones_ended, n_clones_failed;
	unsigned n_holds;	   /* atomic */
	bool is_given_up;	   /* not cloned again; atomic, written under vms_lock */
	bool has_idle_others;	   /* of its vCPUs, only the first one has something to do */
	bool has_new_sum;	   /* of clones that have ended: see vm_tell_clones(); atomic */
	uint8_t n_told[VM_N_TOLD]; /* lines that were logged, also before; atomic */
	/* Of a clone: since it was made or reverted, by its guest or us. Guarded as 'platform'. */
	bool devices_changed;
	/* Of all VMs. */

	unsigned n_vcpus;
	/* The vCPU whose registers are logged with the outcome, or NULL. Set with 'why'. */
	struct vcpu *crashed;
	struct vm_labels labels; /* of a VM without a template: used by platform */

	/* In 'vms', or among the new VMs of a processor. 'link' is NULL outside the lists. */
	struct vm *next, **link;
	const char *name; /* see vm_name(); atomic */
	struct vm_config *config;
	/* The template, which this clone holds. NULL: the VM is made from the configuration. */
	struct vm *template;
	/* Changed by hv/vm/hotplug.h only. A template and its clones have one. */
	struct mem_map *mem;
	struct guest_memory memory;
	/* The first vCPU, and those that lie together with it: for others use vm_vcpu(). */
	struct vcpu *vcpu;
	struct vcpu **far_vcpus; /* pieces of VM_VCPUS_TOGETHER with the other vCPUs */
	struct ept ept;
	struct vm_guest guest; /* of a clone: after vm_own_guest() */
	struct vm_input input;
	struct vm_line line;		/* guarded by devices_lock */
	char why[88];			/* once the outcome is decided */
	char own_name[CLONE_NAME_SIZE]; /* for vm_name() */
	uint32_t number;		/* of a clone: among its template's, from 0 */

	/* Last, because its size depends on the vCPUs. */
	struct platform platform;
};

/* Any processor may decide it, see vm_end(). */
static inline enum vm_outcome vm_outcome(const struct vm *vm)
{
	return __atomic_load_n(&vm->outcome, __ATOMIC_RELAXED);
}

/* The VM whose n_told counts: a template's for its clones, of which there may be any number. */
static inline struct vm *vm_teller(struct vm *vm)
{
	return vm->template ? vm->template : vm;
}

/* The operator has acted on the VM: lines of this kind are logged again. Any processor. */
static inline void vm_tell_again(struct vm *vm, enum vm_told what)
{
	__atomic_store_n(&vm_teller(vm)->n_told[what], 0, __ATOMIC_RELAXED);
}

/* Before 'guest' is used. No vCPU runs. */
static inline void vm_own_guest(struct vm *vm)
{
	if (vm->template != NULL && !vm->owns_guest)
		vm->guest = vm->template->guest;
	vm->owns_guest = true;
}

/* Whether all vCPUs are there. Acquire pairs with vm_make_others(). */
static inline bool vm_has_others(const struct vm *vm)
{
	return __atomic_load_n(&vm->others, __ATOMIC_ACQUIRE) == 0;
}

/*
 * A clone whose template has one vCPU with something to do begins with that one: the others wait
 * for an interrupt, as they do in the template. Make them, and let them run if the clone has
 * started, or wait until another processor has done so. Any processor, with any lock held except a
 * processor's queue.
 */
void vm_make_others(struct vm *vm);

/* How many vCPUs are there, from the first one on: those that may run, or have run. */
static inline unsigned vm_n_made(const struct vm *vm)
{
	return vm_has_others(vm) ? vm->n_vcpus : 1;
}

/* The vCPU of this number, whether it was made or not. */
static inline struct vcpu *vm_place_of_vcpu(const struct vm *vm, unsigned i)
{
	if (i < VM_VCPUS_TOGETHER)
		return &vm->vcpu[i];
	return &vm->far_vcpus[i / VM_VCPUS_TOGETHER - 1][i % VM_VCPUS_TOGETHER];
}

/* The vCPU of this number. The first use of one except the first makes them. */
static inline struct vcpu *vm_vcpu(const struct vm *vm, unsigned i)
{
	if (i > 0 && !vm_has_others(vm))
		vm_make_others((struct vm *)vm);
	return vm_place_of_vcpu(vm, i);
}

/* How many vCPUs lie together from number 'first' on, the first one of a piece. */
static inline unsigned vm_n_together(const struct vm *vm, unsigned first)
{
	unsigned n = vm->n_vcpus - first;

	return n < VM_VCPUS_TOGETHER ? n : VM_VCPUS_TOGETHER;
}

/*
 * sched_add() for all vCPUs from 'first' on, which is less than VM_VCPUS_TOGETHER: the VM may end
 * as soon as the last one is added.
 */
static inline void vm_add_vcpus(struct vm *vm, unsigned first)
{
	unsigned n = vm->n_vcpus;

	sched_add(vm_place_of_vcpu(vm, first), vm_n_together(vm, 0) - first);
	for (unsigned i = VM_VCPUS_TOGETHER; i < n; i += VM_VCPUS_TOGETHER)
		sched_add(vm_place_of_vcpu(vm, i), vm_n_together(vm, i));
}

/*
 * Let a clone have itself what its template's parts have stood for, before it is frozen or saved.
 * No vCPU runs, and all have their XSAVE areas: vm_take_areas().
 */
static inline void vm_keep(struct vm *vm)
{
	vm_own_guest(vm);
	platform_keep(&vm->platform);
	for (unsigned i = 0; i < vm->n_vcpus; i++)
		vcpu_keep(vm_vcpu(vm, i));
}

/* sched_make_ready() for all vCPUs: the VM may end as soon as the last one is. */
static inline void vm_make_ready(struct vm *vm)
{
	for (unsigned i = 0, n = vm->n_vcpus; i < n; i += VM_VCPUS_TOGETHER)
		sched_make_ready(vm_vcpu(vm, i), vm_n_together(vm, i));
}

/* sched_are_aside() for all vCPUs. Those of a VM that was stopped were made. */
static inline bool vm_is_aside(const struct vm *vm)
{
	bool is_aside = vm_has_others(vm);

	for (unsigned i = 0; is_aside && i < vm->n_vcpus; i += VM_VCPUS_TOGETHER)
		is_aside &= sched_are_aside(vm_vcpu(vm, i), vm_n_together(vm, i));
	return is_aside;
}

/* Stop a VM between two instructions of each vCPU, or let it continue: see sched_pause(). */
void vm_pause(struct vm *vm, bool on);
/* Whether the VM is stopped, or about to be. Any processor. */
static inline bool vm_is_paused(const struct vm *vm)
{
	return __atomic_load_n(&vm->vcpu->is_paused, __ATOMIC_RELAXED);
}

/* Whether a debugger is attached. A vCPU of the VM, or the boot processor. */
static inline bool vm_is_debugged(const struct vm *vm)
{
	/* Acquire pairs with debug_attach(). */
	return __atomic_load_n(&vm->is_debugged, __ATOMIC_ACQUIRE);
}

/*
 * The VM's lock, taken for a loaded vCPU that may change the tree. memory_unlock() releases the
 * lock, and marks the vCPU if the tree has changed: its next flush then waits for the VM's others.
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

/* Make the vCPUs whose local APICs got an interrupt look at them. The devices are locked. */
void vm_kick_receivers(struct vm *vm);

/* Around each use of the platform. Unlocking kicks the vCPUs that got an interrupt. */
static inline void vm_lock_devices(struct vm *vm)
{
	if (vm->n_vcpus > 1)
		lock_acquire(&vm->devices_lock);
}

/* No device was changed, except for the control port. */
static inline void vm_unlock_devices_unchanged(struct vm *vm)
{
	if (vm->platform.irqchip.kicked)
		vm_kick_receivers(vm);
	if (vm->n_vcpus > 1)
		lock_release(&vm->devices_lock);
}

static inline void vm_unlock_devices(struct vm *vm)
{
	vm->devices_changed = true;
	vm_unlock_devices_unchanged(vm);
}

/* All VMs that run, and all templates, by index. Guarded by vms_lock: see vms_acquire(). */
extern struct vm *vms;
/* A processor's queue and the console may be locked inside. */
extern struct lock vms_lock;

/* Take what is new on all processors into 'vms'. vms_lock is held. */
void vms_gather(void);

/* Lock vms_lock, to look for VMs: all that were listed before are in 'vms'. */
static inline void vms_acquire(void)
{
	lock_acquire(&vms_lock);
	vms_gather();
}

/*
 * The next VM of each walk through 'vms' that releases vms_lock between two VMs; NULL: none.
 * vm_unlist() advances them. Guarded by vms_lock.
 */
enum vms_walk {
	VMS_WALK_MERGE,	  /* hv/vm/merge_scan.c */
	VMS_WALK_MONITOR, /* hv/monitor/answer.c */
	VMS_WALK_QMP,	  /* hv/qmp/qmp_vm.c */
	VMS_WALK_GDB,	  /* hv/gdb/target.c */
	VMS_WALK_STATUS,  /* hv/monitor/status_look.c */
	N_VMS_WALKS
};
extern struct vm *vms_cursor[N_VMS_WALKS];

/* How many VMs were made, and how they ended. Atomic. */
struct vm_totals {
	unsigned n_made, n_ended_well, n_failed;
};
extern struct vm_totals vm_totals;
extern unsigned vm_n_indices; /* that were given out; atomic */

/* A number that no other VM has. */
static inline unsigned vm_next_index(void)
{
	return __atomic_fetch_add(&vm_n_indices, 1, __ATOMIC_RELAXED);
}

/*
 * The VM's name, as long as the VM is there. Most clones' names are made when they are first asked
 * for: many clones end without that. Any processor, while the clone holds its template.
 */
const char *vm_name(const struct vm *vm);

/* news_tell() about the VM. */
static inline void vm_tell_news(const struct vm *vm, enum news_kind kind, const char *text)
{
	if (news_are_heard())
		news_tell(vm_name(vm), kind, text);
}

/* Of a VM that is made from the configuration. Its clones share it. */
struct vm_shared {
	struct mem_map mem; /* first: the VM's 'mem' */
	struct platform_wiring wiring;
	struct cpuid_model cpuid; /* of a VM that is loaded, or that is shown less by -cpu */
};

/* The devices that the VM has besides those of all. */
struct platform_extras vm_extras(const struct vm_config *config);

/*
 * A struct vm, all zeros except for what leads to its parts, for a VM of the configuration. The
 * vCPUs, their XSAVE areas and the devices' parts have any contents. NULL: not enough memory.
 */
struct vm *vm_allocate(const struct vm_config *config, struct vm_shared **ret_shared);
/*
 * The same for a clone: without struct vm_shared, and without XSAVE areas, except where there is
 * room anyway: vm_take_area(); 'output.name' and what follows it are undefined, too,
 * except that there is neither input nor a line of output. A clone takes single frames only.
 */
struct vm *vm_allocate_clone(struct vm *template);
/*
 * Before a clone's vCPU that has no XSAVE area is loaded: give it one. Any processor. False: no
 * frame is left for it.
 */
bool vm_take_area(struct vcpu *vcpu);
/* The same for all vCPUs of a VM. False: some may have got one. */
bool vm_take_areas(struct vm *vm);
/* Free the struct, after vm_release(). */
void vm_free(struct vm *vm);
/* Visit all frames that vm_free() frees. */
void vm_each_frame(struct vm *vm, void (*visit)(void *context, phys_t frame), void *context);
/*
 * Lock the list where the VM is: of the new ones of a processor, which is the case of most clones
 * that end, or 'vms'. Release the lock that this returns.
 */
struct lock *vm_lock_list(const struct vm *vm);
/* Take the VM out of its list, if it is in one, which is locked. */
void vm_unlist(struct vm *vm);

/* The VM with this number; NULL: it is not in the list. vms_lock is held. */
struct vm *vm_find(unsigned index);

/* Add a complete VM to the new ones here. A clone holds its template from then on. */
void vm_list(struct vm *vm);
/* List a complete VM, and let its vCPUs run. */
void vm_start(struct vm *vm);

/*
 * Do something to the VM as a whole: all its vCPUs stop before their next VM entry, between two
 * instructions, and are put away. The last one calls vm_gathered(). On any processor, with any lock
 * held except a processor's queue.
 */
void vm_gather(struct vm *vm, enum vm_action action);

/* Reset the VM, or end it as failed if it runs a job or has the option -no-reboot. */
void vm_reset(struct vm *vm);

/*
 * The operator presses the VM's power button: the guest gets an interrupt, when it runs and
 * listens. Any processor, under vms_lock.
 */
void vm_press_power_button(struct vm *vm);
/* Before the devices of a VM whose vCPUs are aside are kept: they get the press that waits. */
void vm_deliver_press(struct vm *vm);

/*
 * End the VM, for a reason that is logged. Only the first reason counts; false: this is another
 * one. The VM is still there while the caller keeps one of its vCPUs from gathering, or holds
 * vms_lock.
 */
bool vm_end(struct vm *vm, enum vm_outcome outcome, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The same for a guest that did wrong: log the registers of the loaded vCPU, too. */
bool vm_crash(struct vm *vm, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
