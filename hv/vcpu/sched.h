/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

struct cpu;
struct vcpu;
struct vm;

/*
 * Shares the processors among the vCPUs: round robin, one queue for all. A vCPU
 * that waits costs nothing; who waits for a time is woken then, whoever is kicked at once.
 */

/* Make a VM's new vCPUs ready. */
void sched_add(struct vcpu *vcpus, unsigned n);

/* The same for vCPUs that left with VCPU_GATHERED. */
void sched_make_ready(struct vcpu *vcpus, unsigned n);

/*
 * Have the vCPU look at these requests (enum vcpu_request) soon, wherever it is. Any processor, not
 * from a handler of interrupts.
 */
void sched_request(struct vcpu *vcpu, uint32_t requests);

/* Whether there is something better to do than nothing. No lock. */
bool sched_is_wanted(void);

/* Whether the vCPU is not loaded anywhere: before it enters the guest again it sees all that was
 * written before. */
bool sched_is_parked(const struct vcpu *vcpu);

/*
 * Stop the VM, whose vCPUs are set aside as soon as they are between two instructions, or let it go
 * on. sched_has_paused() tells whether all of them are aside; they stay so until they are let go,
 * or asked to stop, freeze or revert. The guest's clocks go on.
 */
void sched_pause(struct vm *vm, bool on);
bool sched_has_paused(const struct vm *vm);

/* Host TSC at which some waiting vCPU wants to run, UINT64_MAX: none. No lock. */
uint64_t sched_next_deadline(void);

/* Run vCPUs until all have stopped; returns on the boot processor only, the others wait for ever.
 */
void sched_run(struct cpu *cpu);
