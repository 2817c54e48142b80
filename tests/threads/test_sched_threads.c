/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processors as threads, under ThreadSanitizer, that take vCPUs from each other, halt them and wait
 * for interrupts, while an operator makes requests and stops vCPUs. Each request is seen: a wake-up
 * that is lost is a test that does not end. No vCPU is on two processors.
 */
#include "hv/vcpu/sched.h"

#include <asm/prctl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>

#include "hv/devices/lapic.h"
#include "hv/host/apic.h"
#include "hv/host/cpu.h"
#include "hv/host/io.h"
#include "hv/host/tsc.h"
#include "hv/vcpu/share.h"
#include "hv/vcpu/vcpu.h"
#include "tests/unit/support.h"

enum { N_THREADS = 3, OPERATOR = N_THREADS, N_VCPUS = 6, N_REQUESTS = 3000 };

/* Declared here, because unistd.h has another pause(). */
long syscall(long number, ...);

struct cpu *cpus[CPU_MAX];
unsigned n_cpus;
uint64_t tsc_hz = 1000000;

static struct cpu machine[N_THREADS + 1];
static struct share share[N_VCPUS];
static struct vcpu vcpu[N_VCPUS];
static bool is_woken[N_THREADS + 1];		    /* atomic */
static bool is_done;				    /* atomic */
static uint64_t n_wanted[N_VCPUS], n_seen[N_VCPUS]; /* requests; atomic */
static uint64_t n_turns[N_THREADS];		    /* each thread's own */
static unsigned n_runs[N_VCPUS], n_wrong;	    /* on how many processors; atomic */

void host_apic_send_wake(uint32_t apic_id)
{
	__atomic_store_n(&is_woken[apic_id], true, __ATOMIC_SEQ_CST);
}

static void be(unsigned index)
{
	assert_int_equal(syscall(SYS_arch_prctl, ARCH_SET_GS, &machine[index]), 0);
}

static void set_current(struct cpu *cpu, struct vcpu *v)
{
	if (v)
		__atomic_store_n(&v->last_cpu, cpu, __ATOMIC_RELAXED);
	__atomic_store_n(&cpu->current, v, __ATOMIC_SEQ_CST);
}

/* Each vCPU halts most times: with a deadline that has come, one that comes soon, or none. */
static void park(struct vcpu *v, uint64_t turn)
{
	switch (turn % 5) {
	case 0:
		sched_preempt(v, 100);
		break;
	case 1:
		sched_halt(v, rdtsc() + 20000, 100);
		break;
	case 2:
		sched_halt(v, 1, 100);
		break;
	default:
		sched_halt(v, UINT64_MAX, 100);
		break;
	}
}

static void take_turn(struct cpu *cpu, struct vcpu *v)
{
	unsigned i = (unsigned)(v - vcpu);
	uint64_t wanted;

	if (__atomic_fetch_add(&n_runs[i], 1, __ATOMIC_RELAXED) != 0)
		__atomic_fetch_add(&n_wrong, 1, __ATOMIC_RELAXED);
	set_current(cpu, v);
	__atomic_exchange_n(&v->regs.requests, 0, __ATOMIC_SEQ_CST);
	wanted = __atomic_load_n(&n_wanted[i], __ATOMIC_SEQ_CST);
	__atomic_store_n(&n_seen[i], wanted, __ATOMIC_SEQ_CST);
	(void)sched_charge(v, 3000);
	set_current(cpu, NULL);
	__atomic_fetch_sub(&n_runs[i], 1, __ATOMIC_RELAXED);
	park(v, n_turns[cpu->index]++);
}

/* Until an interrupt, or the deadline for which the processor has set its timer. */
static void wait_here(struct cpu *cpu)
{
	if (!sched_begin_idle(cpu))
		return;
	while (!__atomic_exchange_n(&is_woken[cpu->index], false, __ATOMIC_SEQ_CST) &&
	       sched_next_deadline(cpu) > rdtsc() && !__atomic_load_n(&is_done, __ATOMIC_RELAXED))
		sched_yield();
	(void)sched_end_idle(cpu);
}

static void *be_processor(void *context)
{
	struct cpu *cpu = &machine[*(const unsigned *)context];

	be(cpu->index);
	while (!__atomic_load_n(&is_done, __ATOMIC_RELAXED)) {
		struct vcpu *v = sched_pop();

		if (v)
			take_turn(cpu, v);
		else
			wait_here(cpu);
		sched_wake_due(cpu, rdtsc());
	}
	return NULL;
}

static void wait_until_seen(unsigned i)
{
	uint64_t wanted = __atomic_load_n(&n_wanted[i], __ATOMIC_SEQ_CST);

	while (__atomic_load_n(&n_seen[i], __ATOMIC_SEQ_CST) < wanted)
		sched_yield();
}

/* A stopped vCPU sees a request when it continues. */
static void make_requests(void)
{
	for (unsigned n = 0; n < N_REQUESTS; n++) {
		unsigned i = n % N_VCPUS;

		wait_until_seen(i);
		__atomic_fetch_add(&n_wanted[i], 1, __ATOMIC_SEQ_CST);
		if (n % 16 == 0)
			sched_pause(&vcpu[i], 1, true);
		sched_request(&vcpu[i], VCPU_REQUEST_EVENT);
		(void)sched_is_parked(&vcpu[i]);
		if (n % 16 == 0)
			sched_pause(&vcpu[i], 1, false);
	}
	for (unsigned i = 0; i < N_VCPUS; i++)
		wait_until_seen(i);
}

static void begin(unsigned n_vcpus_of_each)
{
	is_done = false;
	n_cpus = N_THREADS + 1;
	for (unsigned i = 0; i < n_cpus; i++) {
		machine[i] = (struct cpu){.self = &machine[i], .index = i, .apic_id = i};
		cpus[i] = &machine[i];
		sched_begin(&machine[i]);
	}
	be(0);
	for (unsigned i = 0; i < N_VCPUS; i++) {
		share[i] = (struct share){.weight = 100};
		vcpu[i] = (struct vcpu){.vm = (struct vm *)&share[i / n_vcpus_of_each]};
		n_wanted[i] = n_seen[i] = 0;
	}
	for (unsigned i = 0; i < N_VCPUS; i += n_vcpus_of_each)
		sched_add(&vcpu[i], n_vcpus_of_each);
}

static void run(unsigned n_vcpus_of_each)
{
	unsigned self[N_THREADS] = {0, 1, 2};
	pthread_t thread[N_THREADS];

	begin(n_vcpus_of_each);
	for (unsigned i = 0; i < N_THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, be_processor, &self[i]), 0);
	be(OPERATOR);
	make_requests();
	__atomic_store_n(&is_done, true, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < N_THREADS; i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);
	assert_int_equal(n_wrong, 0);
	assert_false(sched_is_empty());
}

static void requests_reach_vms_with_one_vcpu(void **state)
{
	run(1);
}

static void requests_reach_vms_with_several_vcpus(void **state)
{
	run(3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_reach_vms_with_one_vcpu),
		cmocka_unit_test(requests_reach_vms_with_several_vcpus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
