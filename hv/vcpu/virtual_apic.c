/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/vcpu/virtual_apic.h"

#include "hv/frame/phys.h"
#include "hv/vmx/vmcs.h"

#define STATUS_SVI(vector) ((uint64_t)(vector) << 8)

static void set_cr8_exits(struct vcpu *vcpu, bool exits)
{
	const uint32_t both = PROC_CR8_LOAD | PROC_CR8_STORE;
	uint32_t old = vcpu->guest.proc_controls, controls = exits ? old | both : old & ~both;

	if (controls == old)
		return;
	vcpu->guest.proc_controls = controls;
	vmcs_write(VMCS_PROC_CONTROLS, controls);
}

static void set_msr_exits(struct cpu *cpu, phys_t bitmap)
{
	if (bitmap == cpu->msr_bitmap)
		return;
	cpu->msr_bitmap = bitmap;
	vmcs_write(VMCS_MSR_BITMAP, bitmap);
}

void virtual_apic_lend_x2apic(struct vcpu *vcpu)
{
	struct lapic *lapic = vcpu->lapic;
	struct cpu *cpu = this_cpu();
	uint8_t in_service = 0;
	bool is_free;

	if (vcpu_shared.msr_bitmap_eoi == 0)
		return;
	is_free = lapic_may_lend(lapic);
	if (is_free)
		in_service = lapic_lend(lapic, phys_to_virt(cpu->virtual_apic));
	if (in_service || cpu->has_in_service) {
		vmcs_write(VMCS_GUEST_INTERRUPT_STATUS, STATUS_SVI(in_service));
		cpu->has_in_service = in_service;
	}
	if (lapic->uses_tpr)
		set_cr8_exits(vcpu, !is_free);
	if (!is_free)
		set_msr_exits(cpu, vcpu_shared.msr_bitmap);
	else
		set_msr_exits(cpu, lapic->uses_tpr ? vcpu_shared.msr_bitmap_tpr
						   : vcpu_shared.msr_bitmap_eoi);
}

void virtual_apic_take_back(struct lapic *lapic)
{
	lapic_take_back_lent(lapic, phys_to_virt(this_cpu()->virtual_apic));
}
