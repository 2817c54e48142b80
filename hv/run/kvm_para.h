/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/status.h"
#include "hv/vcpu/vcpu.h"

/*
 * What KVM's MSRs ask for: clock and stolen time in the guest's memory. A record that is not, or no
 * longer, in memory that can be written is not kept up: the guest sees the last one.
 *
 * The clock is that of the TSC, which has one frequency and is never stopped: a record stays right
 * until the guest moves its TSC, or the VM is loaded on a machine whose TSC has another frequency.
 * It is written again when a VM that was stopped resumes, and for clones of a template that is
 * older than two seconds, because it also tells of the gap: Linux would report a soft lockup. Other
 * clones do not write it.
 */

/* False: #GP. */
bool kvm_para_read_msr(const struct vcpu *vcpu, uint32_t msr, uint64_t *ret);
/*
 * ERR_RANGE: #GP. ERR_NOMEM: no frame is free; the VM stops or ends, and the instruction has not
 * run.
 */
enum status kvm_para_write_msr(struct vcpu *vcpu, uint32_t msr, uint64_t value);

/* The guest's TSC has moved: the clock is written before the next instruction. */
void kvm_para_tsc_moved(struct vcpu *vcpu);

/* The part of kvm_para_enter() that has something to do. */
bool kvm_para_catch_up(struct vcpu *vcpu);

/*
 * The loaded vCPU is about to enter the guest, after it was away or its TSC has moved. No action on
 * the VM is pending: while a VM becomes a template, its first vCPU runs for one piece after the
 * other, and a page that it replaced meanwhile would be writable for all clones. False: there is no
 * frame; the VM stops or ends, and the vCPU must leave.
 */
static inline bool kvm_para_enter(struct vcpu *vcpu)
{
	const struct kvm_msrs *msrs = &vcpu->guest.kvm;

	return !(msrs->system_time & KVM_CLOCK_IS_BEHIND || msrs->steal_time) ||
	       kvm_para_catch_up(vcpu);
}

/* The loaded vCPU, which could run, is about to leave the processor. It is not in vcpu_run(). */
void kvm_para_preempted(struct vcpu *vcpu);
