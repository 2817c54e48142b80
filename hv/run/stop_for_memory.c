/* SPDX-License-Identifier: BSD-2-Clause */
/* -on-full end|pause. */
#include "hv/run/stop_for_memory.h"

#include "hv/vcpu/vcpu.h"
#include "hv/vm/map.h"
#include "hv/vm/news.h"
#include "hv/vm/tell.h"
#include "hv/vm/vm.h"

void stop_for_memory(struct vcpu *vcpu, gpa_t gpa)
{
	struct vm *vm = vcpu->vm;
	bool is_own_ceiling = vm->ept.n_owned >= vm->ept.max_owned;
	const char *why =
		is_own_ceiling ? "its max-private is used up" : "no memory left for private pages";

	/*
	 * A job that stopped would have no end. Its results do not say where it was: that depends
	 * on what ran before.
	 */
	if (vm->platform.job_port.is_there) {
		if (vm_end(vm, VM_FAILED, "%s", why))
			map_note_memory(vm);
		return;
	}
	if (!vm->config->pauses_when_full) {
		vm_crash(vm, "%s, at 0x%lx", why, gpa.raw);
		return;
	}
	if (vm_is_paused(vm))
		return; /* another vCPU has told it */
	vm_tell(vm, VM_TOLD_PAUSED, LOG_WARNING, "paused: %s, at 0x%lx; %s", why, gpa.raw,
		is_own_ceiling ? "'revert' it, or 'destroy' it"
			       : "'destroy' a VM, then 'cont' this one");
	vm_tell_news(vm, NEWS_MEMORY_FULL, "");
	vm_pause(vm, true);
}
