/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scheduler's queue and deadlines. A ready vCPU is in the queue, a stopped one in the list
 * 'aside'. A halted vCPU is in no list; if its timer is armed, its deadline is in the heap.
 */
#include "hv/vcpu/sched.h"

#include "hv/host/apic.h"
#include "hv/host/cpu.h"
#include "hv/host/io.h"
#include "hv/lib/lock.h"
#include "hv/vcpu/vcpu.h"

static struct {
	/* Guards this struct and the list fields of every vCPU. No other lock is taken inside. */
	struct lock lock;
	struct vcpu *ready, **ready_end;
	struct deadlines deadlines; /* of halted vCPUs */
	struct vcpu *aside;	    /* vCPUs that the operator stopped */
	unsigned n_alive;
	uint64_t next_deadline; /* the earliest of 'deadlines'; read without the lock */
} sched = {.ready_end = &sched.ready, .next_deadline = UINT64_MAX};

uint64_t sched_next_deadline(void)
{
	return __atomic_load_n(&sched.next_deadline, __ATOMIC_RELAXED);
}

/* Make one idle processor look at the queue. Lock held. */
static void wake_idle_cpu(void)
{
	for (unsigned i = 0; i < n_cpus; i++) {
		/* Pairs with the store in sched_begin_idle(), which is under the lock too. */
		if (!__atomic_load_n(&cpus[i]->idle, __ATOMIC_ACQUIRE))
			continue;
		__atomic_store_n(&cpus[i]->idle, false, __ATOMIC_RELAXED);
		host_apic_send_wake(cpus[i]->apic_id);
		return;
	}
}

/* Ending, freezing and reverting a VM are done even while it is stopped. */
#define EVEN_IF_PAUSED VCPU_REQUEST_GATHER

bool sched_has_to_wait(const struct vcpu *vcpu)
{
	return __atomic_load_n(&vcpu->is_paused, __ATOMIC_RELAXED) &&
	       !(__atomic_load_n(&vcpu->regs.requests, __ATOMIC_ACQUIRE) & EVEN_IF_PAUSED);
}

static void push_ready(struct vcpu *vcpu)
{
	if (sched_has_to_wait(vcpu)) {
		vcpu->is_aside = true;
		vcpu->next = sched.aside;
		sched.aside = vcpu;
		return;
	}
	vcpu->next = NULL;
	vcpu->is_ready = true;
	*sched.ready_end = vcpu;
	sched.ready_end = &vcpu->next;
	wake_idle_cpu();
}

/* Move the vCPU out of 'aside' if it need not stay there. Lock held. */
static void take_back(struct vcpu *vcpu)
{
	struct vcpu **link = &sched.aside;

	if (!vcpu->is_aside || sched_has_to_wait(vcpu))
		return;
	while (*link != vcpu)
		link = &(*link)->next;
	*link = vcpu->next;
	vcpu->is_aside = false;
	push_ready(vcpu);
}

struct vcpu *sched_pop(void)
{
	struct vcpu *vcpu;

	lock_acquire(&sched.lock);
	vcpu = sched.ready;
	if (vcpu) {
		sched.ready = vcpu->next;
		if (sched.ready == NULL)
			sched.ready_end = &sched.ready;
		vcpu->is_ready = false;
	}
	lock_release(&sched.lock);
	return vcpu;
}

static void update_next_deadline(void)
{
	__atomic_store_n(&sched.next_deadline, deadline_next(&sched.deadlines), __ATOMIC_RELAXED);
}

/* Lock held. */
static void begin_halt(struct vcpu *vcpu)
{
	vcpu->is_halted = true;
	/* Most clones have no timer armed: they wait for a request only. */
	if (vcpu->wake.at != UINT64_MAX)
		deadline_add(&sched.deadlines, &vcpu->wake);
	update_next_deadline();
}

/* Lock held. */
static void end_halt(struct vcpu *vcpu)
{
	vcpu->is_halted = false;
	if (vcpu->wake.at != UINT64_MAX)
		deadline_remove(&sched.deadlines, &vcpu->wake);
	update_next_deadline();
	push_ready(vcpu);
}

void sched_wake_due(uint64_t now)
{
	if (sched_next_deadline() > now)
		return;
	lock_acquire(&sched.lock);
	while (sched.deadlines.first && sched.deadlines.first->at <= now)
		end_halt((struct vcpu *)((char *)sched.deadlines.first -
					 offsetof(struct vcpu, wake)));
	lock_release(&sched.lock);
}

void sched_halt(struct vcpu *vcpu, uint64_t until)
{
	lock_acquire(&sched.lock);
	vcpu->wake.at = until;
	/* A request that came before the vCPU was parked found no list to take it from. */
	if (sched_has_to_wait(vcpu) || __atomic_load_n(&vcpu->regs.requests, __ATOMIC_ACQUIRE) &
					       ~(uint32_t)VCPU_REQUEST_HALT) {
		push_ready(vcpu);
	} else {
		begin_halt(vcpu);
	}
	lock_release(&sched.lock);
}

static void push_all(struct vcpu *vcpus, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		push_ready(&vcpus[i]);
}

void sched_add(struct vcpu *vcpus, unsigned n)
{
	lock_acquire(&sched.lock);
	sched.n_alive += n;
	push_all(vcpus, n);
	lock_release(&sched.lock);
}

void sched_remove(unsigned n)
{
	lock_acquire(&sched.lock);
	sched.n_alive -= n;
	/* The boot processor ends the machine. */
	if (sched.n_alive == 0 && cpus[0] != this_cpu())
		host_apic_send_wake(cpus[0]->apic_id);
	lock_release(&sched.lock);
}

bool sched_is_empty(void)
{
	bool is_empty;

	lock_acquire(&sched.lock);
	is_empty = sched.n_alive == 0;
	lock_release(&sched.lock);
	return is_empty;
}

bool sched_is_parked(const struct vcpu *vcpu)
{
	bool is_parked;

	lock_acquire(&sched.lock);
	is_parked = vcpu->is_ready || vcpu->is_halted || vcpu->is_aside;
	lock_release(&sched.lock);
	return is_parked;
}

void sched_make_ready(struct vcpu *vcpus, unsigned n)
{
	lock_acquire(&sched.lock);
	push_all(vcpus, n);
	lock_release(&sched.lock);
}

/* The processor on which the vCPU is loaded; NULL: probably none. */
static struct cpu *find_cpu(struct vcpu *vcpu)
{
	struct cpu *cpu = __atomic_load_n(&vcpu->last_cpu, __ATOMIC_RELAXED);

	return cpu && __atomic_load_n(&cpu->current, __ATOMIC_RELAXED) == vcpu ? cpu : NULL;
}

void sched_request(struct vcpu *vcpu, uint32_t requests)
{
	struct cpu *cpu;

	/*
	 * Sequentially consistent with vcpu_load(), which stores where the vCPU is before it tests
	 * the requests, and with sched_halt(), which tests them after the vCPU is loaded nowhere.
	 */
	__atomic_fetch_or(&vcpu->regs.requests, requests, __ATOMIC_SEQ_CST);
	cpu = find_cpu(vcpu);
	if (cpu == this_cpu())
		return;
	if (cpu) {
		/* The interrupt makes the processor leave the guest. */
		host_apic_send_wake(cpu->apic_id);
		return;
	}
	lock_acquire(&sched.lock);
	if (vcpu->is_halted)
		end_halt(vcpu);
	take_back(vcpu);
	lock_release(&sched.lock);
}

void sched_pause(struct vcpu *vcpus, unsigned n, bool on)
{
	for (unsigned i = 0; i < n; i++) {
		__atomic_store_n(&vcpus[i].is_paused, on, __ATOMIC_RELAXED);
		sched_request(&vcpus[i], VCPU_REQUEST_LEAVE);
	}
}

bool sched_are_aside(const struct vcpu *vcpus, unsigned n)
{
	bool are_aside = true;

	lock_acquire(&sched.lock);
	for (unsigned i = 0; i < n; i++)
		are_aside &= vcpus[i].is_aside;
	lock_release(&sched.lock);
	return are_aside;
}

bool sched_has_ready(void)
{
	return __atomic_load_n(&sched.ready, __ATOMIC_RELAXED) != NULL;
}

bool sched_is_wanted(void)
{
	return sched_has_ready() || sched_next_deadline() <= rdtsc();
}

bool sched_begin_idle(struct cpu *cpu)
{
	bool is_idle;

	lock_acquire(&sched.lock);
	is_idle = sched.ready == NULL;
	__atomic_store_n(&cpu->idle, is_idle, __ATOMIC_RELEASE);
	lock_release(&sched.lock);
	return is_idle;
}

void sched_end_idle(struct cpu *cpu)
{
	__atomic_store_n(&cpu->idle, false, __ATOMIC_RELAXED);
}
