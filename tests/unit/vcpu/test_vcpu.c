/* SPDX-License-Identifier: BSD-2-Clause */
/* A vCPU that is made in memory with any contents. */
#include "hv/vcpu/vcpu.c"

#include "tests/unit/support.h"

#define MXCSR 24 /* where XSAVE puts it */

struct machine machine;
uint64_t tsc_hz;

static void the_first_xrstor_finds_a_sound_area(void **state)
{
	static _Alignas(XSAVE_ALIGN) uint8_t area[PAGE_SIZE];
	static struct vcpu vcpu;

	memset(&vcpu, 0xee, sizeof(vcpu));
	vcpu.n_steps = 0;
	memset(area, 0xee, sizeof(area));
	vcpu.xsave_area = area;
	vcpu_create(&vcpu, NULL, 1, NULL, NULL);
	/* MXCSR's reserved bits, and the header but XSTATE_BV. */
	assert_int_equal(*(uint32_t *)&area[MXCSR] & 0xffff0000, 0);
	for (unsigned i = XSAVE_HEADER; i < XSAVE_HEADER + XSAVE_ALIGN; i++)
		assert_int_equal(area[i], 0);
	assert_ptr_equal(vcpu.saved_in, &vcpu);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_xrstor_finds_a_sound_area),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
