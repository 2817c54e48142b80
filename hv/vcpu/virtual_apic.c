/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/vcpu/virtual_apic.h"

#include "hv/frame/phys.h"
#include "hv/vmx/vmcs.h"

#define STATUS_SVI(vector) ((uint64_t)(vector) << 8)

void virtual_apic_lend_x2apic(struct lapic *lapic)
{
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
	if (is_free == cpu->eoi_is_free)
		return;
	cpu->eoi_is_free = is_free;
	vmcs_write(VMCS_MSR_BITMAP, is_free ? vcpu_shared.msr_bitmap_eoi : vcpu_shared.msr_bitmap);
}

void virtual_apic_take_back(struct lapic *lapic)
{
	lapic_take_back_lent(lapic, phys_to_virt(this_cpu()->virtual_apic));
}
