/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/host/cpu.h"

struct share;
struct vcpu;

/*
 * Which vCPU runs next: a fair queue of VMs for each processor (hv/vcpu/share.h), from which others
 * take vCPUs, too, and the deadlines of halted vCPUs, which belong to the processor where they
 * halted. A vCPU is loaded on a processor or parked (ready, halted or set aside). Its state is
 * saved completely before it is parked, so that any processor may load it next. All vCPUs of a call
 * are of one VM.
 */

/* The calling processor is about to use all that follows. */
void sched_begin(struct cpu *cpu);

/* Count a VM's new vCPUs, and make them ready. Those that wait for a SIPI are halted. */
void sched_add(struct vcpu *vcpus, unsigned n);
/*
 * Count n vCPUs less. None of them is parked. Their VM, of this weight, may be gone; its end took
 * so many ticks.
 */
void sched_remove(unsigned n, uint16_t weight, uint64_t ticks);
/* Whether no vCPU exists. */
bool sched_is_empty(void);

/* The next ready vCPU for the calling processor, no longer parked; NULL: none is ready. */
struct vcpu *sched_pop(void);
/*
 * A vCPU's turn on this processor continues or ends. Its VM is charged 'ticks' of the TSC, for time
 * that no other call has charged.
 */

/* The turn continues, unless another vCPU should have the processor: then true. */
bool sched_charge(struct vcpu *vcpu, uint64_t ticks);
/* Charge a VM for work that no turn of its vCPUs includes. Any processor. */
void sched_charge_work(struct share *share, uint64_t ticks);
/* The same for a VM of this weight that has ended. Any processor. */
void sched_charge_ended(uint16_t weight, uint64_t ticks);
/*
 * Move what a VM has used to another sum, which may be the 'used' of its template. Any processor.
 */
void sched_move_used(struct share *from, uint64_t *to);
/* Park the vCPU as ready. */
void sched_preempt(struct vcpu *vcpu, uint64_t ticks);
/*
 * Park the vCPU as halted until 'until' (host TSC; UINT64_MAX: no deadline), or until a request. If
 * a request other than VCPU_REQUEST_HALT is pending, it is ready instead.
 */
void sched_halt(struct vcpu *vcpu, uint64_t until, uint64_t ticks);
/* The vCPU waits for an action on its VM, nowhere, until sched_make_ready() or sched_remove(). */
void sched_gather(struct vcpu *vcpu, uint64_t ticks);

/*
 * Whether a vCPU that is nowhere, and is not its VM's first one, would only halt, and stay so until
 * it gets an interrupt: none waits, and its timer is not armed.
 */
bool sched_would_halt(const struct vcpu *vcpu);
/* Park vCPUs that have gathered, as sched_add() does. */
void sched_make_ready(struct vcpu *vcpus, unsigned n);
/* vCPUs that halted on this processor and whose deadline is not after 'now' become ready. */
void sched_wake_due(struct cpu *cpu, uint64_t now);

/*
 * Make the vCPU look at these requests (enum vcpu_request) soon, wherever it is. Any processor; not
 * from an interrupt handler.
 */
void sched_request(struct vcpu *vcpu, uint32_t requests);

/* Host TSC of the earliest deadline on a processor; UINT64_MAX: none. No lock. */
static inline uint64_t sched_next_deadline(const struct cpu *cpu)
{
	return __atomic_load_n(&cpu->queue.next_deadline, __ATOMIC_RELAXED);
}

/* Whether a vCPU is ready, or due on this processor. No lock. */
bool sched_is_wanted(const struct cpu *cpu);

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
/* True: until now no vCPU that became ready has woken it. */
bool sched_end_idle(struct cpu *cpu);
