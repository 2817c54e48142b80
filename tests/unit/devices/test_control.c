/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/devices/control.h"

#include "tests/unit/support.h"

static void the_status_is_twice_the_value_and_one(void **state)
{
	static const struct {
		uint64_t value;
		uint32_t status;
	} table[] = {{0, 1},
		     {1, 3},
		     {0x10, 0x21},
		     {0xff, 0x1ff},
		     {0x7fffffff, 0xffffffff},
		     {0xffffffff, 0xffffffff}};

	for (unsigned i = 0; i < ARRAY_SIZE(table); i++) {
		struct debug_exit dev = {0};

		debug_exit_write(&dev, table[i].value);
		assert_true(dev.requested);
		assert_true(dev.status == table[i].status);
	}
}

static void the_first_write_decides(void **state)
{
	struct debug_exit dev = {0};

	debug_exit_write(&dev, 0);
	debug_exit_write(&dev, 5);
	assert_int_equal(dev.status, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_status_is_twice_the_value_and_one),
		cmocka_unit_test(the_first_write_decides),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
