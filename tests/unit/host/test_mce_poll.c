/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/host/mce_poll.h"

#include "hv/host/mce_text.h"
#include "tests/unit/support.h"

#define VALID	    MCE_STATUS_VALID
#define UNCORRECTED (VALID | MCE_STATUS_UNCORRECTED | MCE_STATUS_ENABLED)

static void corrected_errors_are_reported_whatever_the_processor(void **state)
{
	static const uint64_t caps[] = {0, MCG_CAP_RECOVERY, MCG_CAP_COUNTS, UINT64_MAX};

	for (unsigned i = 0; i < ARRAY_SIZE(caps); i++) {
		assert_int_equal(mce_judge(0, caps[i]), MCE_EMPTY);
		assert_int_equal(mce_judge(~VALID, caps[i]), MCE_EMPTY);
		assert_int_equal(mce_judge(VALID, caps[i]), MCE_REPORT);
		assert_int_equal(mce_judge(VALID | MCE_STATUS_OVERFLOW, caps[i]), MCE_REPORT);
	}
}

static void errors_that_the_exception_reports_are_left(void **state)
{
	assert_int_equal(mce_judge(UNCORRECTED, 0), MCE_LEAVE);
	assert_int_equal(mce_judge(UNCORRECTED, MCG_CAP_COUNTS), MCE_LEAVE);
	assert_int_equal(mce_judge(UNCORRECTED | MCE_STATUS_CORRUPT, MCG_CAP_RECOVERY), MCE_LEAVE);
	assert_int_equal(mce_judge(UNCORRECTED | MCE_STATUS_SIGNALED, MCG_CAP_RECOVERY), MCE_LEAVE);
	/* No action is needed, and there is no exception. */
	assert_int_equal(mce_judge(UNCORRECTED, MCG_CAP_RECOVERY), MCE_REPORT);
}

static void only_some_processors_count(void **state)
{
	uint64_t status = VALID | (uint64_t)0x7abc << 38;

	assert_int_equal(mce_count(status, MCG_CAP_COUNTS), 0x7abc);
	assert_int_equal(mce_count(status, ~MCG_CAP_COUNTS), 0);
	assert_int_equal(mce_count(status | MCE_STATUS_UNCORRECTED, MCG_CAP_COUNTS), 0);
}

static void a_storm_is_cut_off_and_counted(void **state)
{
	enum { WINDOW = 1000 };
	struct mce_rate rate = {0};
	unsigned n_hidden = 99;

	for (unsigned i = 0; i < MCE_LINES_MAX; i++) {
		assert_true(mce_rate_allows(&rate, 5000 + i, WINDOW, &n_hidden));
		assert_int_equal(n_hidden, 0);
	}
	for (unsigned i = 0; i < 7; i++)
		assert_false(mce_rate_allows(&rate, 5999, WINDOW, &n_hidden));
	assert_true(mce_rate_allows(&rate, 6000, WINDOW, &n_hidden));
	assert_int_equal(n_hidden, 7);
	assert_true(mce_rate_allows(&rate, 6001, WINDOW, &n_hidden));
	assert_int_equal(n_hidden, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(corrected_errors_are_reported_whatever_the_processor),
		cmocka_unit_test(errors_that_the_exception_reports_are_left),
		cmocka_unit_test(only_some_processors_count),
		cmocka_unit_test(a_storm_is_cut_off_and_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
