/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/vcpu/forget.h"

#include "hv/ept/ept.h"
#include "hv/host/cpu.h"
#include "hv/vcpu/vcpu.h"
#include "hv/vmx/vmcs.h"

/* The layer with that root on which the tree runs; NULL: the root is the tree's own. */
static const struct ept_layer *layer_with(const struct ept *ept, phys_t root)
{
	return ept->base && ept->base->root == root ? ept->base : NULL;
}

void vcpu_forget(struct vcpu *vcpu, uint64_t generation)
{
	phys_t root = vcpu->ept->root; /* once: another vCPU may give the tree a root of its own */
	const struct ept_layer *layer = layer_with(vcpu->ept, root);
	struct cpu *cpu = this_cpu();

	vmcs_write(VMCS_EPTP, vmx_eptp(root));
	if (layer == NULL || layer->serial != cpu->clean_layer) {
		vmx_flush_ept(&vcpu_shared.capability, vmx_eptp(root));
		if (layer)
			cpu->clean_layer = layer->serial;
	}
	/* Release: the old translations are gone. Pairs with is_behind() in hv/run/sync.c. */
	__atomic_store_n(&vcpu->ept_generation, generation, __ATOMIC_RELEASE);
}

void vcpu_distrust(struct vcpu *vcpu)
{
	this_cpu()->clean_layer = 0;
	vcpu->ept_generation = 0;
}
