/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/devices/pvpanic.h"

#include "tests/unit/support.h"

static void a_read_gives_the_events_that_are_configured(void **state)
{
	for (unsigned events = 0; events <= PVPANIC_EVENTS; events++) {
		struct pvpanic pvpanic = {(uint8_t)events};
		struct io_access access = {.addr = PVPANIC_PORT, .size = 1};

		assert_int_equal(pvpanic_class.read(&pvpanic, &access), events);
	}
}

/* As in QEMU: a panic comes first, other bits are nothing, and what was announced does not matter.
 */
static void a_write_reports_what_has_happened(void **state)
{
	for (unsigned value = 0; value < 256; value++) {
		struct pvpanic pvpanic = {0};
		struct io_access access = {.addr = PVPANIC_PORT, .size = 1, .value = value};

		assert_int_equal(pvpanic_class.write(&pvpanic, &access), value & 1 ? WISH_PANICKED
									 : value & 2
										 ? WISH_CRASH_LOADED
										 : 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_read_gives_the_events_that_are_configured),
		cmocka_unit_test(a_write_reports_what_has_happened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
