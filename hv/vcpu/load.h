/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

struct cpu;
struct vcpu;

/*
 * Load the state of a vCPU, which has an XSAVE area, into this processor, and save it again. The
 * two calls pair up.
 */
void vcpu_load(struct vcpu *vcpu, struct cpu *cpu);
void vcpu_put(struct vcpu *vcpu);
/* Like vcpu_put(), but discard the state. */
void vcpu_drop(struct vcpu *vcpu);
/*
 * A VM entry of the loaded vCPU has failed, so a field of this processor's VMCS is wrong: the next
 * vcpu_load() here writes all of them. The vCPU must leave before another entry.
 */
void vcpu_discard_vmcs(struct vcpu *vcpu);
/* No processor's VMCS may be taken for the vCPU's state any longer. The vCPU is not loaded. */
void vcpu_forget_vmcs(struct vcpu *vcpu);
/*
 * Load the saved state of a loaded vCPU again: the state in the processor is discarded, and
 * vcpu_flush_if_behind() forgets all translations. SDM vol. 3, "Operations that Invalidate Cached
 * Mappings".
 */
void vcpu_reload(struct vcpu *vcpu);

/* Zero the switched MSRs of this processor, for the loaded vCPU. */
void vcpu_clear_switched_msrs(void);
