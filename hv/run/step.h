/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/status.h"
#include "hv/lib/types.h"

struct vcpu;

/*
 * Begin a step, or add a page to the current one: the instruction at RIP, or the event pending in
 * vcpu->guest.event, runs on a scratch page in place of the page at gpa. The VM's lock is held. On
 * an error no page was added. ERR_NOMEM: no frame. ERR_RANGE: more pages than an instruction can
 * need, or an address that no EPT maps.
 *
 * step_over_rom: on a copy of the ROM page, which 'entry' of the given level maps.
 * step_over_hole: where there is no memory, on a page of ones, as a bus reads without a device.
 * 'value' is in the aligned four bytes of gpa: a device's register, or ones.
 */
enum status step_over_rom(struct vcpu *vcpu, gpa_t gpa, uint64_t entry, unsigned level);
enum status step_over_hole(struct vcpu *vcpu, gpa_t gpa, uint32_t value);

/* Whether the instruction has run, or the delivery has ended: the step must end now. */
bool step_is_done(const struct vcpu *vcpu);

/*
 * End the step: restore the pages. If the instruction or the delivery has not run, it will
 * start again. The VM's lock is not held.
 */
void step_end(struct vcpu *vcpu);

/* In a step, the instruction has become the delivery of an event, which starts again. */
void step_deliver(struct vcpu *vcpu);

/*
 * Put the loaded vCPU's guest into the shadow of an instruction before the next one, or into none:
 * BLOCKING_STI, BLOCKING_MOV_SS or 0.
 */
void step_set_shadow(uint64_t shadow);
