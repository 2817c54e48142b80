/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/host/io.h"
#include "hv/vcpu/vcpu.h"
#include "hv/vmx/vmcs.h"

/* Why vcpu_run() returned. */
enum vcpu_leave {
	VCPU_PREEMPTED, /* could continue */
	VCPU_HALTED,	/* until vcpu_next_deadline(), or a request */
	VCPU_GATHERED,	/* must not run before vm_gathered() */
};

/* Serve all requests before a VM entry. False: do not enter but leave, for the reason '*ret'. */
bool vcpu_service(struct vcpu *vcpu, enum vcpu_leave *ret);
/*
 * Let the guest exit at vcpu->until, by the preemption timer, which exists. The timer counts only
 * while the guest runs: exits from 'look_at' on arm it again, so that it is never late by more than
 * vcpu_shared.clock_grain.
 */
static inline void vcpu_arm_timer(struct vcpu *vcpu, uint64_t now)
{
	uint64_t left = vcpu->until > now ? vcpu->until - now : 0;

	vmcs_write(VMCS_PREEMPTION_TIMER, left ? (left >> vcpu_shared.preemption_shift) + 1 : 0);
	vcpu->look_at = (uint32_t)(now + vcpu_shared.clock_grain);
}

/*
 * Whether an exit that began at 'since' may take one more element of a repeated instruction. What
 * an element costs is up to its device, so time is the bound: until the loop must look around, or
 * something is asked of the vCPU, or for half a grain, because other vCPUs may wait for a flush.
 */
static inline bool vcpu_may_repeat(const struct vcpu *vcpu, uint64_t since)
{
	uint64_t now = rdtsc();

	return now < vcpu->until && now - since < vcpu_shared.clock_grain / 2 &&
	       __atomic_load_n(&vcpu->regs.requests, __ATOMIC_RELAXED) == 0;
}

/*
 * In an exit that has reverted the vCPU: request vcpu_requests_of_copy(), unless there is nothing
 * to do for that before the guest continues. If so, it is so after each revert, because a template
 * never changes; only the processor may be another one. The timer may stay, although it may be too
 * early.
 */
void vcpu_begin_again(struct vcpu *vcpu);
/* 'until' is over: ask for what is due. */
void vcpu_time_is_up(struct vcpu *vcpu);
/* Inject an exception, raised by the instruction at RIP. */
void vcpu_inject_exception(struct vcpu *vcpu, unsigned vector);
void vcpu_inject_exception_error(struct vcpu *vcpu, unsigned vector, uint32_t error);
/* The exit has interrupted the delivery of an event, says the VMCS: deliver it again. */
void vcpu_reinject_vectored(struct vcpu *vcpu);
/*
 * After an exit for an exception that goes before the event whose delivery it interrupted: an
 * interrupt or NMI waits again. Others are lost, because their instruction raises them again.
 */
void vcpu_take_back_vectored(struct vcpu *vcpu);
