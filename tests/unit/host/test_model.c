/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/host/model.h"

#include "tests/unit/support.h"

static void crystals_are_known_by_model(void **state)
{
	static const struct {
		uint32_t signature, hz;
	} cases[] = {
		{0x506e3, 24000000}, /* Skylake */
		{0x406e3, 24000000}, /* Skylake mobile */
		{0x906ea, 24000000}, /* Coffee Lake */
		{0x506c9, 19200000}, /* Goldmont */
		{0x506f1, 25000000}, /* Goldmont server */
		{0x706e5, 38400000}, /* Ice Lake mobile */
		{0x50654, 0},	     /* Skylake server: two of them */
		{0x306c3, 0},	     /* Haswell: leaf 0x15 does not exist */
		{0xa20f10, 0},	     /* not Intel's */
		{0x506e3 | 0xf00000, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(model_crystal_hz(cases[i].signature), cases[i].hz);
}

static void the_deadline_timer_needs_microcode_on_some_models(void **state)
{
	assert_int_equal(model_deadline_microcode(0x306c3), 0x22);
	assert_int_equal(model_deadline_microcode(0x306f2), 0x3a);
	assert_int_equal(model_deadline_microcode(0x306f4), 0x0f);
	assert_int_equal(model_deadline_microcode(0x50654), 0x02000014);
	assert_int_equal(model_deadline_microcode(0x50655), 0);
	assert_int_equal(model_deadline_microcode(0x206a7), 0);
	assert_int_equal(model_deadline_microcode(0x906a3), 0);
	assert_int_equal(model_deadline_microcode(0x306f0),
			 0); /* older than the first that has it */
	assert_int_equal(model_deadline_microcode(0xf306c3), 0); /* another family */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crystals_are_known_by_model),
		cmocka_unit_test(the_deadline_timer_needs_microcode_on_some_models),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
