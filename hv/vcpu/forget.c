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

/* Out of line, so that vcpu_forget() has no registers to save. */
static __attribute__((noinline)) void flush(struct vcpu *vcpu, uint64_t generation, phys_t root)
{
	vmx_flush_ept(&vcpu_shared.capability, vmx_eptp(root));
	note(vcpu, generation);
}

void vcpu_forget(struct vcpu *vcpu, uint64_t generation)
{
	phys_t root = vcpu->ept->root; /* once: another vCPU may give the tree a root of its own */
	const struct ept_layer *layer = vcpu->ept->base;

	vmcs_write(VMCS_EPTP, vmx_eptp(root));
	if (layer == NULL || layer->root != root) {
		flush(vcpu, generation, root);
	} else if (layer->serial != this_cpu()->clean_layer) {
		this_cpu()->clean_layer = layer->serial;
		flush(vcpu, generation, root);
	} else {
		note(vcpu, generation);
	}
}

void vcpu_distrust(struct vcpu *vcpu)
{
	if (!vcpu->ept->owns_root)
		this_cpu()->clean_layer = 0;
	vcpu->ept_generation = 0;
}
