/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/vmx/instruction_error.h"

#include "tests/unit/support.h"

static void the_errors_of_an_entry_have_names(void **state)
{
	assert_string_equal(vmx_instruction_error(7), "invalid control fields");
	assert_string_equal(vmx_instruction_error(8), "invalid host-state fields");
	assert_string_equal(vmx_instruction_error(26), "events blocked by MOV SS");
}

static void other_errors_have_none(void **state)
{
	assert_string_equal(vmx_instruction_error(0), "unknown");
	assert_string_equal(vmx_instruction_error(9), "unknown");
	assert_string_equal(vmx_instruction_error(27), "unknown");
	assert_string_equal(vmx_instruction_error(UINT32_MAX), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_errors_of_an_entry_have_names),
		cmocka_unit_test(other_errors_have_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
