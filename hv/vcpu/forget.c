/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/vcpu/forget.h"

#include "hv/ept/ept.h"
#include "hv/host/cpu.h"
#include "hv/vcpu/vcpu.h"
#include "hv/vmx/vmcs.h"

/* Release: the old translations are gone. Pairs with is_behind() in hv/run/sync.c. */
static void note(struct vcpu *vcpu, uint64_t generation)
{
	__atomic_store_n(&vcpu->ept_generation, generation, __ATOMIC_RELEASE);
}

/* The tree runs on the layer's root. Out of line, because most flushes are of a tree's own root. */
static __attribute__((noinline)) void forget_layer(struct vcpu *vcpu, uint64_t generation,
						   const struct ept_layer *layer)
{
	struct cpu *cpu = this_cpu();

	if (layer->serial != cpu->clean_layer) {
		vmx_flush_ept(&vcpu_shared.capability, vmx_eptp(layer->root));
		cpu->clean_layer = layer->serial;
	}
	note(vcpu, generation);
}

void vcpu_forget(struct vcpu *vcpu, uint64_t generation)
{
	phys_t root = vcpu->ept->root; /* once: another vCPU may give the tree a root of its own */
	const struct ept_layer *layer = vcpu->ept->base;

	vmcs_write(VMCS_EPTP, vmx_eptp(root));
	if (layer != NULL && layer->root == root) {
		forget_layer(vcpu, generation, layer);
		return;
	}
	vmx_flush_ept(&vcpu_shared.capability, vmx_eptp(root));
	note(vcpu, generation);
}

void vcpu_distrust(struct vcpu *vcpu)
{
	this_cpu()->clean_layer = 0;
	vcpu->ept_generation = 0;
}
