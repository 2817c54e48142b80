/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Run a virtual processor until the scheduler must decide. The loop serves pending requests, then
 * calls vmx_run(), which stays in the guest and in vmx_exited() (hv/run/exit.c) until there are
 * requests again.
 */
#include "hv/run/run.h"

#include "hv/host/io.h"
#include "hv/host/panic.h"
#include "hv/run/event.h"
#include "hv/run/sync.h"
#include "hv/vcpu/load.h"
#include "hv/vm/vm.h"
#include "hv/vmx/instruction_error.h"
#include "hv/vmx/vmcs.h"

/*
 * A control or host field is invalid. This vCPU or an earlier one may have made it so: the next one
 * gets a new VMCS.
 */
static void entry_refused(struct vcpu *vcpu, enum vmx_result result)
{
	unsigned error;

	if (result != VMX_FAIL_VALID)
		panic("VM entry refused: no current VMCS");
	error = (unsigned)vmcs_read(VMCS_INSTRUCTION_ERROR);
	vcpu_discard_vmcs(vcpu);
	vm_crash(vcpu->vm, "VM entry refused: %s (VM-instruction error %u)",
		 vmx_instruction_error(error), error);
}

static void note_first_entry(void)
{
	uint64_t none = 0;

	if (vcpu_shared.first_entry_tsc == 0)
		__atomic_compare_exchange_n(&vcpu_shared.first_entry_tsc, &none, rdtsc(), false,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

static enum vcpu_leave run(struct vcpu *vcpu)
{
	enum vcpu_leave leave;

	for (;;) {
		enum vmx_result result;

		if (__atomic_load_n(&vcpu->regs.requests, __ATOMIC_ACQUIRE) &&
		    !vcpu_service(vcpu, &leave))
			return leave;
		vcpu_flush_if_behind(vcpu);
		note_first_entry();
		result = vmx_run(&vcpu->regs);
		if (result != VMX_LEFT)
			entry_refused(vcpu, result);
	}
}

enum vcpu_leave vcpu_run(struct vcpu *vcpu)
{
	bool is_one_of_many = vcpu->vm->n_vcpus > 1;
	enum vcpu_leave leave;

	if (is_one_of_many && !sync_enter(vcpu))
		return VCPU_PREEMPTED;
	leave = run(vcpu);
	if (is_one_of_many) {
		/* vcpu_service() may have replaced pages, whose old ones the others still see. */
		vcpu_flush_if_behind(vcpu);
		sync_leave(vcpu);
	}
	return leave;
}
