/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

struct vcpu;

/* Why vcpu_run() returned. */
enum vcpu_leave {
	VCPU_PREEMPTED, /* could continue */
	VCPU_HALTED,	/* until vcpu_next_deadline(), or a request */
	VCPU_GATHERED,	/* must not run before vm_gathered() */
};

/* Serve all requests before a VM entry. False: do not enter but leave, for the reason '*ret'. */
bool vcpu_service(struct vcpu *vcpu, enum vcpu_leave *ret);
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
