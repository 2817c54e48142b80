/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/vcpu/vcpu.h"
#include "hv/vcpu/virtual_apic.h"

/*
 * EOI without an exit, where the processor cannot end an interrupt by itself
 * (hv/vcpu/virtual_apic.h) and the guest has written MSR_KVM_PV_EOI_EN. Linux,
 * Documentation/virt/kvm/x86/msr.rst. While a flag in its memory is set, the guest clears it
 * instead of writing the EOI of the interrupt with the highest vector in service. This lends that
 * interrupt as the processor's way does: on the same conditions, until the next service of the
 * vCPU.
 */

/* pv_eoi_lend(), when the guest has asked for it. */
void pv_eoi_set(struct vcpu *vcpu);

/*
 * The vCPU is about to enter its guest, and nothing more happens to its local APIC before. The
 * devices are locked.
 */
static inline void pv_eoi_lend(struct vcpu *vcpu)
{
	if (vcpu->guest.kvm.eoi & KVM_MSR_ENABLED && vcpu_shared.msr_bitmap_eoi == 0)
		pv_eoi_set(vcpu);
}

/* End the interrupt if the guest has cleared the flag, else clear it. */
void pv_eoi_take_back(struct vcpu *vcpu);

/* Use the flag that MSR_KVM_PV_EOI_EN with this value names, from the next entry on. */
void pv_eoi_move(struct vcpu *vcpu, uint64_t value);

/* The guest has exited, and its local APIC is lent, in one way or the other. The devices are
 * locked. */
static inline void vcpu_take_back_in_service(struct vcpu *vcpu)
{
	if (vcpu_shared.msr_bitmap_eoi)
		virtual_apic_take_back(vcpu->lapic);
	else
		pv_eoi_take_back(vcpu);
}
