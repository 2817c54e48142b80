/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/devices/pm.h"

#include "tests/unit/support.h"

static uint64_t pm_read(struct pm *pm, uint16_t port, unsigned size)
{
	return pm_class.read(pm, &(struct io_access){.addr = port, .size = size});
}

static uint32_t pm_write(struct pm *pm, uint16_t port, unsigned size, uint64_t value)
{
	struct io_access access = {.addr = port, .size = size, .value = value};

	return pm_class.write(pm, &access);
}

static struct pm fresh(void)
{
	struct pm pm;

	pm_reset(&pm);
	return pm;
}

/* All 256 values of a one-byte port: which of them end the machine, and how? */
static void only_s5_with_the_enable_bit_powers_off(void **state)
{
	for (unsigned value = 0; value < 256; value++) {
		struct pm pm = fresh();

		bool off = (value & 0x20) && (value >> 2 & 7) == PM_SLEEP_TYPE_S5;

		assert_int_equal(pm_write(&pm, PM_SLEEP_CONTROL_PORT, 1, value),
				 off ? WISH_POWER_OFF : 0);
	}
}

static bool resets(uint16_t port, unsigned size, uint64_t value)
{
	struct pm pm = fresh();
	uint32_t wish = pm_write(&pm, port, size, value);

	assert_true(wish == 0 || wish == WISH_RESET);
	return wish == WISH_RESET;
}

static void each_way_to_reset_has_its_values(void **state)
{
	for (unsigned value = 0; value < 256; value++) {
		assert_int_equal(resets(PM_RESET_PORT, 1, value), value == PM_RESET_VALUE);
		assert_int_equal(resets(0x64, 1, value), value >= 0xf0 && !(value & 1));
		assert_int_equal(resets(0x92, 1, value), value & 1);
		assert_int_equal(resets(0xcf9, 1, value), (value & 4) != 0);
		assert_false(resets(PM_SLEEP_STATUS_PORT, 1, value));
		assert_false(resets(0x61, 1, value));
		assert_false(resets(0x80, 1, value));
	}
}

static void a_wish_leaves_nothing_behind(void **state)
{
	static const uint16_t ports[] = {PM_SLEEP_CONTROL_PORT, PM_RESET_PORT, 0x64, 0x92, 0xcf9};
	struct pm pm = fresh(), before = fresh();

	assert_int_equal(pm_write(&pm, PM_RESET_PORT, 1, PM_RESET_VALUE), WISH_RESET);
	assert_int_equal(pm_write(&pm, PM_SLEEP_CONTROL_PORT, 1, 0x34), WISH_POWER_OFF);
	assert_memory_equal(&pm, &before, sizeof(pm));
	for (unsigned i = 0; i < ARRAY_SIZE(ports); i++)
		assert_int_equal(pm_write(&pm, ports[i], 1, 0), 0);
}

static void the_pci_address_port_is_no_reset(void **state)
{
	struct pm pm = fresh();

	/* Function 7 of device 31: an address that contains the reset port's bits. */
	assert_false(resets(0xcf8, 4, 0x8000ff00));
	assert_false(resets(0xcf8, 2, 0xffff));
	assert_false(resets(0xcf9, 2, 0xffff));
	assert_true(pm_read(&pm, 0xcf8, 4) == UINT64_MAX);
	assert_true(pm_read(&pm, 0xcfc, 4) == UINT64_MAX);
	assert_true(pm_read(&pm, 0xcf9, 2) == UINT64_MAX);
	assert_int_equal(pm_read(&pm, 0xcf9, 1), 0);
	assert_int_equal(pm_write(&pm, 0xcf9, 1, 2), 0);
	assert_int_equal(pm_read(&pm, 0xcf9, 1), 2);
}

static void legacy_ports_never_make_a_guest_wait(void **state)
{
	struct pm pm = fresh();
	uint64_t first = pm_read(&pm, 0x61, 1), second = pm_read(&pm, 0x61, 1);

	assert_int_equal((first ^ second) & 0x10, 0x10);
	assert_int_equal(first & 0x20, 0x20);
	assert_int_equal(first & 0xc0, 0); /* no NMI reason */
	pm_write(&pm, 0x61, 1, 0xff);
	assert_int_equal(pm_read(&pm, 0x61, 1) & 0xcf, 0x0f);
	assert_int_equal(pm_read(&pm, 0x64, 1) & 3, 0);
	assert_int_equal(pm_read(&pm, PM_SLEEP_CONTROL_PORT, 1), 0);
	assert_int_equal(pm_read(&pm, PM_RESET_PORT, 1), 0);
}

static void small_registers_keep_what_they_should(void **state)
{
	struct pm pm = fresh();

	assert_int_equal(pm_read(&pm, 0x92, 1), 2);
	pm_write(&pm, 0x92, 1, 0xfc);
	assert_int_equal(pm_read(&pm, 0x92, 1), 0);
	pm_write(&pm, 0x80, 1, 0x5a);
	assert_int_equal(pm_read(&pm, 0x80, 1), 0x5a);
	pm.sleep_status = 0x80;
	pm_write(&pm, PM_SLEEP_STATUS_PORT, 1, 0x7f);
	assert_int_equal(pm_read(&pm, PM_SLEEP_STATUS_PORT, 1), 0x80);
	pm_write(&pm, PM_SLEEP_STATUS_PORT, 1, 0x80);
	assert_int_equal(pm_read(&pm, PM_SLEEP_STATUS_PORT, 1), 0);
	/* Other ports nearby are harmless. */
	assert_int_equal(pm_write(&pm, 0xcfb, 1, 0xff), 0);
	assert_true(pm_read(&pm, 0xcfb, 1) == UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_s5_with_the_enable_bit_powers_off),
		cmocka_unit_test(each_way_to_reset_has_its_values),
		cmocka_unit_test(a_wish_leaves_nothing_behind),
		cmocka_unit_test(the_pci_address_port_is_no_reset),
		cmocka_unit_test(legacy_ports_never_make_a_guest_wait),
		cmocka_unit_test(small_registers_keep_what_they_should),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
