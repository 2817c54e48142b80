/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/vm/vm.h"

#include "tests/unit/support.h"

static struct vm template, clone, inner;

static int set_up(void **state)
{
	template = (struct vm){.name = "t"};
	clone = (struct vm){.template = &template, .number = 12, .index = 40};
	inner = (struct vm){.template = &clone, .number = 3, .index = 41};
	return 0;
}

static void a_name_of_the_configuration_is_the_vm_s(void **state)
{
	clone.name = "line";
	assert_string_equal(vm_name(&template), "t");
	assert_string_equal(vm_name(&clone), "line");
	assert_string_equal(vm_name(&inner), "line-3");
}

static void a_clone_s_name_is_made_when_it_is_asked_for(void **state)
{
	const char *name;

	assert_null(clone.name);
	name = vm_name(&clone);
	assert_string_equal(name, "t-12");
	assert_ptr_equal(name, clone.own_name);
	clone.number = 99;
	assert_ptr_equal(vm_name(&clone), name);
	assert_string_equal(name, "t-12");
}

static void so_is_that_of_its_template(void **state)
{
	assert_string_equal(vm_name(&inner), "t-12-3");
	assert_ptr_equal(clone.name, clone.own_name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_name_of_the_configuration_is_the_vm_s, set_up),
		cmocka_unit_test_setup(a_clone_s_name_is_made_when_it_is_asked_for, set_up),
		cmocka_unit_test_setup(so_is_that_of_its_template, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
