/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a vCPU may have to do before it enters its guest: inject an event, request a window exit,
 * set the timer, halt, restart, leave.
 *
 * One event is injected per entry: first an event that an exit interrupted, then an NMI, then the
 * local APIC's interrupt. A debug exception that is pending in the VMCS goes before the latter two:
 * the entry delivers it, unless it injects something. SDM vol. 3, "Event Injection", "Delivery of
 * Pending Debug Exceptions after VM Entry".
 */
#include "hv/run/event.h"

#include "hv/host/apic.h"
#include "hv/host/cpu.h"
#include "hv/host/io.h"
#include "hv/host/msr.h"
#include "hv/lib/assert.h"
#include "hv/run/debug_exit.h"
#include "hv/run/guest_watchdog.h"
#include "hv/run/kvm_para.h"
#include "hv/run/pv_eoi.h"
#include "hv/run/step.h"
#include "hv/run/stop_for_memory.h"
#include "hv/run/virtio.h"
#include "hv/vcpu/sched.h"
#include "hv/vcpu/shadow.h"
#include "hv/vcpu/start_state.h"
#include "hv/vcpu/vcpu.h"
#include "hv/vm/build.h"
#include "hv/vm/console.h"
#include "hv/vm/serial.h"
#include "hv/vm/vm.h"
#include "hv/vm/vm_identity.h"
#include "hv/vmx/vmcs.h"

#define RFLAGS_IF BIT(9)

static bool is_nmi(uint64_t info)
{
	return (info & (INTR_VALID | INTR_TYPE)) == (INTR_VALID | INTR_TYPE_NMI);
}

/* Real mode pushes no error codes. SDM vol. 3, "VM-Entry Controls for Event Injection". */
static uint64_t error_code_bit(void)
{
	return vmcs_read(VMCS_GUEST_CR0) & CR0_PE ? INTR_HAS_ERROR_CODE : 0;
}

static void queue_exception(struct vcpu *vcpu, uint64_t info, uint32_t error)
{
	/*
	 * A second one would make a double fault; no handler raises one while another is pending.
	 */
	assert(!(vcpu->guest.event & INTR_VALID));
	/* In the flags that a fault pushes. An injection pushes the guest's flags as they are. */
	vmcs_write(VMCS_GUEST_RFLAGS, vmcs_read(VMCS_GUEST_RFLAGS) | RFLAGS_RF);
	vcpu->guest.event = info | INTR_TYPE_HARDWARE | INTR_VALID;
	vcpu->guest.event_error = error;
	vcpu_request(vcpu, VCPU_REQUEST_EVENT);
}

void vcpu_inject_exception(struct vcpu *vcpu, unsigned vector)
{
	queue_exception(vcpu, vector, 0);
}

void vcpu_inject_exception_error(struct vcpu *vcpu, unsigned vector, uint32_t error)
{
	queue_exception(vcpu, vector | error_code_bit(), error);
}

/* Delivery of an NMI starts by blocking NMIs. It will start again. */
static void unblock_nmis(void)
{
	vmcs_write(VMCS_GUEST_INTERRUPTIBILITY,
		   vmcs_read(VMCS_GUEST_INTERRUPTIBILITY) & ~BLOCKING_NMI);
}

/* SDM vol. 3, "Information for VM Exits That Occur During Event Delivery". */
void vcpu_reinject_vectored(struct vcpu *vcpu)
{
	uint64_t info = vmcs_read(VMCS_IDT_VECTORING_INFO);

	/* Bochs 2.7 reports an error code in real mode too, which an entry would refuse. */
	if (info & INTR_HAS_ERROR_CODE)
		info = (info & ~(uint64_t)INTR_HAS_ERROR_CODE) | error_code_bit();
	/* Bit 12 is undefined here and must be 0 in the entry field. */
	vcpu->guest.event = info & ~INTR_NMI_UNBLOCKING;
	if (info & INTR_HAS_ERROR_CODE)
		vcpu->guest.event_error = (uint32_t)vmcs_read(VMCS_IDT_VECTORING_ERROR);
	vcpu->guest.event_inst_len = (uint32_t)vmcs_read(VMCS_EXIT_INST_LEN);
	if (is_nmi(info))
		unblock_nmis();
	vcpu_request(vcpu, VCPU_REQUEST_EVENT);
}

void vcpu_take_back_vectored(struct vcpu *vcpu)
{
	uint64_t info = vmcs_read(VMCS_IDT_VECTORING_INFO);

	vm_lock_devices(vcpu->vm);
	if (vcpu->lapic->is_lent)
		vcpu_take_back_in_service(vcpu);
	if (is_nmi(info)) {
		unblock_nmis();
		lapic_hold_nmi(vcpu->lapic);
	} else if ((info & (INTR_VALID | INTR_TYPE)) == (INTR_VALID | INTR_TYPE_EXTERNAL)) {
		irqchip_take_back(&vcpu->vm->platform.irqchip, vcpu->lapic, info & INTR_VECTOR);
	}
	vm_unlock_devices(vcpu->vm);
}

static bool is_software_event(uint64_t info)
{
	uint64_t type = info & INTR_TYPE;

	return type == INTR_TYPE_SOFTWARE || type == INTR_TYPE_PRIVILEGED ||
	       type == INTR_TYPE_SOFT_EXC;
}

static void inject_waiting(struct vcpu *vcpu)
{
	vmcs_write(VMCS_ENTRY_INTR_INFO, vcpu->guest.event);
	if (vcpu->guest.event & INTR_HAS_ERROR_CODE)
		vmcs_write(VMCS_ENTRY_ERROR_CODE, vcpu->guest.event_error);
	if (is_software_event(vcpu->guest.event))
		vmcs_write(VMCS_ENTRY_INST_LEN, vcpu->guest.event_inst_len);
	vcpu->guest.event = 0;
}

static bool debug_exception_is_due(void)
{
	return shadow_debug_is_due(vmcs_read(VMCS_GUEST_PENDING_DEBUG),
				   vmcs_read(VMCS_GUEST_INTERRUPTIBILITY));
}

/* Inject what the local APIC has, if the guest can take it. 'nmi': an NMI is due. */
static void inject_interrupts(struct irqchip *chip, struct lapic *lapic, uint64_t blocking,
			      bool nmi)
{
	bool interrupt =
		lapic_pending_vector(lapic) >= 0 && (vmcs_read(VMCS_GUEST_RFLAGS) & RFLAGS_IF);

	if (!(nmi || interrupt) || blocking & (BLOCKING_STI | BLOCKING_MOV_SS) ||
	    debug_exception_is_due())
		return;
	if (nmi) {
		lapic->nmis_pending--;
		vmcs_write(VMCS_ENTRY_INTR_INFO, 2 | INTR_TYPE_NMI | INTR_VALID);
		return;
	}
	vmcs_write(VMCS_ENTRY_INTR_INFO,
		   irqchip_accept(chip, lapic) | INTR_TYPE_EXTERNAL | INTR_VALID);
}

/* Request an exit for when the guest can take what the local APIC has, or for the step's end. */
static void request_windows(struct vcpu *vcpu, const struct lapic *lapic, uint64_t blocking)
{
	uint32_t windows = vcpu->is_stepping
				   ? PROC_NMI_WINDOW
				   : shadow_windows(lapic->nmis_pending,
						    lapic_pending_vector(lapic) >= 0, blocking);
	uint32_t controls =
		(vcpu->guest.proc_controls & ~(PROC_INTERRUPT_WINDOW | PROC_NMI_WINDOW)) | windows;

	if (controls == vcpu->guest.proc_controls)
		return;
	vcpu->guest.proc_controls = controls;
	vmcs_write(VMCS_PROC_CONTROLS, controls);
}

static void inject(struct vcpu *vcpu, struct lapic *lapic)
{
	uint64_t blocking = vmcs_read(VMCS_GUEST_INTERRUPTIBILITY);
	uint64_t event = vcpu->guest.event;
	bool nmi = lapic->nmis_pending &&
		   lapic_nmi_is_due(lapic, blocking & BLOCKING_NMI || is_nmi(event));

	if (event & INTR_VALID) {
		inject_waiting(vcpu);
		blocking &= ~(BLOCKING_STI | BLOCKING_MOV_SS); /* the delivery ends the shadow */
	} else if (!vcpu->is_stepping) {
		inject_interrupts(&vcpu->vm->platform.irqchip, lapic, blocking, nmi);
	}
	request_windows(vcpu, lapic, blocking);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Host TSC. The deadline of a vCPU that halted on this processor ends a slice early. */
static uint64_t slice_end(const struct cpu *cpu)
{
	return earlier(cpu->slice.end, later(cpu->slice.wakes_from, sched_next_deadline(cpu)));
}

static bool steps_delivery(const struct vcpu *vcpu)
{
	return (vcpu->n_steps && !vcpu->steps_instruction) || vcpu->debug_step == DEBUG_DELIVERY;
}

/* Let the guest exit at vcpu->until. Without a preemption timer, the local APIC's timer interrupts
 * it. */
static inline void start_timer(struct vcpu *vcpu, uint64_t now)
{
	bool is_armed = vcpu_has_preemption_timer();

	if (is_armed)
		vcpu_arm_timer(vcpu, now);
	else
		host_apic_timer_set(vcpu->until);
	/* Not later, because requests may set the timer before each exit. */
	if (!is_armed || vcpu->until < now + vcpu_shared.clock_grain)
		vcpu->look_at = (uint32_t)vcpu->until;
}

/* Find out when the loop must look around again. */
static void set_timer(struct vcpu *vcpu)
{
	uint64_t now = rdtsc();

	vcpu->until = slice_end(this_cpu());
	if (vcpu->lapic->deadline != LAPIC_NO_DEADLINE || vcpu->vm->platform.extras.has_legacy)
		vcpu->until = earlier(vcpu->until, vcpu_next_deadline(vcpu));
	/* The delivery of an NMI ends its step thus, because it shuts the NMI window. */
	if (vcpu->is_stepping && steps_delivery(vcpu))
		vcpu->until = now;
	start_timer(vcpu, now);
}

void vcpu_time_is_up(struct vcpu *vcpu)
{
	vcpu_request(vcpu, VCPU_REQUEST_TIMER);
	if (rdtsc() >= slice_end(this_cpu()))
		vcpu_request(vcpu, VCPU_REQUEST_LEAVE);
}

/* Whether nothing can wake any vCPU of the VM. The devices are locked. */
static bool all_are_dead(const struct vm *vm)
{
	for (unsigned i = 0; i < vm->n_vcpus; i++) {
		const struct vcpu *vcpu = vm_vcpu(vm, i);
		const struct lapic *lapic = vcpu->lapic;

		if (!(vcpu->guest.waits_for_sipi || vcpu->guest.is_dead) || lapic->nmis_pending ||
		    lapic->init_pending || lapic->sipi_pending)
			return false;
	}
	return true;
}

/* False: the vCPU stays halted. The devices are locked. */
static bool leave_halt(struct vcpu *vcpu, const struct lapic *lapic)
{
	bool interrupts = vmcs_read(VMCS_GUEST_RFLAGS) & RFLAGS_IF;
	bool wakes = lapic->nmis_pending || (lapic_pending_vector(lapic) >= 0 && interrupts) ||
		     debug_exception_is_due();

	vcpu->guest.is_dead = !wakes && !interrupts;
	if (vcpu->guest.is_dead && all_are_dead(vcpu->vm))
		vm_end(vcpu->vm, VM_FAILED, "halted for good: HLT with interrupts disabled");
	return wakes;
}

/*
 * SDM vol. 3, "Processor State After INIT". The boot processor would run its firmware, which starts
 * everything again.
 */
static void take_init(struct vcpu *vcpu, struct lapic *lapic)
{
	if (vcpu->n_steps)
		step_end(vcpu);
	vcpu->guest.event = 0;
	vcpu->guest.is_dead = false;
	vcpu->guest.kvm = (struct kvm_msrs){0};
	lapic_init(lapic);
	if (vcpu->number == 0)
		vm_reset(vcpu->vm);
	else
		vcpu->guest.waits_for_sipi = true;
}

/* Serve INIT and SIPI. False: the vCPU waits for a SIPI. The devices are locked. */
static bool take_start_messages(struct vcpu *vcpu, struct lapic *lapic, uint32_t *requests)
{
	bool has_sipi;

	if (lapic->init_pending) {
		take_init(vcpu, lapic);
		*requests = VCPU_REQUEST_LEAVE | (*requests & VCPU_REQUEST_VIRTIO);
	}
	has_sipi = lapic->sipi_pending;
	lapic->sipi_pending = false; /* a processor that runs ignores a SIPI */
	if (!vcpu->guest.waits_for_sipi)
		return true;
	if (!has_sipi)
		return false;
	*requests &= ~(uint32_t)VCPU_REQUEST_HALT;
	vcpu->guest.waits_for_sipi = false;
	vcpu_write_sipi_state(vcpu, lapic->sipi_vector);
	if (vm_is_debugged(vcpu->vm))
		debug_start(vcpu);
	return true;
}

/* Look at input, timer and messages. False: the vCPU has nothing to run. The devices are locked. */
static bool look_around(struct vcpu *vcpu, struct lapic *lapic, uint32_t *requests)
{
	if (*requests & VCPU_REQUEST_UART) {
		*requests &= ~(uint32_t)VCPU_REQUEST_UART;
		vm_take_input(vcpu->vm);
		vm_hold_uart(vcpu->vm);
		if (vm_console_look(vcpu->vm))
			*requests |= VCPU_REQUEST_VIRTIO | VCPU_REQUEST_LEAVE;
	}
	if (*requests & VCPU_REQUEST_BUTTON)
		platform_press_power_button(&vcpu->vm->platform);
	if (*requests & VCPU_REQUEST_RESUMED && vcpu->vm->platform.extras.has_legacy)
		legacy_restart_watchdog(&vcpu->vm->platform.irqchip, vcpu_now(vcpu));
	platform_update_timers(&vcpu->vm->platform, lapic, vcpu_now(vcpu));
	if (vcpu->number == 0)
		guest_watchdog_look(vcpu->vm);
	if (!take_start_messages(vcpu, lapic, requests))
		return false;
	if (*requests & VCPU_REQUEST_HALT && !leave_halt(vcpu, lapic))
		return false;
	*requests &= ~(uint32_t)VCPU_REQUEST_HALT;
	return true;
}

/* Whether something else wants the processor or the vCPU. */
static bool is_wanted_elsewhere(const struct vcpu *vcpu)
{
	return rdtsc() >= slice_end(this_cpu()) ||
	       __atomic_load_n(&vcpu->regs.requests, __ATOMIC_RELAXED);
}

/* Leave for 'why'. 'requests' stay pending for the next run. */
static bool leave(struct vcpu *vcpu, uint32_t requests, enum vcpu_leave why, enum vcpu_leave *ret)
{
	vcpu_request(vcpu, requests);
	*ret = why;
	return false;
}

/*
 * Begin with the kernel. After a reset it is loaded again in pieces, for which the slice pays.
 * False: leave for '*ret'.
 */
static bool start(struct vcpu *vcpu, uint32_t requests, enum vcpu_leave *ret)
{
	bool is_done;

	do {
		if (vm_restart(vcpu->vm, &is_done) != OK) /* it is logged, and the VM is ending */
			return leave(vcpu, 0, VCPU_GATHERED, ret);
		if (!is_done && is_wanted_elsewhere(vcpu))
			return leave(vcpu, requests, VCPU_PREEMPTED, ret);
	} while (!is_done);
	vcpu_write_start_state(vcpu, &vcpu->vm->guest.start);
	if (vm_is_debugged(vcpu->vm)) {
		debug_renew_memory(vcpu->vm);
		debug_start(vcpu);
	}
	return true;
}

/*
 * Do the work of virtio devices, for which the slice pays. Returns the requests that stay: 0 if all
 * is done.
 */
static uint32_t work(struct vcpu *vcpu)
{
	enum status status;

	do
		status = virtio_work_some(vcpu);
	while (status == OK && !is_wanted_elsewhere(vcpu));
	return status == ERR_NOTFOUND ? 0 : VCPU_REQUEST_VIRTIO | VCPU_REQUEST_LEAVE;
}

/* False: no frame is free; the VM stops or ends. */
static bool tell_identity(struct vcpu *vcpu)
{
	enum status status;

	vm_lock_devices(vcpu->vm);
	struct memory_lock held = memory_lock(vcpu);
	status = vm_identity_tell(vcpu->vm);
	if (status == ERR_NOMEM)
		stop_for_memory(vcpu, (gpa_t){VMGENID_GPA});
	memory_unlock(&held);
	vm_unlock_devices(vcpu->vm);
	return status != ERR_NOMEM;
}

/* What is rare. False: leave for '*ret'. */
static bool start_or_work(struct vcpu *vcpu, uint32_t *requests, enum vcpu_leave *ret)
{
	if (*requests & VCPU_REQUEST_IDENTITY && !tell_identity(vcpu))
		return leave(vcpu, *requests, VCPU_PREEMPTED, ret);
	if (*requests & VCPU_REQUEST_START && !start(vcpu, *requests, ret))
		return false;
	if (*requests & VCPU_REQUEST_VIRTIO)
		*requests = (*requests & ~(uint32_t)VCPU_REQUEST_VIRTIO) | work(vcpu);
	return true;
}

static bool is_gathering(const struct vcpu *vcpu, uint32_t requests)
{
	/*
	 * Acquire pairs with vm_gather(). The request may be a remainder of an action that is done.
	 */
	return requests & VCPU_REQUEST_GATHER &&
	       __atomic_load_n(&vcpu->vm->actions, __ATOMIC_ACQUIRE);
}

static uint32_t take_requests(struct vcpu *vcpu)
{
	return __atomic_exchange_n(&vcpu->regs.requests, 0, __ATOMIC_ACQUIRE);
}

/* Before an action on the VM, which may copy its state. */
static void take_back_lent(struct vcpu *vcpu)
{
	vm_lock_devices(vcpu->vm);
	vcpu_take_back_in_service(vcpu);
	vm_unlock_devices(vcpu->vm);
}

/* A vCPU that the debugger's step has stopped leaves at once. */
static void look_at_steps(struct vcpu *vcpu, uint32_t *requests)
{
	if (vcpu->n_steps &&
	    (*requests & VCPU_REQUEST_GATHER || vcpu_is_paused(vcpu) || step_is_done(vcpu)))
		step_end(vcpu);
	if (vcpu->debug_step) {
		debug_look(vcpu);
		*requests |= take_requests(vcpu);
	}
}

/*
 * Whether there is nothing to do for these requests except to set the timer, as for most clones.
 * Without the lock of the devices: an event that another processor adds comes with a request.
 */
static inline __attribute__((always_inline)) bool is_calm(const struct vcpu *vcpu,
							  uint32_t requests)
{
	const struct vcpu_guest *guest = &vcpu->guest;
	const struct lapic *lapic = vcpu->lapic;

	return !(requests & ~(uint32_t)(VCPU_REQUEST_EVENT | VCPU_REQUEST_TIMER)) &&
	       !vcpu->is_stepping && !(guest->event & INTR_VALID) && !guest->waits_for_sipi &&
	       !(guest->proc_controls & (PROC_INTERRUPT_WINDOW | PROC_NMI_WINDOW)) &&
	       !lapic_has_event(lapic) && !lapic->is_lent && lapic->deadline == LAPIC_NO_DEADLINE &&
	       !virtual_apic_is_involved(vcpu) && !vcpu->vm->platform.extras.has_legacy &&
	       !kvm_msrs_are_busy(&guest->kvm);
}

static void request_copied(struct vcpu *vcpu)
{
	vcpu_request(vcpu, vcpu_requests_of_copy(vcpu->saved_in));
}

/* Not for good where the clock is renewed once the template is older. */
static __attribute__((noinline)) void find_out_calm(struct vcpu *vcpu)
{
	bool calm = is_calm(vcpu, vcpu_requests_of_copy(vcpu->saved_in));

	vcpu->begins_calm = calm && !(vcpu->guest.kvm.system_time & KVM_MSR_ENABLED);
	if (!calm)
		request_copied(vcpu);
}

void vcpu_begin_again(struct vcpu *vcpu)
{
	if (!vcpu->begins_calm)
		find_out_calm(vcpu);
	else if (virtual_apic_is_involved(vcpu))
		request_copied(vcpu);
}

static __attribute__((noinline)) bool serve(struct vcpu *vcpu, uint32_t requests,
					    enum vcpu_leave *ret)
{
	struct vm *vm = vcpu->vm;
	struct lapic *lapic = vcpu->lapic;
	bool runs;

	if (lapic->is_lent)
		take_back_lent(vcpu);
	if (vcpu->is_stepping)
		look_at_steps(vcpu, &requests);
	if (is_gathering(vcpu, requests))
		return leave(vcpu, requests & ~(uint32_t)VCPU_REQUEST_GATHER, VCPU_GATHERED, ret);
	if (requests & (VCPU_REQUEST_START | VCPU_REQUEST_VIRTIO | VCPU_REQUEST_IDENTITY) &&
	    !start_or_work(vcpu, &requests, ret))
		return false;
	if (requests & VCPU_REQUEST_RESUMED)
		kvm_msrs_renew_clock(&vcpu->guest.kvm);
	if (!kvm_para_enter(vcpu))
		requests |= VCPU_REQUEST_LEAVE;
	vm_lock_devices(vm);
	runs = look_around(vcpu, lapic, &requests);
	if (runs && !(requests & VCPU_REQUEST_LEAVE)) {
		inject(vcpu, lapic);
		virtual_apic_lend(vcpu);
		pv_eoi_lend(vcpu);
	}
	vm_unlock_devices(vm);
	if (!runs)
		return leave(vcpu, VCPU_REQUEST_HALT | (requests & VCPU_REQUEST_VIRTIO),
			     VCPU_HALTED, ret);
	if (requests & VCPU_REQUEST_LEAVE)
		return leave(vcpu, requests & ~(uint32_t)VCPU_REQUEST_LEAVE, VCPU_PREEMPTED, ret);
	set_timer(vcpu);
	if (vcpu->is_stepping)
		vcpu_request(vcpu, VCPU_REQUEST_EVENT); /* the next exit comes back here */
	return true;
}

bool vcpu_service(struct vcpu *vcpu, enum vcpu_leave *ret)
{
	uint32_t requests = take_requests(vcpu);

	if (!is_calm(vcpu, requests))
		return serve(vcpu, requests, ret);
	vcpu->until = slice_end(this_cpu());
	start_timer(vcpu, rdtsc());
	return true;
}
