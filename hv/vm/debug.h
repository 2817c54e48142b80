/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/status.h"
#include "hv/vm/vm.h"

/*
 * What a debugger has set in a VM. The debugger belongs to the boot processor, and changes a VM
 * only while it is stopped (sched_are_aside()): all state is in memory then. The VM's own
 * processors read what was set when it exits, and note why it stops.
 *
 * Breakpoints in memory are INT3 in pages of the VM's own, which are not merged with others'
 * meanwhile. Two linear addresses of one byte are two breakpoints. Breakpoints in debug registers
 * are in all vCPUs; the guest's own registers are kept meanwhile, it reads and writes those, and
 * they do nothing.
 */
enum { DEBUG_VMS_MAX = 8, DEBUG_SOFTWARE_MAX = 64, DEBUG_HARDWARE_MAX = 4 };

enum debug_why { DEBUG_NOTHING, DEBUG_STEPPED, DEBUG_AT_SOFTWARE, DEBUG_AT_HARDWARE };

struct debug_cpu {
	enum debug_why why; /* of the last stop */
	unsigned hit;	    /* DEBUG_AT_HARDWARE: which register */
	/* The guest's own, while the debugger's are in the processor. */
	uint64_t dr[DEBUG_HARDWARE_MAX], dr7;
	/* Where the current step began: RIP, and the guest's own blocking by STI or MOV SS. */
	uint64_t rip, blocking;
};

struct debug_software {
	uint64_t linear; /* as the debugger has named it */
	gpa_t gpa;
	uint8_t old; /* what the guest has there */
};

struct vm_debug {
	unsigned n_frames; /* of this struct */
	/* VM_RUNNING; or what the VM is now, in which nothing is set any longer. Atomic. */
	enum vm_outcome outcome;
	bool is_settled; /* since the VM has stopped */
	unsigned n_software;
	struct debug_software software[DEBUG_SOFTWARE_MAX];
	uint64_t dr[DEBUG_HARDWARE_MAX], dr7; /* the debugger's; dr7 0: it has none */
	bool stands_in[DEBUG_HARDWARE_MAX];
	struct debug_cpu cpu[]; /* by number */
};

/* What a step waits for, in vcpu->debug_step; 0: there is no step. */
enum debug_step {
	DEBUG_INSTRUCTION = 1, /* the one at RIP */
	DEBUG_DELIVERY,	       /* the event that is pending in vcpu->guest.event */
};

/* The VM's; it is attached. Boot processor, or for a vCPU of the VM. */
struct vm_debug *debug_of(const struct vm *vm);

/*
 * Attach to a VM that need not have stopped; vms_lock is held. NULL: no memory, or too many are.
 * The caller frees it with debug_free() after debug_leave(), or once its outcome is not VM_RUNNING.
 */
struct vm_debug *debug_attach(struct vm *vm);
void debug_free(struct vm_debug *debug);

/*
 * Take all back, as the VM's outcome says or, if that is VM_RUNNING, because the debugger goes. All
 * vCPUs are put away.
 */
void debug_leave(struct vm *vm, enum vm_outcome outcome);

/*
 * After a revert, which all vCPUs have been put away for: set all of it again. Breakpoints in
 * memory for which there is no frame are forgotten.
 */
void debug_renew(struct vm *vm);
/* After a reset has written to memory: the same for breakpoints there. The VM's lock is not held.
 */
void debug_renew_memory(struct vm *vm);

/* The following need a VM that has stopped. */

/* Once after it has stopped: end steps that have not come to their end, and intercept #BP. */
void debug_settle(struct vm *vm);
/* Before it resumes: forget why it has stopped. */
void debug_forget_stops(struct vm *vm);
/* Before the vCPU's state in memory is changed: it is the vCPU's own, and in no processor. */
void debug_open(struct vcpu *vcpu);
/* Let the vCPU stop after one instruction, or at the handler of an event. */
void debug_begin_step(struct vcpu *vcpu);

/*
 * Access memory within a page, as if there were no breakpoints. ERR_RANGE: not memory. Writes:
 * ERR_UNSUPPORTED: ROM. ERR_NOMEM: as guest_write().
 */
enum status debug_read(struct vm *vm, gpa_t gpa, void *buf, size_t len);
enum status debug_write(struct vm *vm, gpa_t gpa, const void *buf, size_t len);

/*
 * Once more does nothing. ERR_UNSUPPORTED: the page is ROM or shared memory, in which others would
 * see it. ERR_OVERLAP: too many. Others as debug_write().
 */
enum status debug_set_software(struct vm *vm, uint64_t linear, gpa_t gpa);
/* All with this linear address: the guest's tables may have changed since each was set. */
void debug_clear_software(struct vm *vm, uint64_t linear);
/* Whether one is there. For a vCPU of the VM, too; its lock is held. */
bool debug_has_software(const struct vm *vm, gpa_t gpa);

/* One in a register. 'rw' and 'len' are the fields of DR7: SDM vol. 3, "Debug Control Register". */
struct debug_hardware {
	uint64_t address;
	uint8_t rw, len;
	bool stands_in; /* for one in memory, which is refused there; has a register of its own */
};
/* The same errors, and ERR_UNSUPPORTED: the processor cannot hide it from the guest. */
enum status debug_set_hardware(struct vm *vm, const struct debug_hardware *breakpoint);
void debug_clear_hardware(struct vm *vm, const struct debug_hardware *breakpoint);

/* DR7's fields of register i. */
#define DEBUG_DR7_ENABLE(i)  (UINT64_C(2) << (2 * (i))) /* globally */
#define DEBUG_DR7_RW(dr7, i) ((unsigned)((dr7) >> (16 + 4 * (i))) & 3)
#define DEBUG_DR7_FIXED	     UINT64_C(0x400)
enum { DEBUG_RW_EXECUTE = 0, DEBUG_RW_WRITE = 1, DEBUG_RW_ACCESS = 3 };
