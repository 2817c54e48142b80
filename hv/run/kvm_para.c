/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Clock and stolen time of guests that know KVM. The scheduler measures how long a vCPU that could
 * run has waited; here it is told. Waits are told when they add up to a grain of the clock: a clone
 * that never waits does not copy the page of the record.
 */
#include "hv/run/kvm_para.h"

#include "hv/host/io.h"
#include "hv/host/msr.h"
#include "hv/host/tsc.h"
#include "hv/run/pv_eoi.h"
#include "hv/run/stop_for_memory.h"
#include "hv/run/sync.h"
#include "hv/vcpu/pvclock.h"
#include "hv/vm/vm.h"

bool kvm_para_read_msr(const struct vcpu *vcpu, uint32_t msr, uint64_t *ret)
{
	return kvm_msr_read(&vcpu->guest.kvm, cpuid_kvm_features(vcpu->cpuid), msr, ret);
}

/* At the guest's TSC, KVM's clock. */
static uint64_t clock_now(const struct vcpu *vcpu)
{
	uint64_t tsc = rdtsc() + vcpu->guest.tsc_offset - vcpu->guest.tsc_adjust;

	return vcpu->cpuid->clock_ns +
	       pvclock_ns(pvclock_scale(tsc_hz), tsc - vcpu->cpuid->clock_tsc);
}

static enum status write_wall(struct vcpu *vcpu, gpa_t gpa)
{
	uint64_t unix_ns = tsc_unix_ns(rdtsc()), clock = clock_now(vcpu);
	struct memory_lock held = memory_lock(vcpu);
	enum status status =
		pvclock_write_wall(&vcpu->vm->memory, gpa, unix_ns > clock ? unix_ns - clock : 0);

	if (status == ERR_NOMEM)
		stop_for_memory(vcpu, gpa);
	memory_unlock(&held);
	return status;
}

/* Whether all of the area can be written; none is in order, too. */
static bool is_writable(struct vcpu *vcpu, struct kvm_area area)
{
	struct vm *vm = vcpu->vm;
	bool is_writable;

	lock_acquire(&vm->lock);
	is_writable = area.len == 0 || guest_can_write(&vm->memory, (gpa_t){area.gpa}, area.len);
	lock_release(&vm->lock);
	return is_writable;
}

enum status kvm_para_write_msr(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
	struct kvm_msrs *msrs = &vcpu->guest.kvm;
	struct kvm_area area;

	if (!kvm_msr_check(cpuid_kvm_features(vcpu->cpuid), msr, value, &area) ||
	    !is_writable(vcpu, area))
		return ERR_RANGE;
	switch (msr) {
	case MSR_KVM_WALL_CLOCK_NEW:
		return area.len ? write_wall(vcpu, (gpa_t){area.gpa}) : OK;
	case MSR_KVM_SYSTEM_TIME_NEW:
		msrs->system_time = value;
		kvm_para_tsc_moved(vcpu);
		return OK;
	case MSR_KVM_STEAL_TIME:
		msrs->steal_time = value;
		vcpu->stolen = 0;
		return OK;
	default: /* MSR_KVM_PV_EOI_EN */
		pv_eoi_move(vcpu, value);
		return OK;
	}
}

void kvm_para_tsc_moved(struct vcpu *vcpu)
{
	if (!(vcpu->guest.kvm.system_time & KVM_MSR_ENABLED))
		return;
	kvm_msrs_renew_clock(&vcpu->guest.kvm);
	vcpu_request(vcpu, VCPU_REQUEST_TIMER); /* whose service calls kvm_para_enter() */
}

/* False: no frame is free; the VM stops or ends. */
static bool write_clock(struct vcpu *vcpu)
{
	uint64_t *msr = &vcpu->guest.kvm.system_time;
	gpa_t gpa = {kvm_msr_area(MSR_KVM_SYSTEM_TIME_NEW, *msr).gpa};
	const struct pvclock clock = {
		.tsc = vcpu->cpuid->clock_tsc + vcpu->guest.tsc_adjust,
		.ns = vcpu->cpuid->clock_ns,
		.scale = pvclock_scale(tsc_hz),
	};
	struct memory_lock held = memory_lock(vcpu);
	enum status status = pvclock_write(&vcpu->vm->memory, gpa, &clock);

	if (status == ERR_NOMEM)
		stop_for_memory(vcpu, gpa);
	else
		*msr &= ~KVM_CLOCK_IS_BEHIND;
	memory_unlock(&held);
	return status != ERR_NOMEM;
}

/* Without a frame it is told later. */
static void tell_stolen(struct vcpu *vcpu)
{
	gpa_t gpa = {kvm_msr_area(MSR_KVM_STEAL_TIME, vcpu->guest.kvm.steal_time).gpa};
	struct memory_lock held = memory_lock(vcpu);

	if (pvclock_write_steal(&vcpu->vm->memory, gpa,
				pvclock_ns(pvclock_scale(tsc_hz), vcpu->stolen)) != ERR_NOMEM) {
		vcpu->stolen = 0;
		vcpu->guest.kvm.steal_time &= ~KVM_IS_PREEMPTED;
	}
	memory_unlock(&held);
}

bool kvm_para_catch_up(struct vcpu *vcpu)
{
	const struct kvm_msrs *msrs = &vcpu->guest.kvm;

	if (msrs->system_time & KVM_CLOCK_IS_BEHIND && !write_clock(vcpu))
		return false;
	if (!(msrs->steal_time & KVM_MSR_ENABLED))
		return true;
	/* Until a clone runs for the first time, it is being made. */
	if (vcpu->saved_in != vcpu)
		vcpu->stolen = 0;
	if (msrs->steal_time & KVM_IS_PREEMPTED || vcpu->stolen >= vcpu_shared.clock_grain)
		tell_stolen(vcpu);
	return true;
}

static void tell_preempted(struct vcpu *vcpu)
{
	uint64_t *msr = &vcpu->guest.kvm.steal_time;
	gpa_t gpa = {kvm_msr_area(MSR_KVM_STEAL_TIME, *msr).gpa};
	struct memory_lock held = memory_lock(vcpu);

	if (pvclock_write_preempted(&vcpu->vm->memory, gpa) == OK)
		*msr |= KVM_IS_PREEMPTED;
	memory_unlock(&held);
}

void kvm_para_preempted(struct vcpu *vcpu)
{
	/* Only the VM's other vCPUs look at it. */
	if (!(vcpu->guest.kvm.steal_time & KVM_MSR_ENABLED) || vcpu->vm->n_vcpus == 1)
		return;
	/* As if it ran, because it may replace a page: not beside one that must be alone. */
	if (!sync_enter(vcpu))
		return;
	tell_preempted(vcpu);
	vcpu_flush_if_behind(vcpu);
	sync_leave(vcpu);
}
