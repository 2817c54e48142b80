/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/vcpu/forget.h"

#include "hv/ept/ept.h"
#include "hv/frame/phys.h"
#include "hv/host/cpu.h"
#include "hv/vcpu/vcpu.h"
#include "hv/vmx/invept.h"
#include "hv/vmx/vmcs.h"

static inline void load_eptp(struct cpu *cpu, phys_t root)
{
	cpu->eptp[0] = vmx_eptp(root);
	vmcs_write(VMCS_EPTP, cpu->eptp[0]);
}

/* The same, unless the VMCS has it: an exit of a nested hypervisor is spared. */
static inline void need_eptp(struct cpu *cpu, phys_t root)
{
	if (cpu->eptp[0] != vmx_eptp(root))
		load_eptp(cpu, root);
}

/*
 * Let the processor's own root lead to a tree. Release: the tables come before the entry that leads
 * to them. The other side is the guest's walk.
 */
static inline void load_top(struct cpu *cpu, uint64_t top)
{
	if (cpu->ept_top == top)
		return;
	__atomic_store_n((uint64_t *)phys_to_virt(cpu->ept_root), top, __ATOMIC_RELEASE);
	cpu->ept_top = top;
}

/* Use the tree as it is now. Returns whether its old translations must be flushed. */
static inline bool load_tree(struct cpu *cpu, const struct ept *ept)
{
	/*
	 * Acquire pairs with the release in move_to_root(): another vCPU may give the tree a root.
	 * Until this one has noticed, the entry leads to the same tables.
	 */
	bool owns_root = __atomic_load_n(&ept->owns_root, __ATOMIC_ACQUIRE);
	const struct ept_layer *layer = ept->base;
	uint64_t top = ept->top;

	if (owns_root) {
		need_eptp(cpu, ept->root);
		return true;
	}
	if (top & EPT_OWN) {
		load_top(cpu, top);
		need_eptp(cpu, cpu->ept_root);
		return true;
	}
	load_eptp(cpu, layer->root);
	if (layer->serial == cpu->clean_layer)
		return false;
	cpu->clean_layer = layer->serial;
	return true;
}

void vcpu_forget(struct vcpu *vcpu, uint64_t generation)
{
	struct cpu *cpu = this_cpu();

	if (load_tree(cpu, vcpu->ept))
		vmx_flush_ept(vcpu_shared.invept_type, &cpu->eptp);
	/* Release: the old translations are gone. Pairs with is_behind() in hv/run/sync.c. */
	__atomic_store_n(&vcpu->ept_generation, generation, __ATOMIC_RELEASE);
}

bool vcpu_remember(const struct vcpu *vcpu)
{
	const struct ept *ept = vcpu->ept;
	struct cpu *cpu = this_cpu();

	if (ept->owns_root || !(ept->top & EPT_OWN)) {
		need_eptp(cpu, ept->root);
		return true;
	}
	need_eptp(cpu, cpu->ept_root);
	return cpu->ept_top == ept->top;
}

void vcpu_distrust(struct vcpu *vcpu)
{
	if (!ept_owns_tables(vcpu->ept))
		this_cpu()->clean_layer = 0;
	vcpu->ept_generation = 0;
}
