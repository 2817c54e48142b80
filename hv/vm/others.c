/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes the vCPUs of a clone that it has begun without. */
#include "hv/host/io.h"
#include "hv/vm/vm.h"

/* What they were, if the calling processor is the one to make them; 0: now they are there. */
static uint8_t claim(struct vm *clone)
{
	for (;;) {
		uint8_t others = __atomic_load_n(&clone->others, __ATOMIC_ACQUIRE);

		if (others == 0 ||
		    (others != VM_OTHERS_MAKING &&
		     __atomic_compare_exchange_n(&clone->others, &others, VM_OTHERS_MAKING, false,
						 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)))
			return others;
		pause();
	}
}

static void make(struct vm *clone, unsigned i)
{
	struct vcpu *vcpu = vm_place_of_vcpu(clone, i);

	vcpu_create_copy(vcpu, clone, &clone->ept, irqchip_lapic(&clone->platform.irqchip, i),
			 vm_vcpu(clone->template, i));
	/* As vm_identity_make() asks the first one: any may run next. */
	if (clone->config->has_vmgenid)
		vcpu_request(vcpu, VCPU_REQUEST_IDENTITY);
}

void vm_make_others(struct vm *vm)
{
	uint8_t others = claim(vm);

	if (others == 0)
		return;
	for (unsigned i = 1; i < vm->n_vcpus; i++)
		make(vm, i);
	/*
	 * Release pairs with vm_has_others(). They run after that: who has changed the tree and
	 * sees none of them need not wait for them, see hv/run/sync.c.
	 */
	__atomic_store_n(&vm->others, 0, __ATOMIC_RELEASE);
	if (others == VM_OTHERS_STARTED)
		vm_add_vcpus(vm, 1);
}
