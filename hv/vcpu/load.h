/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

struct cpu;
struct vcpu;

/* Make the processor's state this vCPU's, and save it again. Load and put pair up. */
void vcpu_load(struct vcpu *vcpu, struct cpu *cpu);
void vcpu_put(struct vcpu *vcpu);
/* In place of vcpu_put(), if its state is not wanted any more. */
void vcpu_drop(struct vcpu *vcpu);
/* Of a loaded one: the processor's state becomes what is saved. */
void vcpu_reload(struct vcpu *vcpu);

/* Zero this processor's switched MSRs, for the loaded vCPU. */
void vcpu_clear_switched_msrs(void);

/*
 * Make this processor forget older translations of the VM's memory than those of 'generation',
 * and use the tree's root of now.
 */
void vcpu_forget(struct vcpu *vcpu, uint64_t generation);
