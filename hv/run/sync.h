/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

struct vcpu;
struct vm;

/*
 * What the vCPUs of one VM owe each other while several of them run. All of it is for VMs
 * with more than one; the others never come here. No lock is held by the callers that wait.
 */

/* From here to sync_leave() the vCPU runs: others may have to wait for it. False: it must not. */
bool sync_enter(struct vcpu *vcpu);
void sync_leave(struct vcpu *vcpu);

/*
 * The vCPU has changed the VM's memory tree up to 'generation' and has itself forgotten the old
 * translations: return when no other vCPU can use them any more.
 */
void sync_others(struct vcpu *vcpu, uint64_t generation);

/*
 * Be the only vCPU of the VM that runs, until sync_let_others_go(). False: another one is; this one
 * has to leave the processor, for which a request is made, and to try again. Once it is the
 * only one, a further call does nothing.
 */
bool sync_stop_others(struct vcpu *vcpu);
void sync_let_others_go(struct vcpu *vcpu);
