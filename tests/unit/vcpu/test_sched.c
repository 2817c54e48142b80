/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scheduler's places, deadlines and requests; test_share.c tests who is next. The test plays
 * two processors in turn: GS points at the one that this_cpu() shall find, and wake-up interrupts
 * to each are counted.
 */
#include "hv/vcpu/sched.h"

#include <asm/prctl.h>
#include <sys/syscall.h>

#include "hv/devices/lapic.h"
#include "hv/host/apic.h"
#include "hv/host/cpu.h"
#include "hv/host/tsc.h"
#include "hv/lib/string.h"
#include "hv/vcpu/share.h"
#include "hv/vcpu/vcpu.h"
#include "tests/unit/support.h"

#define N	      5
#define N_STEPS	      100000
#define FIRST_APIC_ID 40

/* Declared here, because unistd.h has another pause(). */
long syscall(long number, ...);

struct cpu *cpus[CPU_MAX];
unsigned n_cpus;

static struct cpu machine[130];
static unsigned n_wakes[ARRAY_SIZE(machine)];
static struct vcpu vcpu[N];
/* In place of the struct vm that begins with it. All vCPUs are of one VM, unless a test says so. */
static struct share share[N];
uint64_t tsc_hz = 1000000;

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
		sched_begin(&machine[i]);
	}
	memset(share, 0, sizeof(share));
	for (unsigned i = 0; i < N; i++) {
		share[i].weight = 100;
		vcpu[i].vm = (struct vm *)&share[0];
	}
	run_on(0);
	return 0;
}

/* Each test leaves the scheduler empty for the next one. */
static int teardown(void **state)
{
	struct vcpu *next;
	int n_active = 0;

	run_on(0);
	sched_pause(vcpu, N, false);
	for (unsigned i = 0; i < N; i++)
		sched_request(&vcpu[i], VCPU_REQUEST_EVENT);
	while ((next = sched_pop()) != NULL)
		sched_gather(next, 0);
	for (unsigned i = 0; i < N; i++)
		n_active += share[i].n_active;
	return n_active != 0 || machine[0].queue.next_deadline != UINT64_MAX ||
	       machine[1].queue.next_deadline != UINT64_MAX || !sched_is_empty();
}

/* The next vCPU's turn, which ends at once. */
static struct vcpu *take(void)
{
	struct vcpu *next = sched_pop();

	if (next)
		sched_gather(next, 0);
	return next;
}

/* A vCPU begins a turn that no queue has given it. */
static void run_one(unsigned i)
{
	sched_make_ready(&vcpu[i], 1);
	while (sched_pop() != &vcpu[i])
		fail();
}

static void halt(unsigned i, uint64_t until)
{
	run_one(i);
	sched_halt(&vcpu[i], until, 0);
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
	assert_null(take());
	sched_make_ready(vcpu, 3);
	for (unsigned i = 0; i < 9; i++) {
		struct vcpu *next = sched_pop();

		assert_ptr_equal(next, &vcpu[i % 3]);
		assert_false(sched_is_parked(next));
		sched_preempt(next, 1000);
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
}

/* Each ready vCPU wakes one of them, as long as one sleeps. */
static void any_of_many_processors_can_be_idle(void **state)
{
	static const unsigned idle[] = {3, 64, 129};

	for (unsigned i = 0; i < ARRAY_SIZE(idle); i++) {
		run_on(idle[i]);
		assert_true(sched_begin_idle(&machine[idle[i]]));
	}
	sched_end_idle(&machine[64]);
	run_on(0);
	sched_make_ready(vcpu, 4);
	for (unsigned i = 0; i < ARRAY_SIZE(machine); i++)
		assert_int_equal(n_wakes[i], i == 3 || i == 129);
}

static void a_processor_does_not_idle_beside_a_ready_vcpu(void **state)
{
	sched_make_ready(vcpu, 1);
	assert_false(sched_begin_idle(&machine[0]));
	assert_ptr_equal(take(), &vcpu[0]);
	assert_true(sched_begin_idle(&machine[0]));
	sched_end_idle(&machine[0]);
	run_on(1);
	sched_make_ready(vcpu, 1);
	assert_int_equal(n_wakes[0], 0);
}

static void halted_vcpus_wake_at_their_deadlines(void **state)
{
	halt(0, 300);
	halt(1, 100);
	halt(2, UINT64_MAX);
	halt(3, 200);
	assert_int_equal(machine[0].queue.next_deadline, 100);
	sched_wake_due(&machine[0], 99);
	assert_null(take());
	sched_wake_due(&machine[0], 200);
	assert_ptr_equal(take(), &vcpu[1]);
	assert_ptr_equal(take(), &vcpu[3]);
	assert_null(take());
	assert_int_equal(machine[0].queue.next_deadline, 300);
	sched_wake_due(&machine[0], UINT64_MAX - 1);
	assert_ptr_equal(take(), &vcpu[0]);
	assert_null(take());
	assert_int_equal(machine[0].queue.next_deadline, UINT64_MAX);
	assert_true(sched_is_parked(&vcpu[2]));
}

static void a_processor_is_wanted_by_ready_and_due_vcpus(void **state)
{
	assert_false(sched_is_wanted(&machine[0]));
	halt(0, UINT64_MAX - 1);
	assert_false(sched_is_wanted(&machine[0]));
	halt(1, 1);
	assert_true(sched_is_wanted(&machine[0]));
	sched_wake_due(&machine[0], 1);
	assert_int_equal(machine[0].queue.next_deadline, UINT64_MAX - 1);
	assert_true(sched_is_wanted(&machine[0]));
}

static void a_request_wakes_a_halted_vcpu(void **state)
{
	halt(0, 100);
	halt(1, UINT64_MAX);
	sched_request(&vcpu[1], VCPU_REQUEST_EVENT);
	sched_request(&vcpu[0], VCPU_REQUEST_UART);
	assert_int_equal(machine[0].queue.next_deadline, UINT64_MAX);
	assert_ptr_equal(take(), &vcpu[1]);
	assert_ptr_equal(take(), &vcpu[0]);
	assert_true(has_request(0, VCPU_REQUEST_UART));
	assert_true(has_request(1, VCPU_REQUEST_EVENT));
}

static void a_request_before_the_halt_is_not_lost(void **state)
{
	sched_request(&vcpu[0], VCPU_REQUEST_EVENT);
	assert_null(take());
	halt(0, UINT64_MAX);
	assert_ptr_equal(take(), &vcpu[0]);
	sched_request(&vcpu[1], VCPU_REQUEST_HALT);
	halt(1, UINT64_MAX);
	assert_null(take());
}

/* A clone's vCPU whose template never started it need not run to find that out. */
static void a_vcpu_that_waits_for_a_sipi_is_not_ready(void **state)
{
	struct lapic lapic = {0};

	vcpu[1].lapic = &lapic;
	vcpu[1].guest.waits_for_sipi = true;
	vcpu_request(&vcpu[1], VCPU_REQUEST_HALT | VCPU_REQUEST_EVENT | VCPU_REQUEST_TIMER);
	sched_make_ready(vcpu, 2);
	assert_ptr_equal(take(), &vcpu[0]);
	assert_null(take());
	assert_true(sched_is_parked(&vcpu[1]));
	assert_int_equal(share[0].n_active, 0);
	sched_request(&vcpu[1], VCPU_REQUEST_EVENT);
	assert_ptr_equal(take(), &vcpu[1]);
}

static void a_vcpu_that_has_more_to_do_than_wait_is_ready(void **state)
{
	static const uint32_t more[] = {VCPU_REQUEST_GATHER, VCPU_REQUEST_LEAVE, VCPU_REQUEST_START,
					VCPU_REQUEST_VIRTIO};
	struct lapic lapic = {0};

	vcpu[0].lapic = &lapic;
	vcpu[0].guest.waits_for_sipi = true;
	for (unsigned i = 0; i < ARRAY_SIZE(more); i++) {
		vcpu[0].regs.requests = VCPU_REQUEST_HALT | more[i];
		sched_make_ready(vcpu, 1);
		assert_ptr_equal(take(), &vcpu[0]);
	}
	vcpu[0].regs.requests = VCPU_REQUEST_EVENT;
	sched_make_ready(vcpu, 1);
	assert_ptr_equal(take(), &vcpu[0]);
	vcpu[0].regs.requests = VCPU_REQUEST_HALT;
	lapic.sipi_pending = true;
	sched_make_ready(vcpu, 1);
	assert_ptr_equal(take(), &vcpu[0]);
	lapic = (struct lapic){.init_pending = true};
	sched_make_ready(vcpu, 1);
	assert_ptr_equal(take(), &vcpu[0]);
	lapic.init_pending = false;
	vcpu[0].is_paused = true;
	sched_make_ready(vcpu, 1);
	assert_true(sched_are_aside(vcpu, 1));
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
	sched_request(&vcpu[0], VCPU_REQUEST_UART);
	assert_int_equal(n_wakes[1], 1);
	assert_null(take());
	assert_true(has_request(0, VCPU_REQUEST_EVENT) && has_request(0, VCPU_REQUEST_TIMER) &&
		    has_request(0, VCPU_REQUEST_UART));
}

static void a_stopped_vcpu_is_set_aside_until_it_continues(void **state)
{
	sched_pause(vcpu, 2, true);
	assert_false(sched_are_aside(vcpu, 2));
	sched_make_ready(vcpu, 3);
	assert_true(sched_are_aside(vcpu, 2));
	assert_false(sched_are_aside(vcpu, 3));
	assert_true(sched_is_parked(&vcpu[0]));
	assert_ptr_equal(take(), &vcpu[2]);
	assert_null(take());
	sched_request(&vcpu[0], VCPU_REQUEST_EVENT);
	assert_null(take());
	assert_true(has_request(0, VCPU_REQUEST_EVENT));
	sched_pause(vcpu, 2, false);
	assert_ptr_equal(take(), &vcpu[0]);
	assert_ptr_equal(take(), &vcpu[1]);
}

static void each_of_several_can_be_taken_back(void **state)
{
	static const unsigned order[] = {1, 0, 2};

	sched_pause(vcpu, 3, true);
	sched_make_ready(vcpu, 3);
	for (unsigned i = 0; i < ARRAY_SIZE(order); i++) {
		sched_pause(&vcpu[order[i]], 1, false);
		assert_ptr_equal(take(), &vcpu[order[i]]);
		assert_null(take());
	}
}

static void a_halted_vcpu_is_stopped(void **state)
{
	halt(0, 100);
	sched_pause(vcpu, 1, true);
	assert_true(sched_are_aside(vcpu, 1));
	assert_int_equal(machine[0].queue.next_deadline, UINT64_MAX);
	sched_wake_due(&machine[0], 100);
	assert_null(take());
}

static void a_running_vcpu_is_stopped(void **state)
{
	run_one(0);
	load_on(0, 1);
	sched_pause(vcpu, 1, true);
	assert_int_equal(n_wakes[1], 1);
	assert_true(has_request(0, VCPU_REQUEST_LEAVE));
	assert_true(sched_has_to_wait(&vcpu[0]));
	vcpu[0].regs.requests = 0;
	machine[1].current = NULL;
	sched_halt(&vcpu[0], 100, 0);
	assert_true(sched_are_aside(vcpu, 1));
	assert_int_equal(machine[0].queue.next_deadline, UINT64_MAX);
}

static void what_concerns_the_vm_is_done_while_it_is_stopped(void **state)
{
	sched_pause(vcpu, 2, true);
	sched_make_ready(vcpu, 2);
	sched_request(&vcpu[1], VCPU_REQUEST_GATHER);
	assert_false(sched_has_to_wait(&vcpu[1]));
	assert_ptr_equal(take(), &vcpu[1]);
	assert_null(take());
	vcpu[1].regs.requests = 0;
	sched_make_ready(&vcpu[1], 1);
	assert_true(sched_are_aside(vcpu, 2));
}

static void a_deadline_belongs_to_the_processor_of_the_halt(void **state)
{
	halt(0, 300);
	run_on(1);
	halt(1, 100);
	halt(2, 200);
	assert_int_equal(machine[0].queue.next_deadline, 300);
	assert_int_equal(machine[1].queue.next_deadline, 100);
	sched_wake_due(&machine[0], 250);
	assert_null(take());
	/* Another processor takes one of two, and this one the other. */
	run_on(0);
	assert_true(sched_begin_idle(&machine[0]));
	run_on(1);
	sched_wake_due(&machine[1], 150);
	assert_int_equal(n_wakes[0], 0);
	assert_ptr_equal(take(), &vcpu[1]);
	machine[1].current = &vcpu[1];
	sched_wake_due(&machine[1], 250);
	assert_int_equal(n_wakes[0], 1);
	assert_ptr_equal(take(), &vcpu[2]);
	/* A request takes it out of another processor's heap. */
	sched_request(&vcpu[0], VCPU_REQUEST_EVENT);
	assert_int_equal(machine[0].queue.next_deadline, UINT64_MAX);
	assert_ptr_equal(take(), &vcpu[0]);
}

static void a_turn_goes_on_unless_another_vm_is_behind(void **state)
{
	vcpu[1].vm = (struct vm *)&share[1];
	run_one(0);
	assert_false(sched_charge(&vcpu[0], 50000));
	sched_make_ready(&vcpu[1], 1);
	assert_true(sched_charge(&vcpu[0], 50000));
	sched_preempt(&vcpu[0], 1);
	assert_int_equal(share[0].used, 100001);
	assert_ptr_equal(take(), &vcpu[1]);
	assert_ptr_equal(take(), &vcpu[0]);
}

static void the_boot_processor_learns_of_the_last_end(void **state)
{
	sched_add(vcpu, 3);
	assert_false(sched_is_empty());
	for (unsigned i = 0; i < 3; i++)
		assert_ptr_equal(take(), &vcpu[i]);
	run_on(1);
	sched_remove(2, 100, 0);
	assert_int_equal(n_wakes[0], 0);
	assert_false(sched_is_empty());
	sched_remove(1, 100, 0);
	assert_int_equal(n_wakes[0], 1);
	assert_true(sched_is_empty());
	run_on(0);
	sched_add(vcpu, 1);
	assert_ptr_equal(take(), &vcpu[0]);
	sched_remove(1, 100, 0);
	assert_int_equal(n_wakes[0], 1);
}

/* A VM that begins after it is behind by less. */
static void the_end_of_a_vm_counts(void **state)
{
	sched_add(vcpu, 1);
	assert_ptr_equal(take(), &vcpu[0]);
	vcpu[1].vm = (struct vm *)&share[1];
	vcpu[2].vm = (struct vm *)&share[2];
	sched_make_ready(&vcpu[1], 1);
	sched_remove(1, 100, 1000000);
	sched_make_ready(&vcpu[2], 1);
	assert_int_equal(share[2].turn.at - share[1].turn.at, 1000000 / (64 * 200));
}

static void a_vcpu_would_halt_if_nothing_is_due(void **state)
{
	struct lapic lapic = {.pending = -1, .deadline = LAPIC_NO_DEADLINE};

	vcpu[1].lapic = &lapic;
	assert_false(sched_would_halt(&vcpu[1]));
	vcpu_request(&vcpu[1], VCPU_REQUEST_HALT);
	assert_true(sched_would_halt(&vcpu[1]));
	vcpu_request(&vcpu[1], VCPU_REQUEST_TIMER);
	assert_true(sched_would_halt(&vcpu[1]));
	lapic.deadline = 1000;
	assert_false(sched_would_halt(&vcpu[1]));
	lapic.deadline = LAPIC_NO_DEADLINE;
	lapic.pending = 0x30;
	assert_false(sched_would_halt(&vcpu[1]));
	lapic.pending = -1;
	lapic.sipi_pending = true;
	assert_false(sched_would_halt(&vcpu[1]));
	lapic.sipi_pending = false;
	vcpu[1].guest.event = INTR_VALID;
	assert_false(sched_would_halt(&vcpu[1]));
	vcpu[1].guest.event = 0;
	vcpu_request(&vcpu[1], VCPU_REQUEST_VIRTIO);
	assert_false(sched_would_halt(&vcpu[1]));
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
		assert_true(v->wake.at > now && v->wake.at >= machine[0].queue.next_deadline);
	}
}

static void do_something(struct vcpu *v, uint64_t now, bool *is_loaded)
{
	static const uint32_t requests[] = {VCPU_REQUEST_EVENT, VCPU_REQUEST_UART,
					    VCPU_REQUEST_GATHER};

	switch (random_below(*is_loaded ? 4 : 2)) {
	case 0:
		sched_request(v, requests[random_below(ARRAY_SIZE(requests))]);
		break;
	case 1:
		sched_pause(v, 1, random_below(2));
		break;
	case 2:
		sched_preempt(v, random_below(100000));
		*is_loaded = false;
		break;
	case 3:
		sched_halt(v, random_below(3) ? now + 1 + random_below(50) : UINT64_MAX,
			   random_below(100));
		*is_loaded = false;
		break;
	}
}

/* A loaded vCPU serves its requests before it is parked, or leaves with them pending. */
static void no_vcpu_is_lost_in_any_order(void **state)
{
	bool is_loaded[N] = {true, true, true, true, true};
	unsigned n_popped = 0;

	for (unsigned i = 0; i < N; i++) {
		vcpu[i].vm = (struct vm *)&share[i / 2];
		run_one(i);
	}
	for (uint64_t now = 1; now < N_STEPS; now++) {
		unsigned i = (unsigned)random_below(N);
		struct vcpu *next;

		if (is_loaded[i] && random_below(2))
			vcpu[i].regs.requests = 0;
		do_something(&vcpu[i], now, &is_loaded[i]);
		sched_wake_due(&machine[0], now);
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
			sched_preempt(&vcpu[i], 0);
}

/* Only of a vCPU whose guest asks for it. */
static void waiting_is_measured_for_guests_that_ask(void **state)
{
	uint64_t start = rdtsc(), told;

	vcpu[0].guest.kvm.steal_time = 1;
	sched_make_ready(vcpu, 2);
	while (rdtsc() < start + 100000)
		;
	assert_ptr_equal(sched_pop(), &vcpu[0]);
	assert_true(vcpu[0].stolen > 0 && vcpu[0].stolen <= rdtsc() - start);
	assert_ptr_equal(sched_pop(), &vcpu[1]);
	assert_int_equal(vcpu[1].stolen, 0);
	assert_int_equal(vcpu[1].ready_since, 0);
	/* A halted one does not wait. */
	told = vcpu[0].stolen;
	sched_halt(&vcpu[0], 1, 0);
	start = rdtsc();
	while (rdtsc() < start + 1000000)
		;
	start = rdtsc();
	sched_wake_due(&machine[0], 1);
	assert_ptr_equal(sched_pop(), &vcpu[0]);
	assert_true(vcpu[0].stolen - told <= rdtsc() - start);
	sched_preempt(&vcpu[0], 0);
	sched_preempt(&vcpu[1], 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ready_vcpus_run_in_turn),
		TEST(a_ready_vcpu_wakes_one_idle_processor),
		TEST(any_of_many_processors_can_be_idle),
		TEST(a_processor_does_not_idle_beside_a_ready_vcpu),
		TEST(halted_vcpus_wake_at_their_deadlines),
		TEST(a_processor_is_wanted_by_ready_and_due_vcpus),
		TEST(a_request_wakes_a_halted_vcpu),
		TEST(a_request_before_the_halt_is_not_lost),
		TEST(a_vcpu_that_waits_for_a_sipi_is_not_ready),
		TEST(a_vcpu_that_has_more_to_do_than_wait_is_ready),
		TEST(a_request_interrupts_the_processor_that_runs_the_vcpu),
		TEST(a_stopped_vcpu_is_set_aside_until_it_continues),
		TEST(each_of_several_can_be_taken_back),
		TEST(a_halted_vcpu_is_stopped),
		TEST(a_running_vcpu_is_stopped),
		TEST(what_concerns_the_vm_is_done_while_it_is_stopped),
		TEST(a_deadline_belongs_to_the_processor_of_the_halt),
		TEST(a_turn_goes_on_unless_another_vm_is_behind),
		TEST(the_boot_processor_learns_of_the_last_end),
		TEST(the_end_of_a_vm_counts),
		TEST(a_vcpu_would_halt_if_nothing_is_due),
		TEST(waiting_is_measured_for_guests_that_ask),
		TEST(no_vcpu_is_lost_in_any_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
