/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scheduler's places and deadlines. Each processor has a queue, and each VM its home: the
 * processor in whose queue its ready vCPUs are. A halted vCPU is in no queue; if its timer is
 * armed, its deadline is in the heap of the processor where it halted. Nor is a stopped one, which
 * is aside. A vCPU is active, for its VM's share, while it is ready or has a turn.
 *
 * The virtual time is the same for all queues, so that a VM can move from one to another. A
 * processor that finds none in its own queue, or now and then one that is further behind in
 * another, takes it from there. If no other vCPU of the VM is active, the VM moves with it.
 */
#include "hv/vcpu/sched.h"

#include "hv/devices/lapic.h"
#include "hv/host/apic.h"
#include "hv/host/cpu.h"
#include "hv/host/io.h"
#include "hv/host/tsc.h"
#include "hv/vcpu/share.h"
#include "hv/vcpu/vcpu.h"

#define LAG_MS	5
#define LOOK_MS 5 /* of charged time between two looks at other queues */

enum {
	LOOK_AT = 16,	      /* queues in a look */
	NOWHERE = UINT16_MAX, /* in 'halted_on': the deadline is in no heap */
};

static struct {
	/*
	 * A bit for each processor, by its index, that is in, or about to enter, cpu_wait().
	 * Atomic.
	 */
	uint64_t idle[CPU_MAX / 64];
	unsigned n_idle; /* at least those bits: a busy machine need not look for one; atomic */
	/*
	 * The virtual time near which VMs wait for a processor: of the furthest behind that a look
	 * at some queues has found, where others wait. Atomic, and written by looks only.
	 */
	uint64_t crowd;
} sched;

/* struct vm begins with it. */
static struct share *share_of(const struct vcpu *vcpu)
{
	return (struct share *)vcpu->vm;
}

/* ---- queues ---- */

/* How far a queue's virtual time may be from that of others where VMs wait, which take them. */
static uint64_t spread(const struct share_queue *queue)
{
	return 4 * queue->lag;
}

/*
 * The queue's virtual time has stood still while no VM was active here, or was slow because of a
 * heavy one that is here alone. One that begins has no advantage by that.
 */
static void catch_up(struct share_queue *queue)
{
	uint64_t crowd = __atomic_load_n(&sched.crowd, __ATOMIC_RELAXED);
	uint64_t behind = queue->weights == 0 ? 0 : spread(queue);

	if (queue->now + behind < crowd)
		queue->now = crowd - behind;
}

/* A VM that runs here, while none waits, owes little of what it uses: none else wanted it. */
static void forgive(struct share_queue *queue, struct share *share)
{
	uint64_t most = __atomic_load_n(&sched.crowd, __ATOMIC_RELAXED) + spread(queue);

	if (queue->now > most)
		queue->now = most;
	if (share->turn.at > most)
		share->turn.at = most;
}

void sched_begin(struct cpu *cpu)
{
	struct run_queue *queue = &cpu->queue;

	lock_acquire(&queue->lock);
	share_set_lag(&queue->shares, tsc_hz / 1000 * LAG_MS);
	lock_release(&queue->lock);
	queue->look_after = tsc_hz / 1000 * LOOK_MS;
	queue->next_deadline = UINT64_MAX;
	queue->has_begun = true;
}

/* Lock the queue of the VM's home, which only who holds that lock may change. */
static struct run_queue *lock_home(const struct share *share)
{
	for (;;) {
		uint16_t home = __atomic_load_n(&share->home, __ATOMIC_RELAXED);
		struct run_queue *queue = &cpus[home]->queue;

		lock_acquire(&queue->lock);
		if (__builtin_expect(__atomic_load_n(&share->home, __ATOMIC_RELAXED) == home, true))
			return queue;
		lock_release(&queue->lock);
	}
}

/*
 * Sequentially consistent: a processor that becomes idle sees what is ready here, or the calling
 * one sees that it is idle. Pairs with sched_begin_idle().
 */
static void unlock_queue(struct run_queue *queue)
{
	uint64_t behind = UINT64_MAX - deadline_next(&queue->shares.turns);

	if (queue->behind != behind)
		__atomic_exchange_n(&queue->behind, behind, __ATOMIC_SEQ_CST);
	lock_release(&queue->lock);
}

static uint64_t how_far_behind(const struct cpu *cpu)
{
	return __atomic_load_n(&cpu->queue.behind, __ATOMIC_SEQ_CST);
}

/*
 * Of n processors from this one on, the one whose next VM is furthest behind, and further than
 * that. NULL: none.
 */
static struct cpu *find_behind(unsigned first, unsigned n, uint64_t than)
{
	struct cpu *found = NULL;

	for (unsigned i = 0; i < n; i++) {
		struct cpu *cpu = cpus[(first + i) % n_cpus];
		uint64_t behind = how_far_behind(cpu);

		if (behind > than) {
			than = behind;
			found = cpu;
		}
	}
	return found;
}

/* The boot processor's is the first one, which has most. */
static struct cpu *find_any_ready(void)
{
	return find_behind(0, n_cpus, 0);
}

/* Make n idle processors, if there are any, look at the queues. No lock is held. */
static void wake_idle_cpus(unsigned n)
{
	if (n == 0 || __atomic_load_n(&sched.n_idle, __ATOMIC_SEQ_CST) == 0)
		return;
	for (unsigned i = 0; i < n_cpus; i += 64) {
		uint64_t set = __atomic_load_n(&sched.idle[i / 64], __ATOMIC_RELAXED);

		for (; set != 0; set &= set - 1) {
			struct cpu *cpu = cpus[i + (unsigned)__builtin_ctzl(set)];

			/* Another processor may have woken it, for another vCPU. */
			if (!sched_end_idle(cpu))
				continue;
			host_apic_send_wake(cpu->apic_id);
			if (--n == 0)
				return;
		}
	}
}

/* Ending, freezing and reverting a VM are done even while it is stopped. */
#define EVEN_IF_PAUSED VCPU_REQUEST_GATHER

bool sched_has_to_wait(const struct vcpu *vcpu)
{
	return __atomic_load_n(&vcpu->is_paused, __ATOMIC_RELAXED) &&
	       !(__atomic_load_n(&vcpu->regs.requests, __ATOMIC_ACQUIRE) & EVEN_IF_PAUSED);
}

/* Park the active vCPU at home, whose queue is locked. Returns how many are ready: 1 or 0. */
static inline unsigned park(struct run_queue *home, struct vcpu *vcpu)
{
	if (sched_has_to_wait(vcpu)) {
		share_deactivate(&home->shares, share_of(vcpu));
		vcpu->is_aside = true;
		return 0;
	}
	vcpu->is_ready = true;
	if (vcpu->guest.kvm.steal_time)
		vcpu->ready_since = rdtsc();
	share_push(&home->shares, share_of(vcpu), vcpu);
	return 1;
}

/* The same for one that was not active. */
static inline unsigned make_ready(struct run_queue *home, struct vcpu *vcpu)
{
	catch_up(&home->shares);
	share_activate(&home->shares, share_of(vcpu));
	return park(home, vcpu);
}

/*
 * The calling processor becomes the home of a VM whose only active vCPU it has just taken, unless
 * another one uses its queue. The queue of the VM's home is locked.
 */
static void bring_here(struct share *share, struct run_queue *from)
{
	struct run_queue *here = &this_cpu()->queue;

	if (share->n_active > 1 || !lock_try(&here->lock))
		return;
	share_deactivate(&from->shares, share);
	__atomic_store_n(&share->home, (uint16_t)this_cpu()->index, __ATOMIC_RELAXED);
	share_activate(&here->shares, share);
	lock_release(&here->lock);
}

/* NULL: none is ready there. */
static struct vcpu *take_from(struct cpu *cpu)
{
	struct run_queue *queue = &cpu->queue;
	struct vcpu *vcpu;

	lock_acquire(&queue->lock);
	vcpu = share_pop(&queue->shares);
	if (vcpu) {
		vcpu->is_ready = false;
		if (vcpu->guest.kvm.steal_time)
			vcpu->stolen += rdtsc() - vcpu->ready_since;
		if (cpu != this_cpu())
			bring_here(share_of(vcpu), queue);
	}
	unlock_queue(queue);
	return vcpu;
}

/* Out of line, so that the usual case saves fewer registers. The queue is locked. */
static __attribute__((noinline)) void queue_new(struct run_queue *queue, struct vcpu *vcpu)
{
	unsigned n_ready = park(queue, vcpu);

	unlock_queue(queue);
	wake_idle_cpus(n_ready);
}

/*
 * Take the new vCPU, which is at home here, if it is the next one. NULL: another one is, or this
 * one has to wait; it is parked.
 */
static inline struct vcpu *take_new(struct run_queue *queue)
{
	struct vcpu *vcpu = queue->new_vcpu;

	queue->new_vcpu = NULL;
	lock_acquire(&queue->lock);
	catch_up(&queue->shares);
	share_activate(&queue->shares, share_of(vcpu));
	vcpu->is_ready = false;
	if (queue->other == NULL && !sched_has_to_wait(vcpu) &&
	    share_go_first(&queue->shares, share_of(vcpu))) {
		lock_release(&queue->lock);
		return vcpu;
	}
	queue_new(queue, vcpu);
	return NULL;
}

static __attribute__((noinline)) struct vcpu *pop_queued(struct cpu *here)
{
	struct cpu *from = here->queue.other;
	struct vcpu *vcpu = NULL;

	here->queue.other = NULL;
	if (from == NULL && how_far_behind(here) > 0)
		from = here;
	for (; vcpu == NULL; from = NULL) {
		if (from == NULL)
			from = find_any_ready();
		if (from == NULL)
			return NULL;
		vcpu = take_from(from);
	}
	return vcpu;
}

struct vcpu *sched_pop(void)
{
	struct cpu *here = this_cpu();
	struct vcpu *vcpu = here->queue.new_vcpu ? take_new(&here->queue) : NULL;

	return vcpu ? vcpu : pop_queued(here);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* VMs wait near this virtual time, or later. */
static void note_crowd(uint64_t at)
{
	uint64_t crowd = __atomic_load_n(&sched.crowd, __ATOMIC_RELAXED);

	while (crowd < at && !__atomic_compare_exchange_n(&sched.crowd, &crowd, at, false,
							  __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		continue;
}

/*
 * Look at some other queues. True: a VM that waits there is further behind than all
 * that wait here, and than one of this virtual time, by more than the lag.
 */
static bool look_elsewhere(struct cpu *cpu, uint64_t at)
{
	struct run_queue *here = &cpu->queue;
	unsigned n = n_cpus < LOOK_AT ? n_cpus : LOOK_AT;
	uint64_t behind = how_far_behind(cpu), next_here = UINT64_MAX - behind, next;
	struct cpu *other;

	other = find_behind(here->looks_from, n, behind);
	here->looks_from = (here->looks_from + n) % n_cpus;
	next = other != NULL ? UINT64_MAX - how_far_behind(other) : next_here;
	if (next != UINT64_MAX)
		note_crowd(earlier(next, at));
	if (next >= next_here || next + here->shares.lag > earlier(next_here, at))
		return false;
	here->other = other;
	return true;
}

bool sched_charge(struct vcpu *vcpu, uint64_t ticks)
{
	struct share *share = share_of(vcpu);
	struct run_queue *home = lock_home(share), *here = &this_cpu()->queue;
	uint64_t at;
	bool yields;

	share_charge(&home->shares, share, ticks);
	yields = share_yields(&home->shares, share);
	if (home->shares.turns.first == NULL && how_far_behind(this_cpu()) == 0)
		forgive(&home->shares, share);
	at = share->turn.at;
	unlock_queue(home);
	here->unlooked += ticks;
	if (here->unlooked >= here->look_after) {
		here->unlooked = 0;
		yields |= look_elsewhere(this_cpu(), at);
	}
	return yields || how_far_behind(this_cpu()) >= UINT64_MAX - at;
}

void sched_charge_work(struct share *share, uint64_t ticks)
{
	struct run_queue *home = lock_home(share);

	share_charge_work(&home->shares, share, ticks);
	unlock_queue(home);
}

void sched_move_used(struct share *from, uint64_t *to)
{
	__atomic_fetch_add(to, __atomic_exchange_n(&from->used, 0, __ATOMIC_RELAXED),
			   __ATOMIC_RELAXED);
}

void sched_charge_ended(uint16_t weight, uint64_t ticks)
{
	struct run_queue *queue = &this_cpu()->queue;

	lock_acquire(&queue->lock);
	share_charge_end(&queue->shares, weight, ticks);
	lock_release(&queue->lock);
}

void sched_preempt(struct vcpu *vcpu, uint64_t ticks)
{
	struct run_queue *home = lock_home(share_of(vcpu));
	unsigned n_ready;

	share_charge(&home->shares, share_of(vcpu), ticks);
	n_ready = park(home, vcpu);
	unlock_queue(home);
	wake_idle_cpus(n_ready);
}

void sched_gather(struct vcpu *vcpu, uint64_t ticks)
{
	struct run_queue *home = lock_home(share_of(vcpu));

	share_charge(&home->shares, share_of(vcpu), ticks);
	share_deactivate(&home->shares, share_of(vcpu));
	unlock_queue(home);
}

/* ---- deadlines ---- */

/* The lock of the deadlines is held. */
static void update_next_deadline(struct run_queue *queue)
{
	__atomic_store_n(&queue->next_deadline, deadline_next(&queue->deadlines), __ATOMIC_RELAXED);
}

static void add_deadline(struct vcpu *vcpu, struct cpu *cpu)
{
	struct run_queue *queue = &cpu->queue;

	lock_acquire(&queue->deadlines_lock);
	__atomic_store_n(&vcpu->halted_on, (uint16_t)cpu->index, __ATOMIC_RELAXED);
	deadline_add(&queue->deadlines, &vcpu->wake);
	update_next_deadline(queue);
	lock_release(&queue->deadlines_lock);
}

/* The lock of the deadlines is held, and the vCPU's is one of them. */
static void remove_deadline(struct run_queue *queue, struct vcpu *vcpu)
{
	deadline_remove(&queue->deadlines, &vcpu->wake);
	__atomic_store_n(&vcpu->halted_on, NOWHERE, __ATOMIC_RELAXED);
	update_next_deadline(queue);
}

/* False: the processor where the vCPU halted has taken it, and makes it ready. */
static bool take_deadline(struct vcpu *vcpu)
{
	uint16_t index = __atomic_load_n(&vcpu->halted_on, __ATOMIC_RELAXED);
	struct run_queue *queue;
	bool is_there;

	if (index == NOWHERE)
		return false;
	queue = &cpus[index]->queue;
	lock_acquire(&queue->deadlines_lock);
	is_there = __atomic_load_n(&vcpu->halted_on, __ATOMIC_RELAXED) == index;
	if (is_there)
		remove_deadline(queue, vcpu);
	lock_release(&queue->deadlines_lock);
	return is_there;
}

/* The queue of the vCPU's home is locked. */
static void begin_halt(struct run_queue *home, struct vcpu *vcpu)
{
	share_deactivate(&home->shares, share_of(vcpu));
	vcpu->is_halted = true;
	/* Most clones have no timer armed: they wait for a request only. */
	if (vcpu->wake.at != UINT64_MAX)
		add_deadline(vcpu, this_cpu());
}

/*
 * Whether the vCPU was halted, and is neither halted any more nor parked. The queue of its home is
 * locked.
 */
static bool end_halt(struct vcpu *vcpu)
{
	if (!vcpu->is_halted || (vcpu->wake.at != UINT64_MAX && !take_deadline(vcpu)))
		return false;
	vcpu->is_halted = false;
	return true;
}

/*
 * Take the deadline of a vCPU that is due. The vCPU stays halted, and its VM there, until the
 * caller makes the vCPU ready. NULL: none is due.
 */
static struct vcpu *take_due(struct run_queue *queue, uint64_t now)
{
	struct deadline *first;
	struct vcpu *vcpu = NULL;

	lock_acquire(&queue->deadlines_lock);
	first = queue->deadlines.first;
	if (first != NULL && first->at <= now) {
		vcpu = (struct vcpu *)((char *)first - offsetof(struct vcpu, wake));
		remove_deadline(queue, vcpu);
	}
	lock_release(&queue->deadlines_lock);
	return vcpu;
}

void sched_wake_due(struct cpu *cpu, uint64_t now)
{
	bool can_take_one = cpu->current == NULL;
	unsigned n_ready = 0;
	struct vcpu *vcpu;

	if (sched_next_deadline(cpu) > now)
		return;
	while ((vcpu = take_due(&cpu->queue, now)) != NULL) {
		struct run_queue *home = lock_home(share_of(vcpu));

		vcpu->is_halted = false;
		n_ready += make_ready(home, vcpu);
		unlock_queue(home);
	}
	wake_idle_cpus(n_ready - (can_take_one && n_ready > 0));
}

void sched_halt(struct vcpu *vcpu, uint64_t until, uint64_t ticks)
{
	struct run_queue *home = lock_home(share_of(vcpu));
	unsigned n_ready = 0;

	share_charge(&home->shares, share_of(vcpu), ticks);
	vcpu->wake.at = until;
	/* A request that came before the vCPU was parked found no list to take it from. */
	if (sched_has_to_wait(vcpu) ||
	    __atomic_load_n(&vcpu->regs.requests, __ATOMIC_ACQUIRE) & ~(uint32_t)VCPU_REQUEST_HALT)
		n_ready = park(home, vcpu);
	else
		begin_halt(home, vcpu);
	unlock_queue(home);
	wake_idle_cpus(n_ready);
}

/* Requests that a halted vCPU serves. */
enum {
	MUST_RUN =
		VCPU_REQUEST_START | VCPU_REQUEST_GATHER | VCPU_REQUEST_LEAVE | VCPU_REQUEST_VIRTIO
};

bool sched_would_halt(const struct vcpu *vcpu)
{
	uint32_t requests = __atomic_load_n(&vcpu->regs.requests, __ATOMIC_ACQUIRE);

	return (requests & VCPU_REQUEST_HALT) && !(requests & MUST_RUN) &&
	       !(vcpu->guest.event & INTR_VALID) && !lapic_has_event(vcpu->lapic) &&
	       vcpu->lapic->deadline == LAPIC_NO_DEADLINE;
}

/*
 * Whether the vCPU would only find out that it waits for a SIPI. A request comes with that, and
 * with all else that concerns the vCPU. No vCPU of the VM runs.
 */
static __attribute__((noinline)) bool waits_for_sipi(const struct vcpu *vcpu)
{
	uint32_t requests = __atomic_load_n(&vcpu->regs.requests, __ATOMIC_ACQUIRE);

	return (requests & (VCPU_REQUEST_HALT | MUST_RUN)) == VCPU_REQUEST_HALT &&
	       !vcpu->lapic->sipi_pending && !vcpu->lapic->init_pending && !vcpu_is_paused(vcpu);
}

/* The vCPUs, of one VM, are nowhere. */
static inline void make_all_ready(struct vcpu *vcpus, unsigned n)
{
	struct run_queue *home = lock_home(share_of(vcpus));
	unsigned n_ready = 0;

	for (unsigned i = 0; i < n; i++) {
		if (vcpus[i].guest.waits_for_sipi && waits_for_sipi(&vcpus[i])) {
			vcpus[i].is_halted = true;
			vcpus[i].wake.at = UINT64_MAX;
			continue;
		}
		n_ready += make_ready(home, &vcpus[i]);
	}
	unlock_queue(home);
	wake_idle_cpus(n_ready);
}

/* Only the calling processor changes its count. Release pairs with sched_is_empty(). */
static void count(uint64_t *n, unsigned more)
{
	__atomic_store_n(n, *n + more, __ATOMIC_RELEASE);
}

/*
 * Keep a VM's only vCPU, which is new, out of the queues until this processor's next sched_pop():
 * it is mostly the next one. False: that is not soon, or there is such a vCPU.
 */
static bool keep_new(struct cpu *cpu, struct vcpu *vcpu)
{
	struct run_queue *here = &cpu->queue;

	if (cpu->current != NULL || !here->has_begun || here->new_vcpu != NULL ||
	    vcpu->guest.waits_for_sipi || share_of(vcpu)->home != cpu->index)
		return false;
	vcpu->is_ready = true;
	here->new_vcpu = vcpu;
	return true;
}

void sched_add(struct vcpu *vcpus, unsigned n)
{
	struct cpu *cpu = this_cpu();

	count(&cpu->queue.n_added, n);
	if (n > 1 || !keep_new(cpu, vcpus))
		make_all_ready(vcpus, n);
}

void sched_remove(unsigned n, uint16_t weight, uint64_t ticks)
{
	struct cpu *cpu = this_cpu();

	sched_charge_ended(weight, ticks);
	count(&cpu->queue.n_removed, n);
	/* The boot processor ends the machine. The last vCPU has left the queues empty. */
	if (cpu != cpus[0] && how_far_behind(cpu) == 0 && sched_is_empty())
		host_apic_send_wake(cpus[0]->apic_id);
}

/*
 * A vCPU may be added on one processor and removed on another. Those that were removed are counted
 * first: if as many were added afterwards, there was none in between.
 */
bool sched_is_empty(void)
{
	uint64_t n_removed = 0, n_added = 0;

	for (unsigned i = 0; i < n_cpus; i++)
		n_removed += __atomic_load_n(&cpus[i]->queue.n_removed, __ATOMIC_ACQUIRE);
	for (unsigned i = 0; i < n_cpus; i++)
		n_added += __atomic_load_n(&cpus[i]->queue.n_added, __ATOMIC_ACQUIRE);
	return n_added == n_removed;
}

bool sched_is_parked(const struct vcpu *vcpu)
{
	struct run_queue *home = lock_home(share_of(vcpu));
	bool is_parked = vcpu->is_ready || vcpu->is_halted || vcpu->is_aside;

	lock_release(&home->lock);
	return is_parked;
}

void sched_make_ready(struct vcpu *vcpus, unsigned n)
{
	make_all_ready(vcpus, n);
}

/* The processor on which the vCPU is loaded; NULL: probably none. */
static struct cpu *find_cpu(struct vcpu *vcpu)
{
	struct cpu *cpu = __atomic_load_n(&vcpu->last_cpu, __ATOMIC_RELAXED);

	return cpu && __atomic_load_n(&cpu->current, __ATOMIC_RELAXED) == vcpu ? cpu : NULL;
}

/* End the vCPU's halt, or take it back from aside, unless it has to stay there. */
static void take_back(struct vcpu *vcpu)
{
	struct run_queue *home = lock_home(share_of(vcpu));
	bool was_aside = vcpu->is_aside && !sched_has_to_wait(vcpu);
	unsigned n_ready = 0;

	if (was_aside)
		vcpu->is_aside = false;
	if (was_aside || end_halt(vcpu))
		n_ready = make_ready(home, vcpu);
	unlock_queue(home);
	wake_idle_cpus(n_ready);
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
	take_back(vcpu);
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
	struct run_queue *home = lock_home(share_of(vcpus));
	bool are_aside = true;

	for (unsigned i = 0; i < n; i++)
		are_aside &= vcpus[i].is_aside;
	lock_release(&home->lock);
	return are_aside;
}

bool sched_is_wanted(const struct cpu *cpu)
{
	return cpu->queue.new_vcpu != NULL || find_any_ready() != NULL ||
	       sched_next_deadline(cpu) <= rdtsc();
}

/* ---- idling ---- */

bool sched_begin_idle(struct cpu *cpu)
{
	__atomic_fetch_add(&sched.n_idle, 1, __ATOMIC_SEQ_CST);
	__atomic_fetch_or(&sched.idle[cpu->index / 64], BIT(cpu->index % 64), __ATOMIC_SEQ_CST);
	/* Pairs with unlock_queue(). */
	if (cpu->queue.new_vcpu == NULL && find_any_ready() == NULL)
		return true;
	(void)sched_end_idle(cpu);
	return false;
}

bool sched_end_idle(struct cpu *cpu)
{
	uint64_t bit = BIT(cpu->index % 64);

	if (!(__atomic_fetch_and(&sched.idle[cpu->index / 64], ~bit, __ATOMIC_RELAXED) & bit))
		return false;
	__atomic_fetch_sub(&sched.n_idle, 1, __ATOMIC_RELAXED);
	return true;
}
