/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exits that need little: HLT, PAUSE, XSETBV, instructions that a guest does not have, and what
 * only some processors have.
 */
#include "hv/run/exit_handlers.h"

#include "hv/host/io.h"
#include "hv/host/msr.h"
#include "hv/run/event.h"
#include "hv/vcpu/vcpu.h"
#include "hv/vm/tell.h"
#include "hv/vm/vm.h"
#include "hv/vmx/vmcs.h"

enum exit_action exit_hlt(struct vcpu *vcpu)
{
	vcpu_request(vcpu, VCPU_REQUEST_HALT);
	return EXIT_NEXT;
}

/*
 * A loop of PAUSEs: yield, because the lock holder may be waiting for this processor. Where the
 * processor does not look for loops, each PAUSE exits, and the last of a few is a loop: one that
 * yields costs its guest the slices of all others, and a short delay consists of PAUSEs too.
 */
enum exit_action exit_pause(struct vcpu *vcpu)
{
	enum { PAUSES_OF_LOOP = 4 };

	if (vcpu_has_control2(PROC2_PAUSE_LOOP) || ++vcpu->n_pauses % PAUSES_OF_LOOP == 0)
		vcpu_request(vcpu, VCPU_REQUEST_LEAVE);
	return EXIT_NEXT;
}

enum exit_action exit_undefined(struct vcpu *vcpu)
{
	vcpu_inject_exception(vcpu, VECTOR_UD);
	return EXIT_AGAIN;
}

/* INVD and WBINVD: guest memory is write-back and coherent. Nothing must be written back. */
enum exit_action exit_ignored(struct vcpu *vcpu)
{
	(void)vcpu;
	return EXIT_NEXT;
}

/* There are no performance counters. */
enum exit_action exit_rdpmc(struct vcpu *vcpu)
{
	vcpu_inject_exception_error(vcpu, VECTOR_GP, 0);
	return EXIT_AGAIN;
}

/* No calls are defined; KVM's answer to an unknown one is -1000 (KVM_ENOSYS). */
enum exit_action exit_vmcall(struct vcpu *vcpu)
{
	vcpu->regs.gpr[RAX] = (uint64_t)-1000;
	return EXIT_NEXT;
}

/* The exit comes before CPL and value are checked. SDM vol. 2, "XSETBV". */
enum exit_action exit_xsetbv(struct vcpu *vcpu)
{
	uint64_t value = (uint32_t)vcpu->regs.gpr[RAX] | vcpu->regs.gpr[RDX] << 32;
	unsigned dpl = vmcs_read(VMCS_GUEST_SS_AR) >> 5 & 3;

	if (dpl != 0 || (uint32_t)vcpu->regs.gpr[RCX] != 0 ||
	    !cpuid_xcr0_valid(vcpu->cpuid, value)) {
		vcpu_inject_exception_error(vcpu, VECTOR_GP, 0);
		return EXIT_AGAIN;
	}
	vcpu->guest.xcr0 = value;
	xsetbv(0, value);
	return EXIT_NEXT;
}

/* As in QEMU, a triple fault resets the machine. */
enum exit_action exit_triple_fault(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;

	if (vm->config->no_reboot || vm->platform.job_port.is_there) {
		vm_crash(vm, "triple fault");
		return EXIT_AGAIN;
	}
	vm_tell(vm, VM_TOLD_TRIPLE_FAULT, LOG_WARNING,
		"triple fault: the VM is reset (-no-reboot ends it with a report)");
	vm_reset(vm);
	return EXIT_AGAIN;
}

enum exit_action exit_task_switch(struct vcpu *vcpu)
{
	vm_crash(vcpu->vm, "hardware task switch to selector 0x%x is not supported",
		 (unsigned)(vmcs_read(VMCS_EXIT_QUAL) & 0xffff));
	return EXIT_AGAIN;
}

/* A locked access across cache lines or to uncached memory stalls all processors: take turns. */
enum exit_action exit_bus_lock(struct vcpu *vcpu)
{
	vcpu_request(vcpu, VCPU_REQUEST_LEAVE);
	return EXIT_AGAIN;
}

/* No instruction has ended for a while, and none might: SDM vol. 3, "Notify VM exit". */
enum exit_action exit_notify(struct vcpu *vcpu)
{
	enum { CONTEXT_INVALID = 1 << 0, NMI_UNBLOCKING = 1 << 12 };
	uint64_t qual = vmcs_read(VMCS_EXIT_QUAL);

	if (qual & CONTEXT_INVALID) {
		vm_crash(vcpu->vm, "an instruction did not end, and its state is lost");
		return EXIT_AGAIN;
	}
	if (qual & NMI_UNBLOCKING)
		vmcs_write(VMCS_GUEST_INTERRUPTIBILITY,
			   vmcs_read(VMCS_GUEST_INTERRUPTIBILITY) | BLOCKING_NMI);
	vcpu_request(vcpu, VCPU_REQUEST_LEAVE);
	return EXIT_AGAIN;
}
