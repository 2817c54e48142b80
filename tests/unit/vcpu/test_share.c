/* SPDX-License-Identifier: BSD-2-Clause */
/* The fair queue, played through on one to four processors whose slices are SLICE ticks. */
#include "hv/vcpu/share.h"

#include "hv/lib/string.h"
#include "hv/vcpu/vcpu.h"
#include "tests/unit/support.h"

#define SLICE	  50000
#define N_VMS	  10
#define N_VCPUS	  300
#define N_CPUS	  4
#define VCPUS_MAX 255

static struct share_queue queue;
static struct share share[N_VMS];
static struct vcpu vcpu[N_VCPUS];
static unsigned n_vcpus;

/* What runs on each processor, and since when there. */
static struct vcpu *running[N_CPUS];

static struct share *of(const struct vcpu *v)
{
	return (struct share *)v->vm;
}

static int setup(void **state)
{
	memset(&queue, 0, sizeof(queue));
	memset(share, 0, sizeof(share));
	memset(vcpu, 0, sizeof(vcpu));
	memset(running, 0, sizeof(running));
	n_vcpus = 0;
	share_set_lag(&queue, SLICE);
	return 0;
}

static void start(unsigned vm, unsigned n)
{
	for (; n > 0; n--) {
		struct vcpu *v = &vcpu[n_vcpus++];

		v->vm = (struct vm *)&share[vm];
		share_activate(&queue, &share[vm]);
		share_push(&queue, &share[vm], v);
	}
}

static void add_vm(unsigned vm, uint16_t weight, unsigned n)
{
	share[vm].weight = weight;
	start(vm, n);
}

/* One slice of each processor: 'ticks' long, but a whole one is charged. */
static void run_all(unsigned n_cpus)
{
	for (unsigned i = 0; i < n_cpus; i++) {
		struct vcpu *v = running[i];

		if (v) {
			share_charge(&queue, of(v), SLICE);
			if (!share_yields(&queue, of(v)))
				continue;
			share_push(&queue, of(v), v);
		}
		running[i] = share_pop(&queue);
	}
}

static void run_for(unsigned n_cpus, unsigned slices)
{
	while (slices-- > 0)
		run_all(n_cpus);
}

static void assert_near(uint64_t value, uint64_t expected)
{
	if (value < expected - expected / 50 || value > expected + expected / 50)
		fail_msg("%lu, expected %lu", value, expected);
}

static void busy_vms_have_equal_shares(void **state)
{
	for (unsigned i = 0; i < N_VMS; i++)
		add_vm(i, 100, 1);
	run_for(1, 10000);
	for (unsigned i = 0; i < N_VMS; i++)
		assert_near(share[i].used, 1000 * SLICE);
}

static void a_vm_with_many_vcpus_has_one_share(void **state)
{
	add_vm(0, 100, VCPUS_MAX);
	add_vm(1, 100, 1);
	run_for(1, 10000);
	assert_near(share[0].used, 5000 * SLICE);
	assert_near(share[1].used, 5000 * SLICE);
}

static void weights_decide(void **state)
{
	add_vm(0, 100, 1);
	add_vm(1, 200, 1);
	add_vm(2, 10000, 1);
	add_vm(3, 1, 1);
	run_for(1, 1030100);
	assert_near(share[0].used, UINT64_C(10000) * SLICE);
	assert_near(share[1].used, UINT64_C(20000) * SLICE);
	assert_near(share[2].used, UINT64_C(1000000) * SLICE);
	assert_near(share[3].used, UINT64_C(100) * SLICE);
}

/* Slices end early: what counts is the time, not the number of turns. */
static void short_turns_cost_little(void **state)
{
	add_vm(0, 100, 1);
	add_vm(1, 100, 1);
	for (unsigned i = 0; i < 100000; i++) {
		struct vcpu *v = share_pop(&queue);

		share_charge(&queue, of(v), v->vm == vcpu[0].vm ? 700 : SLICE);
		share_push(&queue, of(v), v);
	}
	assert_near(share[0].used, share[1].used);
}

/* A VM that can use one processor only gets that one, however many others there are. */
static void a_vm_that_can_use_little_gets_all_of_it(void **state)
{
	add_vm(0, 100, 1);
	add_vm(1, 100, 4);
	add_vm(2, 100, 4);
	run_for(4, 6000);
	assert_near(share[0].used, UINT64_C(6000) * SLICE);
	assert_near(share[1].used, UINT64_C(9000) * SLICE);
	assert_near(share[2].used, UINT64_C(9000) * SLICE);
	/* It has not saved up what it could not use, and owes nothing that was left over. */
	start(0, 3);
	share[0].used = share[1].used = share[2].used = 0;
	run_for(4, 300);
	assert_near(share[0].used, UINT64_C(400) * SLICE);
	assert_near(share[1].used, UINT64_C(400) * SLICE);
}

static void sleep_and_wake(unsigned vm)
{
	struct vcpu *v = NULL;

	for (unsigned i = 0; i < n_vcpus; i++)
		if (of(&vcpu[i]) == &share[vm])
			v = &vcpu[i];
	share_activate(&queue, &share[vm]);
	share_push(&queue, &share[vm], v);
}

/* A VM that was idle is next, but has not saved up the time. */
static void an_idle_vm_is_next_but_saves_nothing(void **state)
{
	struct vcpu *sleeper;

	add_vm(0, 100, 1);
	sleeper = share_pop(&queue);
	share_charge(&queue, &share[0], SLICE);
	share_deactivate(&queue, of(sleeper));
	add_vm(1, 100, 1);
	run_for(1, 1000);
	assert_near(share[1].used, 999 * SLICE);
	sleep_and_wake(0);
	assert_true(share_yields(&queue, &share[1]));
	share[0].used = share[1].used = 0;
	run_for(1, 1000);
	assert_near(share[0].used, 500 * SLICE);
	assert_near(share[1].used, 500 * SLICE);
}

/* VMs that begin all the time, and soon end, take no more than one does that stays. */
static void a_stream_of_short_vms_starves_nobody(void **state)
{
	uint64_t of_short = 0;

	add_vm(0, 100, 1);
	add_vm(1, 100, 1);
	for (unsigned i = 0; i < 20000; i++) {
		struct vcpu *v = share_pop(&queue);
		uint64_t ticks = v == &vcpu[0] ? SLICE : SLICE / 50;

		share_charge(&queue, of(v), ticks);
		if (v == &vcpu[0]) {
			share_push(&queue, of(v), v);
			continue;
		}
		of_short += ticks;
		share_deactivate(&queue, of(v));
		share[1] = (struct share){.weight = 100};
		share_activate(&queue, &share[1]);
		share_push(&queue, &share[1], v);
	}
	assert_true(share[0].used > of_short / 2);
	assert_true(of_short > share[0].used / 2);
}

/* The same, where the end of each takes ten times as long as it has run. */
static void the_ends_of_short_vms_count(void **state)
{
	uint64_t of_short = 0;

	add_vm(0, 100, 1);
	add_vm(1, 100, 1);
	for (unsigned i = 0; i < 20000; i++) {
		struct vcpu *v = share_pop(&queue);

		if (v == &vcpu[0]) {
			share_charge(&queue, of(v), SLICE);
			share_push(&queue, of(v), v);
			continue;
		}
		share_charge(&queue, of(v), SLICE / 50);
		share_deactivate(&queue, of(v));
		share_charge_end(&queue, 100, SLICE / 5);
		of_short += SLICE / 50 + SLICE / 5;
		share[1] = (struct share){.weight = 100};
		share_activate(&queue, &share[1]);
		share_push(&queue, &share[1], v);
	}
	assert_near(share[0].used, of_short);
}

/* What a VM causes while it does not run is taken from its next turns. */
static void work_outside_a_turn_is_paid_for(void **state)
{
	add_vm(0, 100, 1);
	add_vm(1, 100, 1);
	for (unsigned i = 0; i < 10000; i++) {
		run_all(1);
		if (i % 10 == 0)
			share_charge_work(&queue, &share[1], SLICE / 2);
	}
	assert_near(share[1].used, share[0].used);
	assert_int_equal(queue.weights, 200);
}

static void vcpus_of_a_vm_take_turns(void **state)
{
	add_vm(0, 100, 3);
	for (unsigned i = 0; i < 9; i++) {
		struct vcpu *v = share_pop(&queue);

		assert_ptr_equal(v, &vcpu[i % 3]);
		share_charge(&queue, of(v), SLICE);
		assert_true(share_yields(&queue, of(v)));
		share_push(&queue, of(v), v);
	}
	while (share_pop(&queue))
		;
	assert_null(queue.turns.first);
}

static void the_weights_are_those_of_the_active(void **state)
{
	add_vm(0, 100, 2);
	add_vm(1, 50, 1);
	assert_int_equal(queue.weights, 150);
	share_deactivate(&queue, &share[0]);
	assert_int_equal(queue.weights, 150);
	share_deactivate(&queue, &share[0]);
	assert_int_equal(queue.weights, 50);
	share_deactivate(&queue, &share[1]);
	assert_int_equal(queue.weights, 0);
	share_charge(&queue, &share[0], SLICE); /* its VM was reset, say */
	assert_int_equal(share[0].used, SLICE);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(busy_vms_have_equal_shares),
		TEST(a_vm_with_many_vcpus_has_one_share),
		TEST(weights_decide),
		TEST(short_turns_cost_little),
		TEST(a_vm_that_can_use_little_gets_all_of_it),
		TEST(an_idle_vm_is_next_but_saves_nothing),
		TEST(a_stream_of_short_vms_starves_nobody),
		TEST(the_ends_of_short_vms_count),
		TEST(work_outside_a_turn_is_paid_for),
		TEST(vcpus_of_a_vm_take_turns),
		TEST(the_weights_are_those_of_the_active),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
