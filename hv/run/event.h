/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

struct vcpu;

/* Why vcpu_run() came back. */
enum vcpu_leave {
	VCPU_PREEMPTED, /* wants to go on */
	VCPU_HALTED,	/* until vcpu_next_deadline(), or a kick */
	VCPU_GATHERED,	/* does not run until vm_gathered() has been done */
};

/* What happens before an entry when there are requests. False: leave, '*ret' says
 * why. */
bool vcpu_service(struct vcpu *vcpu, enum vcpu_leave *ret);
/* Inject an exception; the instruction at RIP is the one that faults. */
void vcpu_inject_exception(struct vcpu *vcpu, unsigned vector);
void vcpu_inject_exception_error(struct vcpu *vcpu, unsigned vector, uint32_t error);
/* After an exit that may have interrupted the delivery of an event: deliver it again. */
void vcpu_reinject_vectored(struct vcpu *vcpu);
void vcpu_set_proc_control(struct vcpu *vcpu, uint32_t bit, bool on);
