/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/monitor/still.h"

#include "hv/vcpu/sched.h"

void still_begin(struct still *still, struct vm *vm)
{
	bool runs = vm_outcome(vm) == VM_RUNNING;

	*still = (struct still){.index = vm->index, .has_to_resume = runs && !vm_is_paused(vm)};
	if (still->has_to_resume)
		vm_pause(vm, true);
}

/* The VM, unless it has ended. vms_lock is held. */
static struct vm *find(const struct still *still)
{
	struct vm *vm = vm_find(still->index);

	if (vm && (vm_outcome(vm) == VM_RUNNING ||
		   (vm_outcome(vm) == VM_FROZEN && (still->is_held || !vm->is_given_up))))
		return vm;
	return NULL;
}

bool still_look(struct still *still)
{
	struct vm *vm;

	vms_acquire();
	vm = find(still);
	if (vm && vm_outcome(vm) == VM_FROZEN)
		still->has_to_resume = false;
	if (vm && (vm_outcome(vm) == VM_FROZEN || vm_is_aside(vm)))
		still->vm = vm;
	lock_release(&vms_lock);
	return vm != NULL;
}

void still_end(struct still *still)
{
	struct vm *vm;

	vms_acquire();
	vm = find(still);
	if (vm && vm_outcome(vm) == VM_RUNNING && still->has_to_resume)
		vm_pause(vm, false);
	lock_release(&vms_lock);
	still->vm = NULL;
}
