/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/vm/vm.h"

/*
 * Merging (hv/guest/merge.h) on this machine: processors with nothing else to do look at
 * VM_MERGE_RATE pages a second in all, at one VM after the other.
 */
#define VM_MERGE_RATE 1000

/* Which VMs there may be: whose files nobody writes is seen from them. Before the first VM starts.
 */
void vm_merge_setup(const struct vm_config *configs);

/*
 * The VM's tree is about to be frozen, reset or destroyed: keep off, with nothing half done.
 * Resume lets it take part again. No vCPU is in the guest; no lock is held.
 */
void vm_merge_pause(struct vm *vm);
void vm_merge_resume(struct vm *vm);

/* All VMs are gone: for good, and give back what it took. */
void vm_merge_end(void);

/* By an idle processor: do what is due; false: nothing. No lock is held. */
bool vm_merge_work(void);
/*
 * Host TSC at which something will be due for the processor that is about to wait; UINT64_MAX: for
 * another, or never. vm_merge_woke() ends the wait.
 */
uint64_t vm_merge_deadline(const struct cpu *cpu);
void vm_merge_woke(const struct cpu *cpu);
