/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/vmx/vpid.h"

#include "tests/unit/support.h"

#define N_OWN (65536 - 2) /* without the host's and the shared one */

static bool seen[65536];

static void each_is_given_once_and_then_one_is_shared(void **state)
{
	for (unsigned i = 0; i < N_OWN; i++) {
		uint16_t vpid = vpid_alloc();

		assert_true(vpid > VPID_SHARED && !seen[vpid]);
		seen[vpid] = true;
	}
	assert_int_equal(vpid_alloc(), VPID_SHARED);
	assert_int_equal(vpid_alloc(), VPID_SHARED);
	vpid_free(VPID_SHARED);
	assert_int_equal(vpid_alloc(), VPID_SHARED);
}

static void a_freed_one_is_given_again(void **state)
{
	for (unsigned vpid = 2; vpid < 65536; vpid += 4711) {
		vpid_free((uint16_t)vpid);
		assert_int_equal(vpid_alloc(), vpid);
		assert_int_equal(vpid_alloc(), VPID_SHARED);
	}
	for (unsigned vpid = 2; vpid < 65536; vpid++)
		vpid_free((uint16_t)vpid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_given_once_and_then_one_is_shared),
		cmocka_unit_test(a_freed_one_is_given_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
