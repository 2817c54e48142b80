/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scheduler. A vCPU is loaded on a processor, in the ready queue, halted, set aside, or gone.
 * It is put away completely before it is any of these, so that any processor may take it next. A
 * halted one costs nothing: it is in no list, but for its deadline if it has one.
 */
#include "hv/vcpu/sched.h"

#include "hv/host/apic.h"
#include "hv/host/console.h"
#include "hv/host/cpu.h"
#include "hv/host/interrupt.h"
#include "hv/host/io.h"
#include "hv/host/paging.h"
#include "hv/host/tsc.h"
#include "hv/lib/lock.h"
#include "hv/monitor/monitor.h"
#include "hv/vm/merge_scan.h"
#include "hv/vm/serial.h"
#include "hv/vm/vm.h"

#define SLICE_MS	5
#define PROMPT_SLICE_MS 1  /* of the processor that reads the console, which has a FIFO */
#define CONSOLE_POLL_MS 10 /* typed input */
#define CONSOLE_SEND_MS 1  /* a FIFO of output */
#define PROMPT_MS	20

static struct {
	struct lock lock; /* guards what follows, and the list fields of every vCPU; a leaf */
	struct vcpu *ready, **ready_end;
	struct deadlines deadlines; /* of halted ones */
	struct vcpu *aside;	    /* of VMs that the operator stopped */
	unsigned n_alive;
	uint64_t next_deadline; /* the first of these; read without the lock */
} sched = {.ready_end = &sched.ready, .next_deadline = UINT64_MAX};

uint64_t sched_next_deadline(void)
{
	return __atomic_load_n(&sched.next_deadline, __ATOMIC_RELAXED);
}

/* Some processor that does nothing shall look at the queue. Lock held. */
static void wake_idle_cpu(void)
{
	for (unsigned i = 0; i < n_cpus; i++) {
		/* Pairs with the store in wait_for_work(), which is under the lock too. */
		if (cpus[i] == this_cpu() || !__atomic_load_n(&cpus[i]->idle, __ATOMIC_ACQUIRE))
			continue;
		__atomic_store_n(&cpus[i]->idle, false, __ATOMIC_RELAXED);
		host_apic_send_wake(cpus[i]->apic_id);
		return;
	}
}

/* What ends a VM, or changes it as a whole, is done while it is stopped, too. */
#define EVEN_IF_PAUSED VCPU_REQUEST_GATHER

static bool has_to_wait(const struct vcpu *vcpu)
{
	return __atomic_load_n(&vcpu->vm->is_paused, __ATOMIC_RELAXED) &&
	       !(__atomic_load_n(&vcpu->regs.requests, __ATOMIC_ACQUIRE) & EVEN_IF_PAUSED);
}

static void push_ready(struct vcpu *vcpu)
{
	if (has_to_wait(vcpu)) {
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

/* If it is aside and no longer has to be. Lock held. */
static void take_back(struct vcpu *vcpu)
{
	struct vcpu **link = &sched.aside;

	if (!vcpu->is_aside || has_to_wait(vcpu))
		return;
	while (*link != vcpu)
		link = &(*link)->next;
	*link = vcpu->next;
	vcpu->is_aside = false;
	push_ready(vcpu);
}

static struct vcpu *pop_ready(void)
{
	struct vcpu *vcpu = sched.ready;

	if (vcpu == NULL)
		return NULL;
	sched.ready = vcpu->next;
	if (sched.ready == NULL)
		sched.ready_end = &sched.ready;
	vcpu->is_ready = false;
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
	/* Most clones of a machine wait for nothing but a kick. */
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

/* Those whose time has come. Lock held. */
static void wake_due(uint64_t now)
{
	while (sched.deadlines.first && sched.deadlines.first->at <= now)
		end_halt((struct vcpu *)((char *)sched.deadlines.first -
					 offsetof(struct vcpu, wake)));
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

/* Where the vCPU is loaded; NULL: perhaps nowhere. */
static struct cpu *find_cpu(struct vcpu *vcpu)
{
	struct cpu *cpu = __atomic_load_n(&vcpu->last_cpu, __ATOMIC_RELAXED);

	return cpu && __atomic_load_n(&cpu->current, __ATOMIC_RELAXED) == vcpu ? cpu : NULL;
}

void sched_request(struct vcpu *vcpu, uint32_t requests)
{
	struct cpu *cpu;

	/*
	 * Sequentially consistent with vcpu_load(), which says where it is before it looks for
	 * requests, and with halt_vcpu(), which looks when it is nowhere any more.
	 */
	__atomic_fetch_or(&vcpu->regs.requests, requests, __ATOMIC_SEQ_CST);
	cpu = find_cpu(vcpu);
	if (cpu == this_cpu())
		return;
	if (cpu) {
		/* The processor leaves the guest. */
		host_apic_send_wake(cpu->apic_id);
		return;
	}
	lock_acquire(&sched.lock);
	if (vcpu->is_halted)
		end_halt(vcpu);
	take_back(vcpu);
	lock_release(&sched.lock);
}

void sched_pause(struct vm *vm, bool on)
{
	__atomic_store_n(&vm->is_paused, on, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < vm->n_vcpus; i++)
		sched_request(&vm->vcpu[i], VCPU_REQUEST_LEAVE);
}

bool sched_has_paused(const struct vm *vm)
{
	bool has_paused = true;

	lock_acquire(&sched.lock);
	for (unsigned i = 0; i < vm->n_vcpus; i++)
		has_paused &= vm->vcpu[i].is_aside;
	lock_release(&sched.lock);
	return has_paused;
}

static bool others_are_halted(const struct vcpu *vcpu)
{
	const struct vm *vm = vcpu->vm;

	for (unsigned i = 0; i < vm->n_vcpus; i++)
		if (i != vcpu->number && !__atomic_load_n(&vm->vcpu[i].is_halted, __ATOMIC_RELAXED))
			return false;
	return true;
}

/* A prompt is a line without an end: show it before the guest waits for an answer. */
static void show_prompt(struct vm *vm)
{
	vm_lock_devices(vm);
	vm_flush_output(vm);
	vm_unlock_devices(vm);
}

static void halt_vcpu(struct vcpu *vcpu)
{
	vcpu->wake.at = vcpu_next_deadline(vcpu);
	if (vcpu->wake.at - rdtsc() > tsc_hz / 1000 * PROMPT_MS && others_are_halted(vcpu))
		show_prompt(vcpu->vm);
	vcpu_put(vcpu);
	lock_acquire(&sched.lock);
	/* A kick that came before the vCPU was on the list has left its request. */
	if (has_to_wait(vcpu) || __atomic_load_n(&vcpu->regs.requests, __ATOMIC_ACQUIRE) &
					 ~(uint32_t)VCPU_REQUEST_HALT) {
		push_ready(vcpu);
	} else {
		begin_halt(vcpu);
	}
	lock_release(&sched.lock);
}

static void gather_vcpu(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;
	unsigned n_gone;

	/* Nobody will see the state of a vCPU that is reverted. */
	if (__atomic_load_n(&vm->actions, __ATOMIC_RELAXED) == VM_REVERT)
		vcpu_drop(vcpu);
	else
		vcpu_put(vcpu);
	n_gone = vm_gathered(vm);
	if (n_gone == 0)
		return;
	lock_acquire(&sched.lock);
	sched.n_alive -= n_gone;
	/* The boot processor has the rest to do. */
	if (sched.n_alive == 0 && cpus[0] != this_cpu())
		host_apic_send_wake(cpus[0]->apic_id);
	lock_release(&sched.lock);
}

static bool others_ready(void)
{
	return __atomic_load_n(&sched.ready, __ATOMIC_RELAXED) != NULL;
}

bool sched_is_wanted(void)
{
	return others_ready() || sched_next_deadline() <= rdtsc();
}

/* Typed input and timers of vCPUs that wait. */
static void look_around(struct cpu *cpu)
{
	if (cpu->index == 0) {
		guest_console_poll();
		(void)console_poll();
	}
	if (sched_next_deadline() > rdtsc())
		return;
	lock_acquire(&sched.lock);
	wake_due(rdtsc());
	lock_release(&sched.lock);
}

static void leave_processor(struct vcpu *vcpu, enum vcpu_leave leave)
{
	switch (leave) {
	case VCPU_HALTED:
		halt_vcpu(vcpu);
		return;
	case VCPU_GATHERED:
		gather_vcpu(vcpu);
		return;
	case VCPU_PREEMPTED:
		vcpu_put(vcpu);
		sched_make_ready(vcpu, 1);
		return;
	}
}

static unsigned slice_ms(const struct cpu *cpu)
{
	return cpu->index == 0 && monitor_is_on() ? PROMPT_SLICE_MS : SLICE_MS;
}

/* Run one vCPU as long as it wants and nobody else does. */
static void run_vcpu(struct cpu *cpu, struct vcpu *vcpu)
{
	enum vcpu_leave leave;

	vcpu_load(vcpu, cpu);
	do {
		leave = vcpu_run(vcpu, rdtsc() + tsc_hz / 1000 * slice_ms(cpu));
		look_around(cpu);
		paging_sync();
	} while (leave == VCPU_PREEMPTED && !others_ready() && !has_to_wait(vcpu));

	leave_processor(vcpu, leave);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* When the boot processor has to look at the console again, UINT64_MAX: never. */
static uint64_t next_console_look(const struct cpu *cpu)
{
	if (cpu->index != 0)
		return UINT64_MAX;
	return rdtsc() +
	       tsc_hz / 1000 *
		       (console_poll() || monitor_is_waiting() ? CONSOLE_SEND_MS : CONSOLE_POLL_MS);
}

/* Until a timer, a kick, or the time to look at the console. */
static void wait_for_work(struct cpu *cpu)
{
	uint64_t until = earlier(next_console_look(cpu), vm_merge_deadline(cpu));

	lock_acquire(&sched.lock);
	until = earlier(until, sched.next_deadline);
	__atomic_store_n(&cpu->idle, sched.ready == NULL, __ATOMIC_RELEASE);
	lock_release(&sched.lock);
	if (!__atomic_load_n(&cpu->idle, __ATOMIC_RELAXED))
		return;
	if (until == UINT64_MAX)
		host_apic_timer_stop();
	else
		host_apic_timer_set(until);
	cpu_wait();
	vm_merge_woke(cpu);
	__atomic_store_n(&cpu->idle, false, __ATOMIC_RELAXED);
}

void sched_run(struct cpu *cpu)
{
	for (;;) {
		struct vcpu *vcpu;
		bool done;

		look_around(cpu);
		lock_acquire(&sched.lock);
		vcpu = pop_ready();
		done = sched.n_alive == 0 && !monitor_holds_machine();
		lock_release(&sched.lock);
		if (vcpu)
			run_vcpu(cpu, vcpu);
		else if (done && cpu->index == 0)
			return;
		else if (!vm_merge_work())
			wait_for_work(cpu);
	}
}
