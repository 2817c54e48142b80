/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/devices/lapic_lend.h"
#include "hv/host/cpu.h"
#include "hv/vcpu/vcpu.h"

/*
 * EOI without an exit, and accesses to TPR and CR8 where the guest uses them, where all processors
 * have "use TPR shadow", "virtualize x2APIC mode" and "virtual-interrupt delivery". Each processor
 * has one virtual-APIC page. The loaded vCPU's interrupts in service are in it while its guest runs
 * (hv/devices/lapic_lend.h), and in its struct lapic at all other times. So they are copied, saved
 * and shown as without it.
 *
 * Stencil injects interrupts itself, as without it: RVI stays 0. The processor's own delivery would
 * save the exit for an interrupt window only, and Bochs 2.7 delivers a virtual interrupt while
 * RFLAGS.IF is 0 if one of the host's arrives. An EOI that could let an interrupt through exits.
 */

/* virtual_apic_lend(), where the APIC or the VMCS is not as an xAPIC leaves it. */
void virtual_apic_lend_x2apic(struct vcpu *vcpu);

static inline bool virtual_apic_is_involved(const struct vcpu *vcpu)
{
	return lapic_is_x2apic(vcpu->lapic) || vcpu->lapic->uses_tpr ||
	       this_cpu()->msr_bitmap != vcpu_shared.msr_bitmap;
}

/*
 * The vCPU is about to enter its guest, and nothing more happens to its local APIC before. The
 * devices are locked.
 */
static inline void virtual_apic_lend(struct vcpu *vcpu)
{
	if (virtual_apic_is_involved(vcpu))
		virtual_apic_lend_x2apic(vcpu);
}

/* The guest has exited, and 'lapic' is lent. The devices are locked. */
void virtual_apic_take_back(struct lapic *lapic);
