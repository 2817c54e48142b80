/* SPDX-License-Identifier: BSD-2-Clause */
/* One vCPU changes the tree while another one leaves its processor. */
#include "hv/run/sync.c"

#include "tests/unit/all_vcpus.h"
#include "tests/unit/support.h"

static struct vcpu vcpus[2];
static struct vm vm = {.vcpu = vcpus, .n_vcpus = 2};
static struct cpu cpu = {.apic_id = 7};
static unsigned n_kicks, n_flushes, n_stopped;

void host_apic_send_wake(uint32_t apic_id)
{
	assert_int_equal(apic_id, 7);
	n_kicks++;
	sync_leave(&vcpus[1]);
}

void vcpu_forget(struct vcpu *vcpu, uint64_t generation)
{
	vcpu->ept_generation = generation;
	n_flushes++;
}

void sched_request(struct vcpu *vcpu, uint32_t requests)
{
	assert_ptr_equal(vcpu, &vcpus[1]);
	assert_int_equal(requests, VCPU_REQUEST_LEAVE);
	n_stopped++;
	sync_leave(vcpu);
}

/* Let vCPU 0 change the tree while vCPU 1 is in the guest, with old translations. */
static int set_up(void **state)
{
	n_kicks = n_flushes = n_stopped = 0;
	vm.ept.generation = 5;
	vm.only_vcpu = NULL;
	for (unsigned i = 0; i < 2; i++)
		vcpus[i] = (struct vcpu){.vm = &vm,
					 .ept = &vm.ept,
					 .runs = true,
					 .ept_generation = 4,
					 .last_cpu = &cpu};
	vcpus[0].has_moved_on = true;
	return 0;
}

static void the_other_processor_is_kicked(void **state)
{
	vcpu_flush(&vcpus[0], 5);
	assert_int_equal(n_kicks, 1);
	assert_int_equal(vcpus[0].ept_generation, 5);
}

/* It was seen in the guest, and then it left and was dropped, as by a revert. */
static void a_vcpu_without_a_processor_is_not_kicked(void **state)
{
	vcpus[1].last_cpu = NULL;
	kick(&vcpus[1]);
	assert_int_equal(n_kicks, 0);
}

static void who_has_caught_up_is_left_alone(void **state)
{
	vcpus[1].ept_generation = 5;
	vcpu_flush(&vcpus[0], 5);
	assert_int_equal(n_kicks, 0);
}

/* The tree has not changed since, or it has. */
static void old_translations_are_forgotten_before_the_guest_is_entered(void **state)
{
	vcpu_flush_if_behind(&vcpus[0]);
	assert_int_equal(n_flushes, 1);
	assert_int_equal(vcpus[0].ept_generation, 5);
	vcpu_flush_if_behind(&vcpus[0]);
	assert_int_equal(n_flushes, 1);
	vm.ept.generation++;
	vcpu_flush_if_behind(&vcpus[0]);
	assert_int_equal(n_flushes, 2);
	assert_int_equal(vcpus[0].ept_generation, 6);
}

/* From the return of sync_stop_others() on, no other vCPU is in the guest. */
static void only_one_vcpu_runs_until_it_lets_the_others_go(void **state)
{
	assert_true(sync_stop_others(&vcpus[0]));
	assert_int_equal(n_stopped, 1);
	assert_false(vcpus[1].runs);
	assert_true(sync_stop_others(&vcpus[0]));
	assert_int_equal(n_stopped, 1);
	assert_true(sync_enter(&vcpus[0]));
	assert_true(vcpus[0].runs);
	assert_false(sync_enter(&vcpus[1]));
	assert_false(vcpus[1].runs); /* no other vCPU waits for it */
	sync_let_others_go(&vcpus[0]);
	assert_true(sync_enter(&vcpus[1]));
	assert_true(vcpus[1].runs);
}

/* Who comes second leaves its processor, and tries again. */
static void two_vcpus_do_not_stop_each_other(void **state)
{
	assert_true(sync_stop_others(&vcpus[0]));
	vcpus[1].regs.requests = 0;
	assert_false(sync_stop_others(&vcpus[1]));
	assert_int_equal(vcpus[1].regs.requests, VCPU_REQUEST_LEAVE);
	sync_let_others_go(&vcpus[0]);
	vcpus[0].runs = false;
	assert_true(sync_stop_others(&vcpus[1]));
	assert_ptr_equal(vm.only_vcpu, &vcpus[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_other_processor_is_kicked, set_up),
		cmocka_unit_test_setup(a_vcpu_without_a_processor_is_not_kicked, set_up),
		cmocka_unit_test_setup(who_has_caught_up_is_left_alone, set_up),
		cmocka_unit_test_setup(old_translations_are_forgotten_before_the_guest_is_entered,
				       set_up),
		cmocka_unit_test_setup(only_one_vcpu_runs_until_it_lets_the_others_go, set_up),
		cmocka_unit_test_setup(two_vcpus_do_not_stop_each_other, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
