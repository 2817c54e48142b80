/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/vcpu/saved_paging.h"

#include "hv/vcpu/vcpu.h"

void vcpu_read_saved_paging(const struct vcpu *vcpu, struct guest_memory *memory,
			    struct guest_paging *ret)
{
	const struct vmcs_guest *saved = &vcpu->saved_in->saved.vmcs;

	*ret = (struct guest_paging){
		.memory = memory,
		.cr0 = vmcs_guest_field(saved, VMCS_GUEST_CR0),
		.cr3 = vmcs_guest_field(saved, VMCS_GUEST_CR3),
		.cr4 = vmcs_guest_field(saved, VMCS_GUEST_CR4),
		.efer = vmcs_guest_field(saved, VMCS_GUEST_EFER),
	};
	for (unsigned i = 0; i < ARRAY_SIZE(ret->pdpte); i++)
		ret->pdpte[i] =
			vmcs_guest_field(saved, (enum vmcs_field)(VMCS_GUEST_PDPTE0 + 2 * i));
}
