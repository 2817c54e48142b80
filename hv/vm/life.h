/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/vm/vm.h"

/*
 * By the scheduler for each vCPU that has left with VCPU_GATHERED and was put away. The
 * last one does what is to be done; if the VM goes on all its vCPUs are ready then. Gives how
 * many vCPUs are no more; the VM may be no more as well.
 */
unsigned vm_gathered(struct vm *vm);

/*
 * For the loaded vCPU of a VM that has no other: do without gathering what can be done so. False:
 * it has to leave.
 */
bool vm_act_alone(struct vcpu *vcpu);
