/* SPDX-License-Identifier: BSD-2-Clause */
/* Exits for events: exceptions and NMIs, the host's interrupts, windows, the preemption timer. */
#include "hv/run/exit_handlers.h"

#include "hv/host/cpu.h"
#include "hv/host/interrupt.h"
#include "hv/host/io.h"
#include "hv/host/panic.h"
#include "hv/lib/print.h"
#include "hv/run/debug_exit.h"
#include "hv/run/event.h"
#include "hv/vcpu/shadow.h"
#include "hv/vcpu/vcpu.h"
#include "hv/vm/vm.h"
#include "hv/vmx/vmcs.h"

/* The exit took #DB before the exception reached DR6. SDM vol. 3, "Exit Qualification", for #DB. */
static void reflect_debug_exception(uint64_t qual)
{
	enum { DR6_B = 0xf, DR6_FIXED = 0xffff0ff0 };

	write_dr6((read_dr6() & ~(uint64_t)DR6_B) | DR6_FIXED |
		  (qual & (DR6_B | BIT(13) | BIT(14))));
	vmcs_write(VMCS_GUEST_DR7, vmcs_read(VMCS_GUEST_DR7) & ~BIT(13)); /* general detect */
}

/* The exit has cleared the single step that a shadow demands at the next entry. */
static void keep_single_step(void)
{
	vmcs_write(VMCS_GUEST_PENDING_DEBUG,
		   shadow_pending_debug(vmcs_read(VMCS_GUEST_PENDING_DEBUG),
					vmcs_read(VMCS_GUEST_INTERRUPTIBILITY),
					vmcs_read(VMCS_GUEST_RFLAGS)));
}

/*
 * Inject an intercepted exception into the guest: #DB, #AC or its own #BP. If it interrupted the
 * delivery of another event, it is delivered first, as the processor does it.
 */
static enum exit_action reflect_exception(struct vcpu *vcpu, uint64_t info)
{
	vcpu_take_back_vectored(vcpu);
	vcpu->guest.event = info & ~INTR_NMI_UNBLOCKING;
	vcpu->guest.event_error = (uint32_t)vmcs_read(VMCS_EXIT_INTR_ERROR);
	vcpu->guest.event_inst_len = (uint32_t)vmcs_read(VMCS_EXIT_INST_LEN);
	vcpu_request(vcpu, VCPU_REQUEST_EVENT);
	return EXIT_AGAIN;
}

static enum exit_action take_debug_exception(struct vcpu *vcpu, uint64_t info)
{
	uint64_t qual = vmcs_read(VMCS_EXIT_QUAL);
	bool is_taken = vm_is_debugged(vcpu->vm) && debug_takes_debug_exception(vcpu, &qual);

	keep_single_step();
	if (is_taken)
		return EXIT_AGAIN;
	reflect_debug_exception(qual);
	return reflect_exception(vcpu, info);
}

enum exit_action exit_exception(struct vcpu *vcpu)
{
	uint64_t info = vmcs_read(VMCS_EXIT_INTR_INFO);

	if ((info & INTR_TYPE) == INTR_TYPE_NMI) {
		interrupt_handle_nmi();
		return EXIT_AGAIN;
	}
	if ((info & INTR_VECTOR) == VECTOR_MC)
		panic_machine_check();
	if ((info & INTR_VECTOR) == VECTOR_DB)
		return take_debug_exception(vcpu, info);
	/* #BP is intercepted for debuggers only. */
	if ((info & INTR_VECTOR) == VECTOR_BP && vm_is_debugged(vcpu->vm) &&
	    debug_takes_breakpoint(vcpu))
		return EXIT_AGAIN;
	return reflect_exception(vcpu, info);
}

/* The platform asks for a reset of the processor, which only its firmware can mean. */
enum exit_action exit_init(struct vcpu *vcpu)
{
	log_warning("processor %u ignores an INIT signal while %s runs", this_cpu()->index,
		    vcpu->vm->config->name);
	return EXIT_AGAIN;
}

/* Interrupts belong to the host. Their handlers only acknowledge them; the requests tell why. */
enum exit_action exit_external_interrupt(struct vcpu *vcpu)
{
	cpu_take_interrupts();
	if (!vcpu_has_preemption_timer())
		vcpu_time_is_up(vcpu); /* the local APIC's timer */
	return EXIT_AGAIN;
}

/* The guest can take a pending event now, or a step is done. */
enum exit_action exit_window(struct vcpu *vcpu)
{
	vcpu_request(vcpu, VCPU_REQUEST_EVENT);
	return EXIT_AGAIN;
}

enum exit_action exit_preemption_timer(struct vcpu *vcpu)
{
	vcpu_time_is_up(vcpu);
	return EXIT_AGAIN;
}
