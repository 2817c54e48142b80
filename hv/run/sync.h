/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/ept/ept.h"
#include "hv/vm/vm.h"

/*
 * Synchronisation among the vCPUs of one VM. sync_*() are for VMs with several vCPUs only. A caller
 * that may wait holds no lock.
 */

/* Whether sync_enter() would let the vCPU run now. */
static inline bool sync_may_enter(const struct vcpu *vcpu)
{
	/* Acquire pairs with sync_let_others_go(): the tree is restored. */
	const struct vcpu *only = __atomic_load_n(&vcpu->vm->only_vcpu, __ATOMIC_ACQUIRE);

	return only == NULL || only == vcpu;
}

/* The vCPU runs until sync_leave(): others may wait for it. False: the vCPU must not run now. */
bool sync_enter(struct vcpu *vcpu);
void sync_leave(struct vcpu *vcpu);

/*
 * Become the only vCPU of the VM that runs, until sync_let_others_go(). False: another vCPU is the
 * only one; the caller must leave the processor, for which a request is made, and try again. For
 * the only vCPU, a further call does nothing.
 */
bool sync_stop_others(struct vcpu *vcpu);
void sync_let_others_go(struct vcpu *vcpu);

/*
 * vcpu_forget(). If this vCPU has changed the tree, the VM's other vCPUs have forgotten the old
 * translations too on return.
 */
void vcpu_flush(struct vcpu *vcpu, uint64_t generation);

/* Forget old translations if the tree has changed since this vCPU's last flush here. */
static inline void vcpu_flush_if_behind(struct vcpu *vcpu)
{
	/* Acquire pairs with the release in hv/ept/ept.c: the entries changed before. */
	uint64_t generation = __atomic_load_n(&vcpu->ept->generation, __ATOMIC_ACQUIRE);

	if (vcpu->ept_generation != generation)
		vcpu_flush(vcpu, generation);
}
