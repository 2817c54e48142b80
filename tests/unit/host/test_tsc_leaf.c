/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/host/tsc_leaf.h"

#include "tests/unit/support.h"

static void leaves_tell_the_frequency_or_zero(void **state)
{
	static const struct {
		uint32_t denominator, numerator, crystal, base_mhz;
		uint64_t hz;
		uint32_t signature;
	} cases[] = {
		{2, 334, 0, 4000, 4008000000, 0x506e3}, /* Skylake: 24 MHz */
		{2, 334, 25000000, 4000, 4175000000, 0x506e3},
		{3, 375, 0, 2400, 3125000000, 0x506f1}, /* Goldmont server: 25 MHz */
		{2, 250, 24000000, 0, 3000000000, 0},
		{2, 250, 24000000, 2900, 3000000000, 0},
		{2, 302, 0, 3600, 3600000000, 0},
		{2, 302, 0, 0x10000 + 3600, 3600000000, 0}, /* reserved bits */
		{2, 302, 0, 0, 0, 0},
		{0, 302, 24000000, 3600, 0, 0},
		{2, 0, 24000000, 3600, 0, 0},
		{0, 0, 0, 0, 0, 0},
		{3, 0xffffffff, 0xfffffffc, 0, UINT64_C(0xfffffffb00000004) / 3, 0},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cpuid_regs leaf15 = {cases[i].denominator, cases[i].numerator,
					    cases[i].crystal, 0};
		struct cpuid_regs leaf16 = {.eax = cases[i].base_mhz};

		assert_int_equal(tsc_hz_of_leaves(&leaf15, &leaf16, cases[i].signature),
				 cases[i].hz);
	}
}

static void a_measurement_near_the_nominal_value_gives_way_to_it(void **state)
{
	const uint64_t hz = 1193182, nominal = 3000000000;

	assert_int_equal(tsc_hz_of_count(3000000, 1193, hz, 0), 3000457670);
	assert_int_equal(tsc_hz_of_count(3000000, 1193, hz, nominal), nominal);
	assert_int_equal(tsc_hz_of_count(2971000, 1193, hz, nominal), nominal);
	assert_int_equal(tsc_hz_of_count(2900000, 1193, hz, nominal), 2900442414);
	assert_int_equal(tsc_hz_of_count(3100000, 1193, hz, nominal), 3100472925);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaves_tell_the_frequency_or_zero),
		cmocka_unit_test(a_measurement_near_the_nominal_value_gives_way_to_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
