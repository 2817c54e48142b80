/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/status.h"
#include "hv/lib/types.h"

struct vcpu;

/*
 * Begin a step, or add a page to the current one: the instruction at RIP, or the event pending in
 * vcpu->guest.event, runs on a scratch copy of the ROM page at gpa, which 'entry' of the given
 * level maps. The VM's lock is held. On an error nothing has changed. ERR_NOMEM: no frame.
 * ERR_RANGE: more than STEP_PAGES_MAX pages.
 */
enum status step_over_rom(struct vcpu *vcpu, gpa_t gpa, uint64_t entry, unsigned level);

/* End the step: restore the ROM pages and the guest's RFLAGS.TF. The VM's lock is not held. */
void step_end(struct vcpu *vcpu);

/* After an exit that does not end a step by itself: end the step if its instruction is done. */
void step_check(struct vcpu *vcpu);

/* Restore only RFLAGS.TF: the instruction has become the delivery of an event. */
void step_end_instruction(struct vcpu *vcpu);

/* True: the exception only ended the step, and the guest does not see it. */
bool step_ended_by(struct vcpu *vcpu, uint64_t interruption_info);
