/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/status.h"
#include "hv/lib/types.h"

struct vcpu;

/*
 * Begin a step, or add a page to one: what is at RIP, or the event that waits in
 * vcpu->guest.event, runs on a scratch copy of the ROM page at gpa, which 'entry' of the
 * level maps. The VM's lock is held. ERR_NOMEM: no frame; ERR_RANGE: more than
 * STEP_PAGES_MAX pages at once. Nothing has changed then.
 */
enum status step_over_rom(struct vcpu *vcpu, gpa_t gpa, uint64_t entry, unsigned level);

/* Give ROM its pages back, and RFLAGS.TF the guest's value. The VM's lock is not held. */
void step_end(struct vcpu *vcpu);

/* For an exit that is no end of a step in itself: end one whose instruction is done. */
void step_check(struct vcpu *vcpu);

/* Only RFLAGS.TF: the instruction has become the delivery of an event. */
void step_end_instruction(struct vcpu *vcpu);

/* True: the exception was the end of a step and nothing else; the guest does not see it. */
bool step_ended_by(struct vcpu *vcpu, uint64_t interruption_info);
