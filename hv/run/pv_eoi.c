/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/run/pv_eoi.h"

#include "hv/devices/lapic_lend.h"
#include "hv/host/msr.h"
#include "hv/run/sync.h"
#include "hv/vm/vm.h"

#define PV_EOI_SET 1 /* bit 0 of the flag */

static gpa_t flag_of(const struct vcpu *vcpu)
{
	return (gpa_t){kvm_msr_area(MSR_KVM_PV_EOI_EN, vcpu->guest.kvm.eoi).gpa};
}

/* Without a frame, or memory there, the EOI exits. */
void pv_eoi_set(struct vcpu *vcpu)
{
	const uint8_t flag = PV_EOI_SET;
	struct memory_lock held;

	if (!lapic_may_lend(vcpu->lapic) || !lapic_has_in_service(vcpu->lapic))
		return;
	held = memory_lock(vcpu);
	vcpu->lapic->is_lent =
		guest_write(&vcpu->vm->memory, flag_of(vcpu), &flag, sizeof(flag)) == OK;
	memory_unlock(&held);
}

/*
 * Read the flag and clear it. ERR_NOMEM: its page was merged, for example, and no frame is free for
 * a copy; the guest may still use the flag.
 */
static enum status take_flag(struct vcpu *vcpu, uint8_t *ret)
{
	struct guest_memory *memory = &vcpu->vm->memory;
	struct memory_lock held = memory_lock(vcpu);
	const uint8_t none = 0;
	enum status status = guest_read(memory, flag_of(vcpu), ret, sizeof(*ret));

	if (status == OK && *ret & PV_EOI_SET)
		status = guest_write(memory, flag_of(vcpu), &none, sizeof(none));
	memory_unlock(&held);
	return status;
}

void pv_eoi_take_back(struct vcpu *vcpu)
{
	uint8_t flag = PV_EOI_SET;

	if (take_flag(vcpu, &flag) == ERR_NOMEM)
		return; /* it stays lent until the next time */
	vcpu->lapic->is_lent = false;
	/* No other device waits for the end of what is lent. */
	if (!(flag & PV_EOI_SET))
		(void)lapic_eoi(vcpu->lapic);
}

void pv_eoi_move(struct vcpu *vcpu, uint64_t value)
{
	vm_lock_devices(vcpu->vm);
	if (vcpu->lapic->is_lent && vcpu_shared.msr_bitmap_eoi == 0) {
		pv_eoi_take_back(vcpu);
		vcpu->lapic->is_lent = false; /* the old flag means nothing any more */
	}
	vm_unlock_devices(vcpu->vm);
	vcpu->guest.kvm.eoi = value;
	vcpu_request(vcpu, VCPU_REQUEST_EVENT);
}
