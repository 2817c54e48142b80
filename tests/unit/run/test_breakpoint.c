/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/run/breakpoint.h"

#include "tests/unit/support.h"

/* DR7 with breakpoint i enabled by 'how', and its R/W and LEN fields. */
static uint64_t control(unsigned i, uint64_t how, uint64_t rw, uint64_t len)
{
	return how << (2 * i) | rw << (16 + 4 * i) | len << (18 + 4 * i);
}

static void an_access_that_overlaps_an_io_breakpoint_hits_it(void **state)
{
	static const struct {
		uint64_t how, rw, len, address;
		uint16_t port;
		unsigned size;
		bool hit;
	} cases[] = {
		{1, 2, 0, 0x60, 0x60, 1, true},	 {2, 2, 0, 0x60, 0x60, 1, true},
		{0, 2, 0, 0x60, 0x60, 1, false}, /* off */
		{1, 1, 0, 0x60, 0x60, 1, false}, /* for data */
		{1, 2, 0, 0x60, 0x61, 1, false}, {1, 2, 0, 0x60, 0x5f, 1, false},
		{1, 2, 0, 0x60, 0x5e, 4, true},	 {1, 2, 3, 0x62, 0x60, 1, true}, /* aligned down */
		{1, 2, 1, 0x60, 0x61, 1, true},	 {1, 2, 1, 0x60, 0x62, 1, false},
		{1, 2, 2, 0x60, 0x67, 1, true},	 {1, 2, 0, UINT64_MAX, 0xffff, 4, false},
	};

	for (unsigned i = 0; i < 4; i++)
		for (size_t j = 0; j < ARRAY_SIZE(cases); j++) {
			uint64_t dr[4] = {0x1000, 0x1000, 0x1000, 0x1000};

			dr[i] = cases[j].address;
			assert_int_equal(breakpoint_match_port(control(i, cases[j].how, cases[j].rw,
								       cases[j].len),
							       dr, cases[j].port, cases[j].size),
					 cases[j].hit ? 1U << i : 0);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_access_that_overlaps_an_io_breakpoint_hits_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
