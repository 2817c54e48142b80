/* SPDX-License-Identifier: BSD-2-Clause */
/* What a clone costs before it writes: its struct. How it is laid out is in hv/vm/vm.c. */
#include "hv/vm/vm.h"

#include "tests/unit/support.h"

/* x87, SSE and AVX: without AVX-512, whose state alone takes half a frame. */
#define XSAVE_AVX 832

static void a_clone_with_one_processor_fits_a_frame(void **state)
{
	size_t len = offsetof(struct vm, platform) + platform_size(1, false) + sizeof(struct vcpu);

	assert_true(align_up(len, XSAVE_ALIGN) + XSAVE_AVX <= PAGE_SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_clone_with_one_processor_fits_a_frame),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
