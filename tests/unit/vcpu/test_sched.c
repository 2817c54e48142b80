/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scheduler's queue, deadlines and requests. The test plays two processors in turn: GS points
 * at the one that this_cpu() shall find, and wake-up interrupts to each are counted.
 */
#include "hv/vcpu/sched.h"

#include <asm/prctl.h>
#include <sys/syscall.h>

#include "hv/host/apic.h"
#include "hv/host/cpu.h"
#include "hv/lib/string.h"
#include "hv/vcpu/vcpu.h"
#include "tests/unit/support.h"

#define N	      5
#define N_STEPS	      100000
#define FIRST_APIC_ID 40

/* Declared here, because unistd.h has another pause(). */
long syscall(long number, ...);

struct cpu *cpus[CPU_MAX];
unsigned n_cpus;

static struct cpu machine[2];
static unsigned n_wakes[2];
static struct vcpu vcpu[N];

void host_apic_send_wake(uint32_t apic_id)
{
	n_wakes[apic_id - FIRST_APIC_ID]++;
}

static void run_on(unsigned index)
{
	assert_int_equal(syscall(SYS_arch_prctl, ARCH_SET_GS, &machine[index]), 0);
}

static int setup(void **state)
{
	memset(vcpu, 0, sizeof(vcpu));
	memset(n_wakes, 0, sizeof(n_wakes));
	memset(machine, 0, sizeof(machine));
	n_cpus = ARRAY_SIZE(machine);
	for (unsigned i = 0; i < n_cpus; i++) {
		cpus[i] = &machine[i];
		machine[i].self = &machine[i];
		machine[i].index = i;
		machine[i].apic_id = FIRST_APIC_ID + i;
	}
	run_on(0);
	return 0;
}

/* Each test leaves the scheduler empty for the next one. */
static int teardown(void **state)
{
	sched_pause(vcpu, N, false);
	for (unsigned i = 0; i < N; i++)
		sched_request(&vcpu[i], VCPU_REQUEST_EVENT);
	while (sched_pop())
		;
	return sched_next_deadline() != UINT64_MAX || !sched_is_empty();
}

static bool has_request(unsigned i, uint32_t request)
{
	return (vcpu[i].regs.requests & request) != 0;
}

static void load_on(unsigned i, unsigned cpu)
{
	vcpu[i].last_cpu = &machine[cpu];
	machine[cpu].current = &vcpu[i];
}

static void ready_vcpus_run_in_turn(void **state)
{
	assert_null(sched_pop());
	sched_make_ready(vcpu, 3);
	for (unsigned i = 0; i < 9; i++) {
		struct vcpu *next = sched_pop();

		assert_ptr_equal(next, &vcpu[i % 3]);
		assert_false(sched_is_parked(next));
		sched_make_ready(next, 1);
		assert_true(sched_is_parked(next));
	}
}

static void a_ready_vcpu_wakes_one_idle_processor(void **state)
{
	run_on(1);
	assert_true(sched_begin_idle(&machine[1]));
	run_on(0);
	sched_make_ready(vcpu, 2);
	assert_int_equal(n_wakes[0], 0);
	assert_int_equal(n_wakes[1], 1);
	assert_false(machine[1].idle);
}

static void a_processor_does_not_idle_beside_a_ready_vcpu(void **state)
{
	assert_false(sched_has_ready());
	sched_make_ready(vcpu, 1);
	assert_true(sched_has_ready());
	assert_false(sched_begin_idle(&machine[0]));
	assert_ptr_equal(sched_pop(), &vcpu[0]);
	assert_true(sched_begin_idle(&machine[0]));
	sched_end_idle(&machine[0]);
	run_on(1);
	sched_make_ready(vcpu, 1);
	assert_int_equal(n_wakes[0], 0);
}

static void halted_vcpus_wake_at_their_deadlines(void **state)
{
	sched_halt(&vcpu[0], 300);
	sched_halt(&vcpu[1], 100);
	sched_halt(&vcpu[2], UINT64_MAX);
	sched_halt(&vcpu[3], 200);
	assert_int_equal(sched_next_deadline(), 100);
	sched_wake_due(99);
	assert_null(sched_pop());
	sched_wake_due(200);
	assert_ptr_equal(sched_pop(), &vcpu[1]);
	assert_ptr_equal(sched_pop(), &vcpu[3]);
	assert_null(sched_pop());
	assert_int_equal(sched_next_deadline(), 300);
	sched_wake_due(UINT64_MAX - 1);
	assert_ptr_equal(sched_pop(), &vcpu[0]);
	assert_null(sched_pop());
	assert_int_equal(sched_next_deadline(), UINT64_MAX);
	assert_true(sched_is_parked(&vcpu[2]));
}

static void a_processor_is_wanted_by_ready_and_due_vcpus(void **state)
{
	assert_false(sched_is_wanted());
	sched_halt(&vcpu[0], UINT64_MAX - 1);
	assert_false(sched_is_wanted());
	sched_halt(&vcpu[1], 1);
	assert_true(sched_is_wanted());
	sched_wake_due(1);
	assert_int_equal(sched_next_deadline(), UINT64_MAX - 1);
	assert_true(sched_is_wanted());
}

static void a_request_wakes_a_halted_vcpu(void **state)
{
	sched_halt(&vcpu[0], 100);
	sched_halt(&vcpu[1], UINT64_MAX);
	sched_request(&vcpu[1], VCPU_REQUEST_EVENT);
	sched_request(&vcpu[0], VCPU_REQUEST_INPUT);
	assert_int_equal(sched_next_deadline(), UINT64_MAX);
	assert_ptr_equal(sched_pop(), &vcpu[1]);
	assert_ptr_equal(sched_pop(), &vcpu[0]);
	assert_true(has_request(0, VCPU_REQUEST_INPUT));
	assert_true(has_request(1, VCPU_REQUEST_EVENT));
}

static void a_request_before_the_halt_is_not_lost(void **state)
{
	sched_request(&vcpu[0], VCPU_REQUEST_EVENT);
	assert_null(sched_pop());
	sched_halt(&vcpu[0], UINT64_MAX);
	assert_ptr_equal(sched_pop(), &vcpu[0]);
	sched_request(&vcpu[1], VCPU_REQUEST_HALT);
	sched_halt(&vcpu[1], UINT64_MAX);
	assert_null(sched_pop());
}

static void a_request_interrupts_the_processor_that_runs_the_vcpu(void **state)
{
	load_on(0, 1);
	sched_request(&vcpu[0], VCPU_REQUEST_EVENT);
	assert_int_equal(n_wakes[1], 1);
	run_on(1);
	sched_request(&vcpu[0], VCPU_REQUEST_TIMER);
	load_on(1, 1);
	run_on(0);
	sched_request(&vcpu[0], VCPU_REQUEST_INPUT);
	assert_int_equal(n_wakes[1], 1);
	assert_null(sched_pop());
	assert_true(has_request(0, VCPU_REQUEST_EVENT) && has_request(0, VCPU_REQUEST_TIMER) &&
		    has_request(0, VCPU_REQUEST_INPUT));
}

static void a_stopped_vcpu_is_set_aside_until_it_continues(void **state)
{
	sched_pause(vcpu, 2, true);
	assert_false(sched_are_aside(vcpu, 2));
	sched_make_ready(vcpu, 3);
	assert_true(sched_are_aside(vcpu, 2));
	assert_false(sched_are_aside(vcpu, 3));
	assert_true(sched_is_parked(&vcpu[0]));
	assert_ptr_equal(sched_pop(), &vcpu[2]);
	assert_null(sched_pop());
	sched_request(&vcpu[0], VCPU_REQUEST_EVENT);
	assert_null(sched_pop());
	assert_true(has_request(0, VCPU_REQUEST_EVENT));
	sched_pause(vcpu, 2, false);
	assert_ptr_equal(sched_pop(), &vcpu[0]);
	assert_ptr_equal(sched_pop(), &vcpu[1]);
}

static void each_of_several_can_be_taken_back(void **state)
{
	static const unsigned order[] = {1, 0, 2};

	sched_pause(vcpu, 3, true);
	sched_make_ready(vcpu, 3);
	for (unsigned i = 0; i < ARRAY_SIZE(order); i++) {
		sched_pause(&vcpu[order[i]], 1, false);
		assert_ptr_equal(sched_pop(), &vcpu[order[i]]);
		assert_null(sched_pop());
	}
}

static void a_halted_vcpu_is_stopped(void **state)
{
	sched_halt(&vcpu[0], 100);
	sched_pause(vcpu, 1, true);
	assert_true(sched_are_aside(vcpu, 1));
	assert_int_equal(sched_next_deadline(), UINT64_MAX);
	sched_wake_due(100);
	assert_null(sched_pop());
}

static void a_running_vcpu_is_stopped(void **state)
{
	load_on(0, 1);
	sched_pause(vcpu, 1, true);
	assert_int_equal(n_wakes[1], 1);
	assert_true(has_request(0, VCPU_REQUEST_LEAVE));
	assert_true(sched_has_to_wait(&vcpu[0]));
	vcpu[0].regs.requests = 0;
	machine[1].current = NULL;
	sched_halt(&vcpu[0], 100);
	assert_true(sched_are_aside(vcpu, 1));
	assert_int_equal(sched_next_deadline(), UINT64_MAX);
}

static void what_concerns_the_vm_is_done_while_it_is_stopped(void **state)
{
	sched_pause(vcpu, 2, true);
	sched_make_ready(vcpu, 2);
	sched_request(&vcpu[1], VCPU_REQUEST_GATHER);
	assert_false(sched_has_to_wait(&vcpu[1]));
	assert_ptr_equal(sched_pop(), &vcpu[1]);
	assert_null(sched_pop());
	vcpu[1].regs.requests = 0;
	sched_make_ready(&vcpu[1], 1);
	assert_true(sched_are_aside(vcpu, 2));
}

static void the_boot_processor_learns_of_the_last_end(void **state)
{
	sched_add(vcpu, 3);
	assert_false(sched_is_empty());
	for (unsigned i = 0; i < 3; i++)
		assert_ptr_equal(sched_pop(), &vcpu[i]);
	run_on(1);
	sched_remove(2);
	assert_int_equal(n_wakes[0], 0);
	assert_false(sched_is_empty());
	sched_remove(1);
	assert_int_equal(n_wakes[0], 1);
	assert_true(sched_is_empty());
	run_on(0);
	sched_add(vcpu, 1);
	assert_ptr_equal(sched_pop(), &vcpu[0]);
	sched_remove(1);
	assert_int_equal(n_wakes[0], 1);
}

static uint64_t random_below(uint64_t n)
{
	static uint64_t seed = 1;

	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (seed >> 33) % n;
}

/* A vCPU is in exactly one place, which its flags, its requests and the time allow. */
static void check_place(const struct vcpu *v, uint64_t now, bool is_loaded)
{
	bool has_to_wait = v->is_paused && !(v->regs.requests & VCPU_REQUEST_GATHER);

	assert_int_equal(v->is_ready + v->is_halted + v->is_aside, !is_loaded);
	if (v->is_aside)
		assert_true(has_to_wait);
	if (v->is_halted) {
		assert_false(has_to_wait);
		assert_true((v->regs.requests & ~(uint32_t)VCPU_REQUEST_HALT) == 0);
		assert_true(v->wake.at > now && v->wake.at >= sched_next_deadline());
	}
}

static void do_something(struct vcpu *v, uint64_t now, bool *is_loaded)
{
	static const uint32_t requests[] = {VCPU_REQUEST_EVENT, VCPU_REQUEST_INPUT,
					    VCPU_REQUEST_GATHER};

	switch (random_below(*is_loaded ? 4 : 2)) {
	case 0:
		sched_request(v, requests[random_below(ARRAY_SIZE(requests))]);
		break;
	case 1:
		sched_pause(v, 1, random_below(2));
		break;
	case 2:
		sched_make_ready(v, 1);
		*is_loaded = false;
		break;
	case 3:
		sched_halt(v, random_below(3) ? now + 1 + random_below(50) : UINT64_MAX);
		*is_loaded = false;
		break;
	}
}

/* A loaded vCPU serves its requests before it is parked, or leaves with them pending. */
static void no_vcpu_is_lost_in_any_order(void **state)
{
	bool is_loaded[N] = {true, true, true, true, true};
	unsigned n_popped = 0;

	for (uint64_t now = 1; now < N_STEPS; now++) {
		unsigned i = (unsigned)random_below(N);
		struct vcpu *next;

		if (is_loaded[i] && random_below(2))
			vcpu[i].regs.requests = 0;
		do_something(&vcpu[i], now, &is_loaded[i]);
		sched_wake_due(now);
		for (unsigned k = 0; k < N; k++)
			check_place(&vcpu[k], now, is_loaded[k]);
		next = random_below(2) ? sched_pop() : NULL;
		if (next == NULL)
			continue;
		n_popped++;
		is_loaded[next - vcpu] = true;
	}
	assert_true(n_popped > N_STEPS / 10);
	for (unsigned i = 0; i < N; i++)
		if (is_loaded[i])
			sched_make_ready(&vcpu[i], 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ready_vcpus_run_in_turn),
		TEST(a_ready_vcpu_wakes_one_idle_processor),
		TEST(a_processor_does_not_idle_beside_a_ready_vcpu),
		TEST(halted_vcpus_wake_at_their_deadlines),
		TEST(a_processor_is_wanted_by_ready_and_due_vcpus),
		TEST(a_request_wakes_a_halted_vcpu),
		TEST(a_request_before_the_halt_is_not_lost),
		TEST(a_request_interrupts_the_processor_that_runs_the_vcpu),
		TEST(a_stopped_vcpu_is_set_aside_until_it_continues),
		TEST(each_of_several_can_be_taken_back),
		TEST(a_halted_vcpu_is_stopped),
		TEST(a_running_vcpu_is_stopped),
		TEST(what_concerns_the_vm_is_done_while_it_is_stopped),
		TEST(the_boot_processor_learns_of_the_last_end),
		TEST(no_vcpu_is_lost_in_any_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
