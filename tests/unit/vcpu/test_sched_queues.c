/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The queues of several processors, played through: each has its slice in turn, of SLICE ticks, and
 * takes the next vCPU as hv/processor.c does. VMs start on the boot processor, unless a test says
 * otherwise.
 */
#include "hv/vcpu/sched.h"

#include <asm/prctl.h>
#include <sys/syscall.h>

#include "hv/host/apic.h"
#include "hv/host/cpu.h"
#include "hv/host/tsc.h"
#include "hv/lib/string.h"
#include "hv/vcpu/share.h"
#include "hv/vcpu/vcpu.h"
#include "tests/unit/support.h"

#define SLICE	5000000
#define N_VMS	40
#define N_VCPUS 300
#define N_CPUS	64

/* Declared here, because unistd.h has another pause(). */
long syscall(long number, ...);

struct cpu *cpus[CPU_MAX];
unsigned n_cpus;
uint64_t tsc_hz = 1000000000;

static struct cpu machine[N_CPUS];
static struct vcpu *running[N_CPUS];
static struct share share[N_VMS];
static struct vcpu vcpu[N_VCPUS];
static unsigned n_vcpus;

void host_apic_send_wake(uint32_t apic_id)
{
}

/* The tests' own, because this_cpu() may be read once for a whole function. */
static struct cpu *here;

static void run_on(unsigned index)
{
	here = &machine[index];
	assert_int_equal(syscall(SYS_arch_prctl, ARCH_SET_GS, &machine[index]), 0);
}

static void begin(unsigned n)
{
	memset(machine, 0, sizeof(machine));
	memset(running, 0, sizeof(running));
	memset(share, 0, sizeof(share));
	memset(vcpu, 0, sizeof(vcpu));
	n_vcpus = 0;
	n_cpus = n;
	for (unsigned i = 0; i < n; i++) {
		cpus[i] = &machine[i];
		machine[i].self = &machine[i];
		machine[i].index = i;
		sched_begin(&machine[i]);
	}
	run_on(0);
}

static void add_vm(unsigned vm, uint16_t weight, unsigned n)
{
	share[vm].weight = weight;
	share[vm].home = (uint16_t)here->index;
	for (unsigned i = 0; i < n; i++)
		vcpu[n_vcpus + i].vm = (struct vm *)&share[vm];
	sched_add(&vcpu[n_vcpus], n);
	n_vcpus += n;
}

/* While a vCPU has the processor. */
static void start_vm(unsigned vm, uint16_t weight, unsigned n)
{
	static struct vcpu loaded;

	here->current = &loaded;
	add_vm(vm, weight, n);
	here->current = NULL;
}

static void run_slice(unsigned i)
{
	struct vcpu *v = running[i];

	run_on(i);
	if (v && !sched_charge(v, SLICE))
		return;
	if (v)
		sched_preempt(v, 0);
	running[i] = sched_pop();
}

static void run_for(unsigned slices)
{
	while (slices-- > 0)
		for (unsigned i = 0; i < n_cpus; i++)
			run_slice(i);
}

static void forget_used(void)
{
	for (unsigned i = 0; i < N_VMS; i++)
		share[i].used = 0;
}

/* The VM gets so many slices, within two of a hundred. */
static void assert_slices(unsigned vm, uint64_t expected)
{
	uint64_t value = share[vm].used / SLICE;

	if (value * 50 < expected * 49 || value * 50 > expected * 51)
		fail_msg("VM %u: %lu, expected %lu", vm, value, expected);
}

/* How many processors' queues are the home of one of these VMs. */
static unsigned count_homes(unsigned n)
{
	bool is_home[N_CPUS] = {false};
	unsigned n_homes = 0;

	for (unsigned i = 0; i < n; i++) {
		n_homes += !is_home[share[i].home];
		is_home[share[i].home] = true;
	}
	return n_homes;
}

static void idle_processors_take_what_waits_elsewhere(void **state)
{
	begin(4);
	for (unsigned i = 0; i < 4; i++)
		start_vm(i, 100, 1);
	run_for(1000);
	for (unsigned i = 0; i < 4; i++)
		assert_slices(i, 1000);
	assert_int_equal(count_homes(4), 4);
}

static void shares_are_equal_though_their_number_does_not_divide(void **state)
{
	begin(4);
	for (unsigned i = 0; i < 10; i++)
		start_vm(i, 100, 1);
	run_for(10000);
	for (unsigned i = 0; i < 10; i++)
		assert_slices(i, 4000);
	begin(2);
	for (unsigned i = 0; i < 3; i++)
		start_vm(i, 100, 1);
	run_for(3000);
	for (unsigned i = 0; i < 3; i++)
		assert_slices(i, 2000);
}

static void weights_decide_on_all_processors(void **state)
{
	begin(2);
	start_vm(0, 300, 1);
	for (unsigned i = 1; i < 6; i++)
		start_vm(i, 100, 1);
	run_for(20000);
	assert_slices(0, 15000);
	for (unsigned i = 1; i < 6; i++)
		assert_slices(i, 5000);
}

/* One that cannot use its share leaves the rest to the others, who share it. */
static void a_heavy_vm_gets_one_processor(void **state)
{
	begin(2);
	start_vm(0, 10000, 1);
	for (unsigned i = 1; i < 5; i++)
		start_vm(i, 100, 1);
	run_for(10000);
	assert_slices(0, 10000);
	for (unsigned i = 1; i < 5; i++)
		assert_slices(i, 2500);
}

static void a_vm_with_many_vcpus_has_one_share(void **state)
{
	begin(4);
	start_vm(0, 100, 255);
	for (unsigned i = 1; i < 8; i++)
		start_vm(i, 100, 1);
	run_for(20000);
	for (unsigned i = 0; i < 8; i++)
		assert_slices(i, 10000);
}

static void a_vm_that_can_use_little_gets_all_of_it(void **state)
{
	begin(4);
	start_vm(0, 100, 1);
	start_vm(1, 100, 4);
	start_vm(2, 100, 4);
	run_for(6000);
	assert_slices(0, 6000);
	assert_slices(1, 9000);
	assert_slices(2, 9000);
}

/* On many processors a look reaches some of them only. */
static void shares_are_equal_on_many_processors(void **state)
{
	begin(32);
	for (unsigned i = 0; i < 40; i++)
		start_vm(i, 100, 1);
	run_for(20000);
	for (unsigned i = 0; i < 40; i++)
		assert_slices(i, 16000);
}

/* A processor that has had no VM for long is no better place to begin. */
static void where_a_vm_begins_does_not_matter(void **state)
{
	begin(2);
	start_vm(0, 100, 2);
	run_for(10000);
	run_on(1);
	start_vm(1, 100, 2);
	run_on(0);
	start_vm(2, 100, 2);
	forget_used();
	run_for(300);
	for (unsigned i = 0; i < 3; i++)
		assert_slices(i, 200);
}

/* What it has used while there were processors enough, and would wait for long because of. */
static void a_vm_owes_little_for_what_none_else_wanted(void **state)
{
	begin(2);
	start_vm(0, 1, 1);
	start_vm(1, 100, 1);
	run_for(10000);
	assert_slices(0, 10000);
	run_on(share[0].home);
	start_vm(2, 100, 1);
	forget_used();
	run_for(4000);
	assert_slices(1, 3980);
	assert_slices(2, 3980);
	assert_in_range(share[0].used / SLICE, 20, 80);
}

/* The next one begins where one has ended. */
static void a_stream_of_short_vms_has_the_share_of_one(void **state)
{
	uint64_t n_short = 0;

	begin(2);
	for (unsigned i = 0; i < 3; i++)
		start_vm(i, 100, 1);
	start_vm(3, 100, 1);
	for (unsigned slice = 0; slice < 4000; slice++) {
		run_for(1);
		for (unsigned i = 0; i < n_cpus; i++) {
			struct vcpu *v = running[i];

			if (v == NULL || v->vm != (struct vm *)&share[3])
				continue;
			run_on(i);
			(void)sched_charge(v, SLICE / 10);
			n_short++;
			sched_gather(v, 0);
			share[3] = (struct share){.weight = 100, .home = (uint16_t)i};
			sched_remove(1, 100, SLICE - SLICE / 10);
			sched_add(v, 1);
			running[i] = sched_pop();
		}
	}
	assert_in_range(n_short, 1000, 4000);
	for (unsigned i = 0; i < 3; i++)
		assert_in_range(share[i].used / SLICE, 1500, 3000);
}

static void a_new_vm_goes_past_the_queue(void **state)
{
	begin(2);
	add_vm(0, 100, 1);
	assert_true(sched_is_parked(&vcpu[0]));
	assert_true(sched_is_wanted(&machine[0]));
	assert_false(sched_begin_idle(&machine[0]));
	run_on(1);
	assert_null(sched_pop());
	run_on(0);
	assert_ptr_equal(sched_pop(), &vcpu[0]);
	assert_false(sched_is_parked(&vcpu[0]));
	assert_int_equal(share[0].n_active, 1);
	assert_int_equal(machine[0].queue.shares.weights, 100);
	sched_preempt(&vcpu[0], SLICE);
	assert_ptr_equal(sched_pop(), &vcpu[0]);
}

/* Only one goes past the queue, and only if its processor takes the next vCPU soon. */
static void other_new_vms_are_for_all_processors(void **state)
{
	begin(2);
	add_vm(0, 100, 1);
	add_vm(1, 100, 1);
	run_on(1);
	assert_ptr_equal(sched_pop(), &vcpu[1]);
	start_vm(2, 100, 1);
	run_on(0);
	assert_ptr_equal(sched_pop(), &vcpu[0]);
	assert_ptr_equal(sched_pop(), &vcpu[2]);
	machine[1].queue.has_begun = false;
	run_on(1);
	add_vm(3, 100, 1);
	run_on(0);
	assert_ptr_equal(sched_pop(), &vcpu[3]);
}

static void a_new_vm_is_not_before_those_that_are_further_behind(void **state)
{
	begin(2);
	start_vm(0, 100, 1);
	start_vm(1, 100, 1);
	share[2].turn.at = machine[0].queue.shares.now;
	add_vm(2, 100, 1);
	assert_ptr_equal(sched_pop(), &vcpu[0]);
	assert_int_equal(share[2].n_active, 1);
	run_on(1);
	assert_ptr_equal(sched_pop(), &vcpu[1]);
	assert_ptr_equal(sched_pop(), &vcpu[2]);
	/* Nor before one elsewhere that a look has found. */
	start_vm(3, 100, 1);
	run_on(0);
	add_vm(4, 100, 1);
	machine[0].queue.other = &machine[1];
	assert_ptr_equal(sched_pop(), &vcpu[3]);
	assert_ptr_equal(sched_pop(), &vcpu[4]);
}

static void a_new_vm_that_is_stopped_is_set_aside(void **state)
{
	begin(1);
	add_vm(0, 100, 1);
	sched_pause(&vcpu[0], 1, true);
	assert_null(sched_pop());
	assert_true(sched_are_aside(&vcpu[0], 1));
	assert_int_equal(share[0].n_active, 0);
	sched_pause(&vcpu[0], 1, false);
	assert_ptr_equal(sched_pop(), &vcpu[0]);
}

/* Another vCPU of its VM may become ready first: the two take turns. */
static void a_new_vcpu_beside_a_ready_one_waits_for_its_turn(void **state)
{
	begin(1);
	start_vm(0, 100, 1);
	add_vm(0, 100, 1);
	assert_ptr_equal(sched_pop(), &vcpu[0]);
	assert_int_equal(share[0].n_active, 2);
	assert_ptr_equal(sched_pop(), &vcpu[1]);
	assert_null(sched_pop());
}

static void a_vm_stays_where_another_of_its_vcpus_runs(void **state)
{
	begin(3);
	start_vm(0, 100, 2);
	run_for(1);
	assert_int_equal(share[0].home, 0);
	assert_true(running[0] && running[1] && !running[2]);
	run_on(0);
	sched_halt(running[0], UINT64_MAX, 0);
	running[0] = NULL;
	run_on(1);
	sched_preempt(running[1], 0);
	running[1] = NULL;
	run_slice(2);
	assert_int_equal(share[0].home, 2);
	/* A request makes it ready there. */
	run_on(0);
	for (unsigned i = 0; i < 2; i++)
		if (vcpu[i].is_halted)
			sched_request(&vcpu[i], VCPU_REQUEST_EVENT);
	assert_int_equal(machine[0].queue.behind, 0);
	assert_int_not_equal(machine[2].queue.behind, 0);
}

/* The deadline of a vCPU stays where it halted, wherever its VM is. */
static void a_halted_vcpu_wakes_at_its_vms_home(void **state)
{
	begin(2);
	start_vm(0, 100, 2);
	run_for(1);
	run_on(1);
	sched_halt(running[1], 100, 0);
	assert_int_equal(sched_next_deadline(&machine[1]), 100);
	assert_int_equal(share[0].home, 0);
	sched_wake_due(&machine[1], 100);
	assert_int_equal(machine[1].queue.behind, 0);
	assert_int_not_equal(machine[0].queue.behind, 0);
	assert_ptr_equal(sched_pop(), running[1]);
	/* And a request from there takes it out of the other processor's heap. */
	sched_halt(running[1], 200, 0);
	run_on(0);
	sched_request(running[1], VCPU_REQUEST_EVENT);
	assert_int_equal(sched_next_deadline(&machine[1]), UINT64_MAX);
	assert_ptr_equal(sched_pop(), running[1]);
}

/* Its owner takes it soon: the one that looks does not wait, and the VM does not move. */
static void a_vm_does_not_move_to_a_queue_in_use(void **state)
{
	begin(2);
	start_vm(0, 100, 1);
	run_on(1);
	lock_acquire(&machine[1].queue.lock);
	assert_ptr_equal(sched_pop(), &vcpu[0]);
	lock_release(&machine[1].queue.lock);
	assert_int_equal(share[0].home, 0);
	assert_false(sched_charge(&vcpu[0], SLICE));
	start_vm(1, 100, 1);
	assert_true(sched_charge(&vcpu[0], SLICE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(idle_processors_take_what_waits_elsewhere),
		cmocka_unit_test(shares_are_equal_though_their_number_does_not_divide),
		cmocka_unit_test(weights_decide_on_all_processors),
		cmocka_unit_test(a_heavy_vm_gets_one_processor),
		cmocka_unit_test(a_vm_with_many_vcpus_has_one_share),
		cmocka_unit_test(a_vm_that_can_use_little_gets_all_of_it),
		cmocka_unit_test(shares_are_equal_on_many_processors),
		cmocka_unit_test(where_a_vm_begins_does_not_matter),
		cmocka_unit_test(a_vm_owes_little_for_what_none_else_wanted),
		cmocka_unit_test(a_stream_of_short_vms_has_the_share_of_one),
		cmocka_unit_test(a_new_vm_goes_past_the_queue),
		cmocka_unit_test(other_new_vms_are_for_all_processors),
		cmocka_unit_test(a_new_vm_is_not_before_those_that_are_further_behind),
		cmocka_unit_test(a_new_vm_that_is_stopped_is_set_aside),
		cmocka_unit_test(a_new_vcpu_beside_a_ready_one_waits_for_its_turn),
		cmocka_unit_test(a_vm_stays_where_another_of_its_vcpus_runs),
		cmocka_unit_test(a_halted_vcpu_wakes_at_its_vms_home),
		cmocka_unit_test(a_vm_does_not_move_to_a_queue_in_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
