/* SPDX-License-Identifier: BSD-2-Clause */
/* RDMSR and WRMSR of the MSRs that msr_bitmap_init() does not let through. */
#include "hv/run/exit_handlers.h"

#include "hv/devices/lapic.h"
#include "hv/host/io.h"
#include "hv/host/msr.h"
#include "hv/run/event.h"
#include "hv/run/kvm_para.h"
#include "hv/run/pv_eoi.h"
#include "hv/vcpu/speculation.h"
#include "hv/vcpu/vcpu.h"
#include "hv/vm/vm.h"
#include "hv/vmx/vmcs.h"

static bool is_lapic_msr(uint32_t msr)
{
	return msr == IA32_APIC_BASE || msr == IA32_TSC_DEADLINE ||
	       (msr >= IA32_X2APIC_FIRST && msr <= IA32_X2APIC_LAST);
}

/* The access may read or change what is in service. The next entry lends it again. */
static void take_back_lent(struct vcpu *vcpu)
{
	if (!vcpu->lapic->is_lent)
		return;
	vcpu_take_back_in_service(vcpu);
	vcpu_request(vcpu, VCPU_REQUEST_EVENT);
}

static bool read_lapic(struct vcpu *vcpu, uint32_t msr, uint64_t *ret)
{
	bool ok;

	vm_lock_devices(vcpu->vm);
	take_back_lent(vcpu);
	ok = irqchip_msr_read(&vcpu->vm->platform.irqchip, vcpu->lapic, msr, ret, vcpu_now(vcpu));
	vm_unlock_devices(vcpu->vm);
	return ok;
}

static bool write_lapic(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
	struct lapic *lapic = vcpu->lapic;
	bool ok;

	vm_lock_devices(vcpu->vm);
	take_back_lent(vcpu);
	ok = irqchip_msr_write(&vcpu->vm->platform.irqchip, lapic, msr, value, vcpu_now(vcpu));
	/* The write may have raised an interrupt. */
	vcpu_request(vcpu, VCPU_REQUEST_TIMER | (lapic_has_event(lapic) ? VCPU_REQUEST_EVENT : 0));
	vm_unlock_devices(vcpu->vm);
	return ok;
}

/* Not in a VM whose saved state is of a version without it. */
static bool has_tsc_adjust(const struct vcpu *vcpu)
{
	return vcpu->cpuid->basic[7].ebx & CPUID_7_EBX_TSC_ADJUST;
}

static bool read_msr(struct vcpu *vcpu, uint32_t msr, uint64_t *ret)
{
	if (is_lapic_msr(msr))
		return read_lapic(vcpu, msr, ret);
	if (msr == IA32_EFER) {
		*ret = vmcs_read(VMCS_GUEST_EFER);
		return true;
	}
	if (msr == IA32_TSC_ADJUST && has_tsc_adjust(vcpu)) {
		*ret = vcpu->guest.tsc_adjust;
		return true;
	}
	return guest_msr_read(vcpu_msrs(vcpu), msr, ret) || speculation_read_msr(vcpu, msr, ret) ||
	       kvm_para_read_msr(vcpu, msr, ret);
}

enum exit_action exit_msr_read(struct vcpu *vcpu)
{
	uint64_t value;

	if (!read_msr(vcpu, (uint32_t)vcpu->regs.gpr[RCX], &value)) {
		vcpu_inject_exception_error(vcpu, VECTOR_GP, 0);
		return EXIT_AGAIN;
	}
	vcpu->regs.gpr[RAX] = (uint32_t)value;
	vcpu->regs.gpr[RDX] = value >> 32;
	return EXIT_NEXT;
}

/* The processor owns LMA. LME may not change while paging is on. SDM vol. 3, "IA32_EFER MSR". */
static bool write_efer(const struct vcpu *vcpu, uint64_t value)
{
	uint64_t old = vmcs_read(VMCS_GUEST_EFER);

	if (value & ~vcpu->cpuid->efer_allowed)
		return false;
	if (((old ^ value) & EFER_LME) && (vmcs_read(VMCS_GUEST_CR0) & CR0_PG))
		return false;
	vmcs_write(VMCS_GUEST_EFER, (value & ~EFER_LMA) | (old & EFER_LMA));
	return true;
}

/* SDM vol. 3, "IA32_TSC_ADJUST": a write to one of the two MSRs moves both by as much. */
static bool move_tsc(struct vcpu *vcpu, uint64_t by)
{
	vcpu->guest.tsc_offset += by;
	vcpu->guest.tsc_adjust += by;
	vmcs_write(VMCS_TSC_OFFSET, vcpu->guest.tsc_offset);
	vm_lock_devices(vcpu->vm);
	platform_move_tsc(&vcpu->vm->platform, vcpu->lapic, by, vcpu_now(vcpu));
	vm_unlock_devices(vcpu->vm);
	vcpu_request(vcpu, VCPU_REQUEST_TIMER);
	kvm_para_tsc_moved(vcpu);
	return true;
}

static bool write_msr(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
	if (is_lapic_msr(msr))
		return write_lapic(vcpu, msr, value);
	if (msr == IA32_EFER)
		return write_efer(vcpu, value);
	if (msr == IA32_TIME_STAMP_COUNTER)
		return move_tsc(vcpu, value - vcpu_now(vcpu));
	if (msr == IA32_TSC_ADJUST && has_tsc_adjust(vcpu))
		return move_tsc(vcpu, value - vcpu->guest.tsc_adjust);
	return guest_msr_write(vcpu_own_msrs(vcpu), msr, value) ||
	       speculation_write_msr(vcpu, msr, value);
}

/* An MSR of KVM's, or none. */
static enum exit_action write_rare(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
	switch (kvm_para_write_msr(vcpu, msr, value)) {
	case OK:
		return EXIT_NEXT;
	case ERR_NOMEM:
		return EXIT_AGAIN;
	default:
		vcpu_inject_exception_error(vcpu, VECTOR_GP, 0);
		return EXIT_AGAIN;
	}
}

enum exit_action exit_msr_write(struct vcpu *vcpu)
{
	uint64_t *gpr = vcpu->regs.gpr, value = (uint32_t)gpr[RAX] | gpr[RDX] << 32;
	uint32_t msr = (uint32_t)gpr[RCX];

	return write_msr(vcpu, msr, value) ? EXIT_NEXT : write_rare(vcpu, msr, value);
}
