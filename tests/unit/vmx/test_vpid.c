/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/vmx/vpid.h"

#include "tests/unit/support.h"

#define N_VPIDS 65535 /* without the host's */

static bool seen[N_VPIDS + 1];

static void each_is_given_once_in_a_round(void **state)
{
	struct vpid_source source = {0};
	struct vpid vpid;

	for (unsigned i = 0; i < N_VPIDS; i++) {
		assert_int_equal(vpid_give(&source, &vpid), i == 0);
		assert_true(vpid.number != 0 && !seen[vpid.number]);
		assert_true(vpid_is_valid(&source, vpid));
		seen[vpid.number] = true;
	}
	assert_true(vpid_give(&source, &vpid));
	assert_false(vpid_give(&source, &vpid));
}

static void those_of_earlier_rounds_mean_nothing(void **state)
{
	struct vpid_source source = {0};
	struct vpid none = {0}, first, last;

	vpid_give(&source, &first);
	assert_true(vpid_is_valid(&source, first));
	for (unsigned i = 1; i < N_VPIDS; i++)
		vpid_give(&source, &last);
	assert_true(vpid_is_valid(&source, first) && vpid_is_valid(&source, last));
	assert_false(vpid_is_valid(&source, none));
	vpid_give(&source, &none);
	assert_false(vpid_is_valid(&source, first) || vpid_is_valid(&source, last));
	assert_true(vpid_is_valid(&source, none));
	assert_int_equal(first.number, none.number);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_given_once_in_a_round),
		cmocka_unit_test(those_of_earlier_rounds_mean_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
