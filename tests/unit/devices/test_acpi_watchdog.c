/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/devices/acpi_watchdog.h"

#include "tests/unit/support.h"

#define HZ	 UINT64_C(1000)
#define BEGIN	 UINT64_C(50000)
#define AFTER(n) (BEGIN + 100 * (n)) /* counts */
#define NEVER	 UINT64_MAX

static struct acpi_watchdog watchdog;

static void put(uint64_t off, uint32_t value, uint64_t now)
{
	acpi_watchdog_write(&watchdog, off, value, now);
}

static uint32_t get(uint64_t off, uint64_t now)
{
	return acpi_watchdog_read(&watchdog, off, now);
}

static int begin(void **state)
{
	watchdog = (struct acpi_watchdog){0};
	acpi_watchdog_reset(&watchdog, HZ);
	put(ACPI_WATCHDOG_COUNT, 20, BEGIN);
	return 0;
}

static void it_stands_until_it_is_run(void **state)
{
	assert_int_equal(get(ACPI_WATCHDOG_COUNT, AFTER(5)), 20);
	assert_int_equal(get(ACPI_WATCHDOG_CONTROL, BEGIN), ACPI_WATCHDOG_STOP);
	assert_int_equal(acpi_watchdog_end(&watchdog), NEVER);
	put(ACPI_WATCHDOG_CONTROL, ACPI_WATCHDOG_RESET, BEGIN);
	put(ACPI_WATCHDOG_CONTROL, 7, BEGIN);
	acpi_watchdog_look(&watchdog, AFTER(1000));
	assert_false(watchdog.is_news);
	assert_int_equal(get(12, BEGIN), UINT32_MAX);
}

static void it_ends_once(void **state)
{
	put(ACPI_WATCHDOG_CONTROL, ACPI_WATCHDOG_RUN, BEGIN);
	assert_int_equal(get(ACPI_WATCHDOG_CONTROL, BEGIN), ACPI_WATCHDOG_RUN);
	assert_int_equal(acpi_watchdog_end(&watchdog), AFTER(20));
	assert_int_equal(get(ACPI_WATCHDOG_COUNT, AFTER(5)), 15);
	assert_int_equal(get(ACPI_WATCHDOG_COUNT, AFTER(25)), 0);
	assert_int_equal(get(ACPI_WATCHDOG_COUNT, BEGIN - 1), 20); /* another vCPU's clock */
	acpi_watchdog_look(&watchdog, AFTER(20) - 1);
	assert_false(watchdog.has_ended);
	acpi_watchdog_look(&watchdog, AFTER(20));
	assert_true(watchdog.is_news && watchdog.has_ended && !watchdog.runs);
	assert_int_equal(get(ACPI_WATCHDOG_STATUS, AFTER(20)), 1);
	watchdog.is_news = false;
	acpi_watchdog_look(&watchdog, AFTER(100));
	assert_false(watchdog.is_news);
	put(ACPI_WATCHDOG_STATUS, 2, AFTER(100));
	assert_int_equal(get(ACPI_WATCHDOG_STATUS, AFTER(100)), 1);
	put(ACPI_WATCHDOG_STATUS, 1, AFTER(100));
	assert_int_equal(get(ACPI_WATCHDOG_STATUS, AFTER(100)), 0);
}

static void a_guest_that_lives_begins_again(void **state)
{
	put(ACPI_WATCHDOG_CONTROL, ACPI_WATCHDOG_RUN, BEGIN);
	put(ACPI_WATCHDOG_CONTROL, ACPI_WATCHDOG_RESET, AFTER(15));
	assert_int_equal(acpi_watchdog_end(&watchdog), AFTER(35));
	put(ACPI_WATCHDOG_COUNT, 100, AFTER(30));
	assert_int_equal(acpi_watchdog_end(&watchdog), AFTER(130));
	acpi_watchdog_restart(&watchdog, AFTER(120));
	assert_int_equal(acpi_watchdog_end(&watchdog), AFTER(220));
	put(ACPI_WATCHDOG_COUNT, UINT32_MAX, AFTER(30));
	assert_int_equal(get(ACPI_WATCHDOG_COUNT, AFTER(30)), ACPI_WATCHDOG_MAX_COUNT);
	put(ACPI_WATCHDOG_CONTROL, ACPI_WATCHDOG_STOP, AFTER(200));
	assert_int_equal(acpi_watchdog_end(&watchdog), NEVER);
}

static void a_reset_keeps_the_status_alone(void **state)
{
	put(ACPI_WATCHDOG_COUNT, 0, BEGIN);
	put(ACPI_WATCHDOG_CONTROL, ACPI_WATCHDOG_RUN, BEGIN);
	acpi_watchdog_look(&watchdog, BEGIN);
	acpi_watchdog_reset(&watchdog, HZ);
	assert_int_equal(get(ACPI_WATCHDOG_STATUS, BEGIN), 1);
	assert_int_equal(get(ACPI_WATCHDOG_CONTROL, BEGIN), ACPI_WATCHDOG_STOP);
	assert_int_equal(get(ACPI_WATCHDOG_COUNT, BEGIN), ACPI_WATCHDOG_MAX_COUNT);
	assert_false(watchdog.is_news);
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_stands_until_it_is_run),
		TEST(it_ends_once),
		TEST(a_guest_that_lives_begins_again),
		TEST(a_reset_keeps_the_status_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
