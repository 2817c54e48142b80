/* SPDX-License-Identifier: BSD-2-Clause */
/* On the array of tests/unit/run/vmcs/ in place of a VMCS. */
#include "hv/run/exit_misc.c"

#include "tests/unit/support.h"

uint64_t test_vmcs[TEST_VMCS_FIELDS];
struct vcpu_shared vcpu_shared;

static struct vcpu vcpu;

void vcpu_inject_exception(struct vcpu *into, unsigned vector)
{
}

void vcpu_inject_exception_error(struct vcpu *into, unsigned vector, uint32_t error)
{
}

bool vm_crash(struct vm *crashed, const char *fmt, ...)
{
	return true;
}

void vm_tell(struct vm *about, enum vm_told what, enum log_level level, const char *fmt, ...)
{
}

void vm_reset(struct vm *reset)
{
}

/* How often the vCPU leaves its processor in 'n' exits by PAUSE. */
static unsigned leaves_in(unsigned n)
{
	unsigned n_leaves = 0;

	for (unsigned i = 0; i < n; i++) {
		vcpu.regs.requests = 0;
		assert_int_equal(exit_pause(&vcpu), EXIT_NEXT);
		n_leaves += vcpu.regs.requests == VCPU_REQUEST_LEAVE;
	}
	return n_leaves;
}

static void a_loop_of_pauses_yields(void **state)
{
	vcpu_shared.controls.word[CONTROLS_PROC2] = PROC2_PAUSE_LOOP;
	assert_int_equal(leaves_in(1), 1);
	assert_int_equal(leaves_in(1000), 1000);
}

static void without_pause_loop_exiting_some_pauses_yield(void **state)
{
	vcpu_shared.controls.word[CONTROLS_PROC2] = 0;
	assert_int_equal(leaves_in(3), 0);
	assert_int_equal(leaves_in(1), 1);
	assert_int_equal(leaves_in(1000), 250);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_loop_of_pauses_yields),
		cmocka_unit_test(without_pause_loop_exiting_some_pauses_yield),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
