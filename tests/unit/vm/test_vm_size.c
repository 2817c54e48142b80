/* SPDX-License-Identifier: BSD-2-Clause */
/* Before a clone writes, it costs its struct. hv/vm/vm.c lays the struct out. */
#include "hv/vm/vm.h"

#include "tests/unit/support.h"

/* The XSAVE area for x87, SSE and AVX. The state of AVX-512 alone takes half a frame. */
#define XSAVE_AVX 832

static void a_clone_with_one_processor_fits_a_frame(void **state)
{
	size_t len = offsetof(struct vm, platform) + platform_size(1, (struct platform_extras){0}) +
		     sizeof(struct vcpu);

	assert_true(align_up(len, XSAVE_ALIGN) + XSAVE_AVX <= PAGE_SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_clone_with_one_processor_fits_a_frame),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
