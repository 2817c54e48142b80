/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/vm/vm.h"

/*
 * Called for each vCPU that has left with VCPU_GATHERED and was put away. The last call does the
 * VM's pending action. If the VM resumes, all its vCPUs are ready afterwards; otherwise they are
 * gone, and the VM may be freed.
 */
void vm_gathered(struct vm *vm);

/*
 * Do the pending action for a loaded vCPU without putting it away: a revert, in a VM with one vCPU.
 * False: not possible, the vCPU must leave.
 */
bool vm_act_alone(struct vcpu *vcpu);
