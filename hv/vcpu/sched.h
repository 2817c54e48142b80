/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

struct cpu;
struct vcpu;

/*
 * Which vCPU runs next: one ready queue for all processors, round robin, and the deadlines of
 * halted vCPUs. A vCPU is loaded on a processor or parked (ready, halted or set aside); its state
 * is put away completely before it is parked, so that any processor may take it next.
 */

/* A VM's vCPUs exist from now on, and are ready. */
void sched_add(struct vcpu *vcpus, unsigned n);
/* This many vCPUs, none of them parked, exist no longer. */
void sched_remove(unsigned n);
/* Whether no vCPU exists. */
bool sched_is_empty(void);

/* Park vCPUs as ready: those that left with VCPU_PREEMPTED or VCPU_GATHERED. */
void sched_make_ready(struct vcpu *vcpus, unsigned n);
/*
 * Park a vCPU as halted until 'until' (host TSC; UINT64_MAX: for ever), or until a request. If a
 * request besides VCPU_REQUEST_HALT has come already, the vCPU is ready instead.
 */
void sched_halt(struct vcpu *vcpu, uint64_t until);
/* The next ready vCPU, no longer parked; NULL: none is ready. */
struct vcpu *sched_pop(void);
/* Halted vCPUs whose deadline is not after 'now' (host TSC) become ready. */
void sched_wake_due(uint64_t now);

/*
 * Have the vCPU look at these requests (enum vcpu_request) soon, wherever it is. Any processor, not
 * from a handler of interrupts.
 */
void sched_request(struct vcpu *vcpu, uint32_t requests);

/* Whether a vCPU is ready. No lock. */
bool sched_has_ready(void);
/* Whether a vCPU is ready or due. No lock. */
bool sched_is_wanted(void);
/* Host TSC of the earliest deadline, UINT64_MAX: none. No lock. */
uint64_t sched_next_deadline(void);

/* Whether the vCPU is not loaded anywhere: before it enters the guest again it sees all that was
 * written before. */
bool sched_is_parked(const struct vcpu *vcpu);

/*
 * Stop a VM's vCPUs, or let them continue. Stopped vCPUs are set aside as soon as each is between
 * two instructions, and stay aside until they may continue, or VCPU_REQUEST_GATHER is requested.
 * The guest's clocks advance meanwhile.
 */
void sched_pause(struct vcpu *vcpus, unsigned n, bool on);
/* Whether all of these are set aside. */
bool sched_are_aside(const struct vcpu *vcpus, unsigned n);
/* Whether the vCPU is stopped, and nothing is requested that is done even then. */
bool sched_has_to_wait(const struct vcpu *vcpu);

/*
 * The processor is about to wait for an interrupt; false: it must not, because a vCPU is ready.
 * Until it calls sched_end_idle(), before anything else of the scheduler, a vCPU that becomes ready
 * may wake it.
 */
bool sched_begin_idle(struct cpu *cpu);
void sched_end_idle(struct cpu *cpu);
