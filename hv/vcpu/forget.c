/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/vcpu/forget.h"

#include "hv/ept/ept.h"
#include "hv/host/cpu.h"
#include "hv/vcpu/vcpu.h"
#include "hv/vmx/invept.h"
#include "hv/vmx/vmcs.h"

void vcpu_forget(struct vcpu *vcpu, uint64_t generation)
{
	phys_t root = vcpu->ept->root; /* once: another vCPU may give the tree a root of its own */
	const struct ept_layer *layer = vcpu->ept->base;

	vmcs_write(VMCS_EPTP, vmx_eptp(root));
	if (layer == NULL || layer->root != root) {
		vmx_flush_ept(&vcpu_shared.capability, vmx_eptp(root));
	} else if (layer->serial != this_cpu()->clean_layer) {
		this_cpu()->clean_layer = layer->serial;
		vmx_flush_ept(&vcpu_shared.capability, vmx_eptp(root));
	}
	/* Release: the old translations are gone. Pairs with is_behind() in hv/run/sync.c. */
	__atomic_store_n(&vcpu->ept_generation, generation, __ATOMIC_RELEASE);
}

void vcpu_distrust(struct vcpu *vcpu)
{
	if (!vcpu->ept->owns_root)
		this_cpu()->clean_layer = 0;
	vcpu->ept_generation = 0;
}
