/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A debugged VM's exits: the debugger's breakpoints and steps stop all its vCPUs.
 *
 * A step is hv/run/step.c's, without a page: the guest is entered in the shadow of MOV SS with
 * NMI-window exiting on. It sees nothing of that. Interrupts wait meanwhile.
 */
#include "hv/run/debug_exit.h"

#include "hv/guest/guest_paging.h"
#include "hv/host/io.h"
#include "hv/run/step.h"
#include "hv/vcpu/shadow.h"
#include "hv/vmx/controls.h"
#include "hv/vmx/vmcs.h"

#define DR6_HITS   UINT64_C(0xf)
#define DR6_ACCESS BIT(13)
#define DR6_STEP   BIT(14)

static void stop(struct vcpu *vcpu, enum debug_why why)
{
	debug_of(vcpu->vm)->cpu[vcpu->number].why = why;
	vm_pause(vcpu->vm, true);
}

bool debug_takes_breakpoint(struct vcpu *vcpu)
{
	uint64_t base = vcpu_in_64bit_code() ? 0 : vmcs_read(VMCS_GUEST_CS_BASE);
	struct vm *vm = vcpu->vm;
	struct guest_paging paging;
	bool is_ours;
	gpa_t gpa;

	lock_acquire(&vm->lock);
	vcpu_read_paging(&vm->memory, &paging);
	is_ours = guest_peek(&paging, base + vmcs_read(VMCS_GUEST_RIP), &gpa) == OK &&
		  debug_has_software(vm, gpa);
	lock_release(&vm->lock);
	if (is_ours)
		stop(vcpu, DEBUG_AT_SOFTWARE);
	return is_ours;
}

bool debug_takes_debug_exception(struct vcpu *vcpu, uint64_t *qual)
{
	const struct vm_debug *debug = debug_of(vcpu->vm);
	unsigned hit = 0;

	if (debug->dr7 == 0)
		return false;
	while (hit < DEBUG_HARDWARE_MAX &&
	       !(*qual & 1U << hit && debug->dr7 & DEBUG_DR7_ENABLE(hit)))
		hit++;
	/* While ours are in the processor, the guest has no breakpoints. */
	*qual &= ~DR6_HITS;
	if (hit < DEBUG_HARDWARE_MAX) {
		debug_of(vcpu->vm)->cpu[vcpu->number].hit = hit;
		stop(vcpu, DEBUG_AT_HARDWARE);
	}
	return !(*qual & (DR6_ACCESS | DR6_STEP));
}

/* The instruction has become the delivery of an event, with which the step ends. */
static void deliver(struct vcpu *vcpu)
{
	if (vcpu->debug_step == DEBUG_INSTRUCTION)
		step_set_shadow(0);
	vcpu->debug_step = DEBUG_DELIVERY;
}

static bool is_done(struct vcpu *vcpu)
{
	if (vcpu->guest.event & INTR_VALID) {
		deliver(vcpu);
		return false;
	}
	return vcpu->debug_step == DEBUG_DELIVERY ||
	       vmcs_read(VMCS_GUEST_RIP) != debug_of(vcpu->vm)->cpu[vcpu->number].rip ||
	       !(vmcs_read(VMCS_GUEST_INTERRUPTIBILITY) & BLOCKING_MOV_SS);
}

void debug_look(struct vcpu *vcpu)
{
	if (is_done(vcpu) && !vcpu_is_paused(vcpu))
		stop(vcpu, DEBUG_STEPPED);
}

void debug_start(struct vcpu *vcpu)
{
	struct vm_debug *debug = debug_of(vcpu->vm);
	struct debug_cpu *cpu = &debug->cpu[vcpu->number];

	vcpu->debug_step = 0;
	vmcs_write(VMCS_EXCEPTION_BITMAP, vmcs_read(VMCS_EXCEPTION_BITMAP) | BIT(VECTOR_BP));
	if (debug->dr7 == 0)
		return;
	*cpu = (struct debug_cpu){.dr7 = vmcs_read(VMCS_GUEST_DR7)};
	vcpu->guest.proc_controls |= (uint32_t)PROC_MOV_DR;
	vmcs_write(VMCS_PROC_CONTROLS, vcpu->guest.proc_controls);
	vmcs_write(VMCS_GUEST_DR7, debug->dr7 | DEBUG_DR7_FIXED);
	write_debug_addresses(debug->dr);
}
