/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scheduler's places and deadlines. A ready vCPU is in the queue, a stopped one in the list
 * 'aside'. A halted vCPU is in no list; if its timer is armed, its deadline is in the heap of the
 * processor where it halted. A vCPU is active, for its VM's share, while it is ready or has a turn.
 */
#include "hv/vcpu/sched.h"

#include "hv/devices/lapic.h"
#include "hv/host/apic.h"
#include "hv/host/cpu.h"
#include "hv/host/io.h"
#include "hv/host/tsc.h"
#include "hv/lib/lock.h"
#include "hv/vcpu/share.h"
#include "hv/vcpu/vcpu.h"

#define LAG_MS 5

static struct {
	/*
	 * Guards this struct, every VM's share, the list fields of every vCPU, and the deadlines of
	 * every processor. No other lock is taken inside.
	 */
	struct lock lock;
	struct share_queue queue;
	struct vcpu *aside; /* vCPUs that the operator stopped */
	unsigned n_alive;
	/*
	 * A bit for each processor, by its index, that is in, or about to enter, cpu_wait(). Set
	 * with the lock held, cleared without it, too: atomic.
	 */
	uint64_t idle[CPU_MAX / 64];
	unsigned n_idle; /* at least those bits: a busy machine need not look for one; atomic */
} sched;

/* struct vm begins with it. */
static struct share *share_of(const struct vcpu *vcpu)
{
	return (struct share *)vcpu->vm;
}

void sched_begin(struct cpu *cpu)
{
	lock_acquire(&sched.lock);
	share_set_lag(&sched.queue, tsc_hz / 1000 * LAG_MS);
	cpu->next_deadline = UINT64_MAX;
	lock_release(&sched.lock);
}

/* Make one idle processor look at the queue. Lock held. */
static void wake_idle_cpu(void)
{
	if (__atomic_load_n(&sched.n_idle, __ATOMIC_RELAXED) == 0)
		return;
	for (unsigned i = 0; i < n_cpus; i += 64) {
		uint64_t set = __atomic_load_n(&sched.idle[i / 64], __ATOMIC_RELAXED);
		struct cpu *cpu;

		if (set == 0)
			continue;
		cpu = cpus[i + (unsigned)__builtin_ctzl(set)];
		sched_end_idle(cpu);
		host_apic_send_wake(cpu->apic_id);
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

/* Park the active vCPU. No idle processor is woken. */
static inline void park(struct vcpu *vcpu)
{
	if (sched_has_to_wait(vcpu)) {
		share_deactivate(&sched.queue, share_of(vcpu));
		vcpu->is_aside = true;
		vcpu->next = sched.aside;
		sched.aside = vcpu;
		return;
	}
	vcpu->is_ready = true;
	if (vcpu->guest.kvm.steal_time)
		vcpu->ready_since = rdtsc();
	share_push(&sched.queue, share_of(vcpu), vcpu);
}

static inline void push_ready(struct vcpu *vcpu)
{
	park(vcpu);
	if (vcpu->is_ready)
		wake_idle_cpu();
}

/* The vCPU was not active. */
static inline void make_ready(struct vcpu *vcpu)
{
	share_activate(&sched.queue, share_of(vcpu));
	push_ready(vcpu);
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
	make_ready(vcpu);
}

struct vcpu *sched_pop(void)
{
	struct vcpu *vcpu;

	lock_acquire(&sched.lock);
	vcpu = share_pop(&sched.queue);
	if (vcpu) {
		vcpu->is_ready = false;
		if (vcpu->guest.kvm.steal_time)
			vcpu->stolen += rdtsc() - vcpu->ready_since;
	}
	lock_release(&sched.lock);
	return vcpu;
}

bool sched_charge(struct vcpu *vcpu, uint64_t ticks)
{
	struct share *share = share_of(vcpu);
	bool yields;

	lock_acquire(&sched.lock);
	share_charge(&sched.queue, share, ticks);
	yields = share_yields(&sched.queue, share);
	lock_release(&sched.lock);
	return yields;
}

void sched_charge_work(struct share *share, uint64_t ticks)
{
	lock_acquire(&sched.lock);
	share_charge_work(&sched.queue, share, ticks);
	lock_release(&sched.lock);
}

void sched_move_used(struct share *from, uint64_t *to)
{
	lock_acquire(&sched.lock);
	__atomic_store_n(to, *to + from->used, __ATOMIC_RELAXED);
	__atomic_store_n(&from->used, 0, __ATOMIC_RELAXED);
	lock_release(&sched.lock);
}

void sched_charge_ended(uint16_t weight, uint64_t ticks)
{
	lock_acquire(&sched.lock);
	share_charge_end(&sched.queue, weight, ticks);
	lock_release(&sched.lock);
}

void sched_preempt(struct vcpu *vcpu, uint64_t ticks)
{
	lock_acquire(&sched.lock);
	share_charge(&sched.queue, share_of(vcpu), ticks);
	push_ready(vcpu);
	lock_release(&sched.lock);
}

void sched_gather(struct vcpu *vcpu, uint64_t ticks)
{
	lock_acquire(&sched.lock);
	share_charge(&sched.queue, share_of(vcpu), ticks);
	share_deactivate(&sched.queue, share_of(vcpu));
	lock_release(&sched.lock);
}

/* Lock held. */
static void update_next_deadline(struct cpu *cpu)
{
	__atomic_store_n(&cpu->next_deadline, deadline_next(&cpu->deadlines), __ATOMIC_RELAXED);
}

/* Lock held. */
static void begin_halt(struct vcpu *vcpu, struct cpu *cpu)
{
	share_deactivate(&sched.queue, share_of(vcpu));
	vcpu->is_halted = true;
	/* Most clones have no timer armed: they wait for a request only. */
	if (vcpu->wake.at == UINT64_MAX)
		return;
	vcpu->halted_on = (uint16_t)cpu->index;
	deadline_add(&cpu->deadlines, &vcpu->wake);
	update_next_deadline(cpu);
}

/* The vCPU is neither halted any more nor parked. Lock held. */
static void end_halt(struct vcpu *vcpu)
{
	vcpu->is_halted = false;
	if (vcpu->wake.at == UINT64_MAX)
		return;
	deadline_remove(&cpus[vcpu->halted_on]->deadlines, &vcpu->wake);
	update_next_deadline(cpus[vcpu->halted_on]);
}

static struct vcpu *due(const struct cpu *cpu, uint64_t now)
{
	struct deadline *first = cpu->deadlines.first;

	if (first == NULL || first->at > now)
		return NULL;
	return (struct vcpu *)((char *)first - offsetof(struct vcpu, wake));
}

void sched_wake_due(struct cpu *cpu, uint64_t now)
{
	bool can_take_one = cpu->current == NULL;

	if (sched_next_deadline(cpu) > now)
		return;
	lock_acquire(&sched.lock);
	for (struct vcpu *vcpu; (vcpu = due(cpu, now)) != NULL; can_take_one = false) {
		end_halt(vcpu);
		share_activate(&sched.queue, share_of(vcpu));
		if (can_take_one)
			park(vcpu);
		else
			push_ready(vcpu);
	}
	lock_release(&sched.lock);
}

void sched_halt(struct vcpu *vcpu, uint64_t until, uint64_t ticks)
{
	lock_acquire(&sched.lock);
	share_charge(&sched.queue, share_of(vcpu), ticks);
	vcpu->wake.at = until;
	/* A request that came before the vCPU was parked found no list to take it from. */
	if (sched_has_to_wait(vcpu) ||
	    __atomic_load_n(&vcpu->regs.requests, __ATOMIC_ACQUIRE) & ~(uint32_t)VCPU_REQUEST_HALT)
		push_ready(vcpu);
	else
		begin_halt(vcpu, this_cpu());
	lock_release(&sched.lock);
}

/*
 * Whether the vCPU would only find out that it waits for a SIPI. A request comes with that, and
 * with all else that concerns the vCPU. No vCPU of the VM runs.
 */
static __attribute__((noinline)) bool waits_for_sipi(const struct vcpu *vcpu)
{
	enum {
		MUST_RUN = VCPU_REQUEST_START | VCPU_REQUEST_GATHER | VCPU_REQUEST_LEAVE |
			   VCPU_REQUEST_VIRTIO
	};
	uint32_t requests = __atomic_load_n(&vcpu->regs.requests, __ATOMIC_ACQUIRE);

	return (requests & (VCPU_REQUEST_HALT | MUST_RUN)) == VCPU_REQUEST_HALT &&
	       !vcpu->lapic->sipi_pending && !vcpu->lapic->init_pending && !vcpu_is_paused(vcpu);
}

static inline void make_all_ready(struct vcpu *vcpus, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (vcpus[i].guest.waits_for_sipi && waits_for_sipi(&vcpus[i])) {
			vcpus[i].is_halted = true;
			vcpus[i].wake.at = UINT64_MAX;
			continue;
		}
		make_ready(&vcpus[i]);
	}
}

void sched_add(struct vcpu *vcpus, unsigned n)
{
	lock_acquire(&sched.lock);
	sched.n_alive += n;
	make_all_ready(vcpus, n);
	lock_release(&sched.lock);
}

void sched_remove(unsigned n, uint16_t weight, uint64_t ticks)
{
	lock_acquire(&sched.lock);
	share_charge_end(&sched.queue, weight, ticks);
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
	make_all_ready(vcpus, n);
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
	if (vcpu->is_halted) {
		end_halt(vcpu);
		make_ready(vcpu);
	}
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

bool sched_is_wanted(const struct cpu *cpu)
{
	return __atomic_load_n(&sched.queue.turns.first, __ATOMIC_RELAXED) != NULL ||
	       sched_next_deadline(cpu) <= rdtsc();
}

bool sched_begin_idle(struct cpu *cpu)
{
	bool is_idle;

	lock_acquire(&sched.lock);
	is_idle = sched.queue.turns.first == NULL;
	if (is_idle) {
		__atomic_fetch_add(&sched.n_idle, 1, __ATOMIC_RELAXED);
		__atomic_fetch_or(&sched.idle[cpu->index / 64], BIT(cpu->index % 64),
				  __ATOMIC_RELAXED);
	}
	lock_release(&sched.lock);
	return is_idle;
}

void sched_end_idle(struct cpu *cpu)
{
	uint64_t bit = BIT(cpu->index % 64);

	/* Another processor may have woken this one. */
	if (__atomic_fetch_and(&sched.idle[cpu->index / 64], ~bit, __ATOMIC_RELAXED) & bit)
		__atomic_fetch_sub(&sched.n_idle, 1, __ATOMIC_RELAXED);
}
