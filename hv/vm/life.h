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
 * Revert the VM of a loaded vCPU, whose local APIC is not lent, without putting the vCPU away. The
 * guest continues where its template stopped, not after the instruction that exited; before that,
 * the caller requests vcpu_requests_of_copy(). False: not possible now; use vm_gather().
 */
bool vm_revert_at_once(struct vcpu *vcpu);
