/* SPDX-License-Identifier: BSD-2-Clause */
/* What the run loop does about a tree that has changed while its vCPU was being served. */
#include "hv/run/run.c"

#include "tests/unit/support.h"

uint64_t tsc_hz = 1000000000;
struct vcpu_shared vcpu_shared;

static struct vcpu vcpu;
static struct vm vm = {.vcpu = &vcpu};
static bool is_served; /* or the vCPU has nothing to run */
static unsigned n_flushes, n_flushes_in_guest, n_flushes_at_end;

/* Pages are replaced, as when the guest is told its time, or by a device's work. */
bool vcpu_service(struct vcpu *of, enum vcpu_leave *ret)
{
	bool goes_on = is_served;

	vm.ept.generation++;
	is_served = false;
	of->regs.requests = 0;
	*ret = VCPU_HALTED;
	return goes_on;
}

enum vmx_result vmx_run(struct guest_regs *regs)
{
	n_flushes_in_guest = n_flushes;
	regs->requests = VCPU_REQUEST_HALT;
	return VMX_LEFT;
}

void vcpu_flush(struct vcpu *of, uint64_t generation)
{
	assert_true(vm.n_vcpus == 1 || of->runs);
	of->ept_generation = generation;
	n_flushes++;
}

bool sync_enter(struct vcpu *of)
{
	of->runs = true;
	return true;
}

void sync_leave(struct vcpu *of)
{
	of->runs = false;
	n_flushes_at_end = n_flushes;
}

bool vm_crash(struct vm *crashed, const char *fmt, ...)
{
	fail();
	return false;
}

void vcpu_discard_vmcs(struct vcpu *of)
{
	fail();
}

static int set_up(void **state)
{
	vcpu = (struct vcpu){.vm = &vm, .ept = &vm.ept, .regs.requests = VCPU_REQUEST_EVENT};
	vm.ept.generation = 5;
	vm.n_vcpus = 2;
	is_served = false;
	n_flushes = n_flushes_in_guest = n_flushes_at_end = 0;
	return 0;
}

static void old_translations_are_forgotten_before_the_guest_is_entered(void **state)
{
	is_served = true;
	assert_int_equal(vcpu_run(&vcpu), VCPU_HALTED);
	assert_int_equal(n_flushes_in_guest, 1);
	assert_false(vcpu.runs);
}

/* It may not run for long, and the others of the VM would read the old pages meanwhile. */
static void and_by_the_others_before_the_vcpu_leaves(void **state)
{
	assert_int_equal(vcpu_run(&vcpu), VCPU_HALTED);
	assert_int_equal(n_flushes_at_end, 1);
	assert_int_equal(vcpu.ept_generation, 6);
}

static void a_vcpu_without_others_forgets_when_it_runs_again(void **state)
{
	vm.n_vcpus = 1;
	assert_int_equal(vcpu_run(&vcpu), VCPU_HALTED);
	assert_int_equal(n_flushes, 0);
	is_served = true;
	vcpu.regs.requests = VCPU_REQUEST_EVENT;
	assert_int_equal(vcpu_run(&vcpu), VCPU_HALTED);
	assert_int_equal(n_flushes_in_guest, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(old_translations_are_forgotten_before_the_guest_is_entered,
				       set_up),
		cmocka_unit_test_setup(and_by_the_others_before_the_vcpu_leaves, set_up),
		cmocka_unit_test_setup(a_vcpu_without_others_forgets_when_it_runs_again, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
