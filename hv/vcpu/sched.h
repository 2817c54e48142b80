/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

struct cpu;
struct vcpu;

/*
 * Which vCPU runs next: one ready queue for all processors, round robin, and the deadlines of
 * halted vCPUs. A vCPU is loaded on a processor or parked (ready, halted or set aside). Its state
 * is saved completely before it is parked, so that any processor may load it next.
 */

/* Count a VM's new vCPUs, and make them ready. */
void sched_add(struct vcpu *vcpus, unsigned n);
/* Count n vCPUs less. None of them is parked. */
void sched_remove(unsigned n);
/* Whether no vCPU exists. */
bool sched_is_empty(void);

/* Park vCPUs as ready: those that left with VCPU_PREEMPTED or VCPU_GATHERED. */
void sched_make_ready(struct vcpu *vcpus, unsigned n);
/*
 * Park a vCPU as halted until 'until' (host TSC; UINT64_MAX: no deadline), or until a request. If a
 * request other than VCPU_REQUEST_HALT is pending, the vCPU is ready instead.
 */
void sched_halt(struct vcpu *vcpu, uint64_t until);
/* The next ready vCPU, no longer parked; NULL: none is ready. */
struct vcpu *sched_pop(void);
/* Halted vCPUs whose deadline is not after 'now' (host TSC) become ready. */
void sched_wake_due(uint64_t now);

/*
 * Make the vCPU look at these requests (enum vcpu_request) soon, wherever it is. Any processor; not
 * from an interrupt handler.
 */
void sched_request(struct vcpu *vcpu, uint32_t requests);

/* Whether a vCPU is ready. No lock. */
bool sched_has_ready(void);
/* Whether a vCPU is ready or due. No lock. */
bool sched_is_wanted(void);
/* Host TSC of the earliest deadline, UINT64_MAX: none. No lock. */
uint64_t sched_next_deadline(void);

/*
 * Whether the vCPU is loaded nowhere. If so, it will see all earlier writes before it enters the
 * guest again.
 */
bool sched_is_parked(const struct vcpu *vcpu);

/*
 * Stop a VM's vCPUs, or let them continue. Stopped vCPUs are set aside as soon as each is between
 * two instructions, and stay aside until they may continue, or VCPU_REQUEST_GATHER is requested.
 * The guest's clocks advance meanwhile.
 */
void sched_pause(struct vcpu *vcpus, unsigned n, bool on);
/* Whether all of these are set aside. */
bool sched_are_aside(const struct vcpu *vcpus, unsigned n);
/* Whether the vCPU is stopped, and no request is pending that is served even then. */
bool sched_has_to_wait(const struct vcpu *vcpu);

/*
 * Call before the processor waits for an interrupt. False: a vCPU is ready, do not wait. Otherwise
 * a vCPU that becomes ready may wake the processor, which calls sched_end_idle() before any other
 * function of the scheduler.
 */
bool sched_begin_idle(struct cpu *cpu);
void sched_end_idle(struct cpu *cpu);
