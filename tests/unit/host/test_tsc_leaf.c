/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/host/tsc_leaf.h"

#include "tests/unit/support.h"

#define PM_HZ	 UINT64_C(3579545)
#define TRUE_HZ	 UINT64_C(2596100000)
#define SPAN	 (PM_HZ / 100)
#define N_MAX	 6
#define NARROW	 1000 /* ticks */
#define MILLIONS UINT64_C(1000000)

static void leaf_tells_the_frequency_or_zero(void **state)
{
	static const struct {
		uint32_t denominator, numerator, crystal;
		uint64_t hz;
		uint32_t signature;
	} cases[] = {
		{2, 334, 0, 4008000000, 0x506e3}, /* Skylake: 24 MHz */
		{2, 334, 25000000, 4175000000, 0x506e3},
		{3, 375, 0, 3125000000, 0x506f1}, /* Goldmont server: 25 MHz */
		{2, 250, 24000000, 3000000000, 0},
		{2, 302, 0, 0, 0},
		{0, 302, 24000000, 0, 0},
		{2, 0, 24000000, 0, 0},
		{0, 0, 0, 0, 0},
		{3, 0xffffffff, 0xfffffffc, UINT64_C(0xfffffffb00000004) / 3, 0},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cpuid_regs leaf15 = {cases[i].denominator, cases[i].numerator,
					    cases[i].crystal, 0};

		assert_int_equal(tsc_hz_of_leaf(&leaf15, cases[i].signature), cases[i].hz);
	}
}

static void kvm_clock_tells_the_frequency_or_zero(void **state)
{
	/* 1 GHz: a nanosecond each tick; the others with a factor below one. */
	assert_int_equal(tsc_hz_of_kvm_clock(0x80000000, 1), 1000000000);
	assert_int_equal(tsc_hz_of_kvm_clock(0x80000000, 0), 2000000000);
	assert_in_range(tsc_hz_of_kvm_clock(3308784173u, -1), TRUE_HZ - 4, TRUE_HZ + 4);
	assert_int_equal(tsc_hz_of_kvm_clock(0, 0), 0);
	assert_int_equal(tsc_hz_of_kvm_clock(1, 127), 0);
	assert_int_equal(tsc_hz_of_kvm_clock(1, -128), 0);
}

/* Readings every 10 ms, each in the middle of a narrow window. */
static void make_readings(struct tsc_reading readings[N_MAX])
{
	for (uint64_t i = 0; i < N_MAX; i++) {
		uint64_t at = UINT64_C(1) << 50;

		at += i * SPAN * TRUE_HZ / PM_HZ;
		readings[i] = (struct tsc_reading){at - NARROW / 2, at + NARROW / 2, i * SPAN};
	}
}

static uint64_t error_in_millionths(uint64_t hz)
{
	return (hz > TRUE_HZ ? hz - TRUE_HZ : TRUE_HZ - hz) * MILLIONS / TRUE_HZ;
}

static void good_readings_give_the_frequency(void **state)
{
	struct tsc_reading readings[N_MAX];

	make_readings(readings);
	for (unsigned n = 2; n <= N_MAX; n++) {
		struct tsc_measurement result = tsc_measure(readings, n, PM_HZ);

		assert_true(error_in_millionths(result.hz) <= 1);
		assert_true(result.doubt <= 1 + 96 / (n - 1));
		assert_int_equal(result.spread, 0);
	}
}

/* The processor was away for 5 ms between the two reads of the TSC. */
static void a_reading_with_a_wide_window_does_not_count(void **state)
{
	for (unsigned bad = 0; bad < N_MAX; bad++) {
		struct tsc_reading readings[N_MAX];
		struct tsc_measurement result;

		make_readings(readings);
		readings[bad].after += TRUE_HZ / 200;
		result = tsc_measure(readings, N_MAX, PM_HZ);
		assert_true(error_in_millionths(result.hz) <= 1);
		assert_int_equal(result.spread, 0);
		/* Two such readings would be 10 % off. */
		assert_true(error_in_millionths(
				    tsc_measure(&readings[bad ? bad - 1 : 0], 2, PM_HZ).hz) > 1000);
	}
}

/* The processor was away longer than the readings are apart: nothing is known. */
static void a_window_as_wide_as_the_time_is_doubted(void **state)
{
	struct tsc_reading readings[N_MAX];

	make_readings(readings);
	for (unsigned i = 0; i < 2; i++)
		readings[i].after += 2 * SPAN * TRUE_HZ / PM_HZ;
	assert_int_equal(tsc_measure(readings, 2, PM_HZ).doubt, MILLIONS);
}

/* A timer that stands still for a millisecond, or wraps unseen. */
static void a_contradiction_is_told(void **state)
{
	for (unsigned bad = 1; bad < N_MAX; bad++) {
		struct tsc_reading readings[N_MAX];
		struct tsc_measurement result;

		make_readings(readings);
		for (unsigned i = bad; i < N_MAX; i++)
			readings[i].count -= PM_HZ / 1000;
		result = tsc_measure(readings, N_MAX, PM_HZ);
		assert_true(result.spread > 10000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaf_tells_the_frequency_or_zero),
		cmocka_unit_test(kvm_clock_tells_the_frequency_or_zero),
		cmocka_unit_test(good_readings_give_the_frequency),
		cmocka_unit_test(a_reading_with_a_wide_window_does_not_count),
		cmocka_unit_test(a_window_as_wide_as_the_time_is_doubted),
		cmocka_unit_test(a_contradiction_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
