/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/vm/vm.h"

/*
 * Idle processors look for equal pages (hv/guest/merge.h): at VM_MERGE_RATE pages a second in all,
 * in one VM after the other. While memory is scarce, all processors look for them between the turns
 * of vCPUs, as long as that frees some.
 */
#define VM_MERGE_RATE 1000

/* Turn merging on, unless the mode is MERGE_OFF. Before the first VM starts. */
void vm_merge_setup(enum merge_mode mode);

/*
 * Leave the VM alone, with nothing half done, because its tree is about to be frozen, reset or
 * destroyed; and look at it again. No vCPU is in the guest. No lock is held except vms_lock. No
 * lock is taken unless this VM is being searched.
 */
void vm_merge_pause(struct vm *vm);
static inline void vm_merge_resume(struct vm *vm)
{
	/* Release: a visit that begins now sees the new tree. Pairs with visit(). */
	__atomic_store_n(&vm->merge_paused, false, __ATOMIC_RELEASE);
}

/* Turn merging off after the last VM has ended, and free its memory. */
void vm_merge_end(void);

/* Called by an idle processor: do what is due. False: nothing is. No lock is held. */
bool vm_merge_work(void);
/* Called by each processor between two turns. No lock is held. */
void vm_merge_hurry(void);
/*
 * Called by a processor that is about to wait. Returns the host TSC at which it must work;
 * UINT64_MAX: never, or another processor does. vm_merge_woke() ends the wait.
 */
uint64_t vm_merge_deadline(const struct cpu *cpu);
void vm_merge_woke(const struct cpu *cpu);
