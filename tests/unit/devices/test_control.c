/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/devices/control.h"

#include "tests/unit/support.h"

static uint32_t debug_exit_write(struct debug_exit *dev, uint64_t value)
{
	return debug_exit_class.write(dev, &(struct io_access){.size = 4, .value = value});
}

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

		assert_int_equal(debug_exit_write(&dev, table[i].value), WISH_DEBUG_EXIT);
		assert_true(dev.status == table[i].status);
	}
}

static void the_first_write_decides(void **state)
{
	struct debug_exit dev = {0};

	assert_int_equal(debug_exit_write(&dev, 0), WISH_DEBUG_EXIT);
	assert_int_equal(debug_exit_write(&dev, 5), 0);
	assert_int_equal(dev.status, 1);
}

static uint32_t control_write(struct control *control, uint64_t off, unsigned size, uint64_t value)
{
	struct io_access access = {.off = off, .size = size, .value = value, .now = 0x500000077};

	return control_class.write(control, &access);
}

static uint64_t control_read(struct control *control, uint64_t off, unsigned size)
{
	return control_class.read(control, &(struct io_access){.off = off, .size = size});
}

static void only_a_clone_can_wish_to_go_back(void **state)
{
	struct control vm = {0}, clone = {.is_clone = true, .n_reverts = 3};

	assert_int_equal(control_write(&vm, 0, 4, CONTROL_FREEZE), WISH_FREEZE);
	assert_int_equal(control_write(&vm, 0, 4, CONTROL_REVERT), 0);
	assert_true(control_read(&vm, 0, 4) == CONTROL_REFUSED);
	assert_int_equal(control_write(&clone, 0, 4, CONTROL_REVERT), WISH_REVERT);
	assert_int_equal(control_read(&clone, 8, 4), 0x77);
	assert_int_equal(control_read(&clone, 12, 4), 3);
}

static void the_control_port_takes_whole_words_only(void **state)
{
	struct control clone = {.is_clone = true, .answer = 5};

	for (uint64_t off = 0; off < CONTROL_N_PORTS; off++)
		for (unsigned size = 1; size <= 4; size *= 2) {
			if (off == 0 && size == 4)
				continue;
			assert_int_equal(control_write(&clone, off, size, CONTROL_FREEZE), 0);
			if (size != 4 || off % 4 != 0)
				assert_true(control_read(&clone, off, size) == UINT64_MAX);
		}
	assert_int_equal(control_read(&clone, 0, 4), 5);
	assert_int_equal(control_read(&clone, 4, 4), CONTROL_SIGNATURE);
	assert_int_equal(control_write(&clone, 0, 4, 77), 0);
	assert_true(control_read(&clone, 0, 4) == CONTROL_REFUSED);
}

static void the_debug_console_returns_the_byte(void **state)
{
	struct io_access access = {.size = 1, .value = 'd'};

	assert_int_equal(debugcon_class.write(NULL, &access), WISH_DEBUGCON | 'd' << 8);
	assert_int_equal(debugcon_class.read(NULL, &access), DEBUGCON_READBACK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_status_is_twice_the_value_and_one),
		cmocka_unit_test(the_first_write_decides),
		cmocka_unit_test(only_a_clone_can_wish_to_go_back),
		cmocka_unit_test(the_control_port_takes_whole_words_only),
		cmocka_unit_test(the_debug_console_returns_the_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
