/* SPDX-License-Identifier: BSD-2-Clause */
/* One vCPU changes the tree while another one leaves its processor. */
#include "hv/run/sync.c"

#include "tests/unit/support.h"

static struct vcpu vcpus[2];
static struct vm vm = {.vcpu = vcpus, .n_vcpus = 2};
static struct cpu cpu = {.apic_id = 7};
static unsigned n_kicks;

void host_apic_send_wake(uint32_t apic_id)
{
	assert_int_equal(apic_id, 7);
	n_kicks++;
	sync_leave(&vcpus[1]);
}

void vcpu_forget(struct vcpu *vcpu, uint64_t generation)
{
	vcpu->ept_generation = generation;
}

void sched_request(struct vcpu *vcpu, uint32_t requests)
{
	fail();
}

/* Let vCPU 0 change the tree while vCPU 1 is in the guest, with old translations. */
static int set_up(void **state)
{
	n_kicks = 0;
	vm.ept.generation = 5;
	for (unsigned i = 0; i < 2; i++)
		vcpus[i] = (struct vcpu){
			.vm = &vm, .runs = true, .ept_generation = 4, .last_cpu = &cpu};
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_other_processor_is_kicked, set_up),
		cmocka_unit_test_setup(a_vcpu_without_a_processor_is_not_kicked, set_up),
		cmocka_unit_test_setup(who_has_caught_up_is_left_alone, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
