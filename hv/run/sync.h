/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/vcpu/vcpu.h"

/*
 * What the vCPUs of one VM owe each other while several of them run. All of it is for VMs
 * with more than one; the others never come here. No lock is held by the callers that wait.
 */

/* From here to sync_leave() the vCPU runs: others may have to wait for it. False: it must not. */
bool sync_enter(struct vcpu *vcpu);
void sync_leave(struct vcpu *vcpu);

/*
 * Be the only vCPU of the VM that runs, until sync_let_others_go(). False: another one is; this one
 * has to leave the processor, for which a request is made, and to try again. Once it is the
 * only one, a further call does nothing.
 */
bool sync_stop_others(struct vcpu *vcpu);
void sync_let_others_go(struct vcpu *vcpu);

/*
 * vcpu_forget(); if it was this vCPU which changed the tree, the VM's others have forgotten the old
 * translations as well.
 */
void vcpu_flush(struct vcpu *vcpu, uint64_t generation);

/* A processor, or a tree, that has not seen the latest translations must forget the old ones. */
static inline void vcpu_flush_if_behind(struct vcpu *vcpu)
{
	/* Acquire pairs with the release in ept.c: the entries have changed before. */
	uint64_t generation = __atomic_load_n(&vcpu->ept->generation, __ATOMIC_ACQUIRE);

	if (vcpu->ept_generation != generation)
		vcpu_flush(vcpu, generation);
}
