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

/*
 * Run a loaded vCPU until the scheduler has to decide. 'slice_end' (host TSC) ends
 * its turn.
 */
enum vcpu_leave vcpu_run(struct vcpu *vcpu, uint64_t slice_end);
