/* SPDX-License-Identifier: BSD-2-Clause */
/* -on-full end|pause. */
#include "hv/run/stop_for_memory.h"

#include "hv/lib/print.h"
#include "hv/vcpu/vcpu.h"
#include "hv/vm/map.h"
#include "hv/vm/news.h"
#include "hv/vm/tell.h"
#include "hv/vm/vm.h"

#define FREE_SOME "'destroy' a VM, then 'cont' this one"

/* 'where' is part of the message, but not of a job's result. 'remedy' is for the operator. */
static void stop(struct vm *vm, const char *why, const char *where, const char *remedy)
{
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
		vm_crash(vm, "%s%s", why, where);
		return;
	}
	if (vm_is_paused(vm))
		return; /* another vCPU has told it */
	vm_tell(vm, VM_TOLD_PAUSED, LOG_WARNING, "paused: %s%s; %s", why, where, remedy);
	vm_tell_news(vm, NEWS_MEMORY_FULL, "");
	vm_pause(vm, true);
}

void stop_for_memory(struct vcpu *vcpu, gpa_t gpa)
{
	struct vm *vm = vcpu->vm;
	char where[32];

	format(where, sizeof(where), ", at 0x%lx", gpa.raw);
	if (vm->ept.n_owned >= vm->ept.max_owned)
		stop(vm, "its max-private is used up", where, "'revert' it, or 'destroy' it");
	else
		stop(vm, "no memory left for private pages", where, FREE_SOME);
}

void stop_for_registers(struct vcpu *vcpu)
{
	stop(vcpu->vm, "no memory left for the registers of a vCPU", "", FREE_SOME);
}
