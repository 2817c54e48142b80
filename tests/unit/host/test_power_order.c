/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/host/power_order.h"

#include <string.h>

#include "tests/unit/support.h"

static void expect_ways(enum power_goal goal, const struct power_facts *facts,
			const enum power_way *ways)
{
	unsigned n = 0;

	do
		assert_int_equal(power_way(goal, facts, n), ways[n]);
	while (ways[n++] != POWER_NO_WAY);
	assert_int_equal(power_way(goal, facts, n), POWER_NO_WAY);
}

#define EXPECT_WAYS(goal, facts, ...) \
	expect_ways(goal, facts, (const enum power_way[]){__VA_ARGS__ POWER_NO_WAY})

static void acpi_switches_off_before_the_firmware(void **state)
{
	struct power_facts facts = {.pm1 = true, .firmware = true, .reset_register = true};

	EXPECT_WAYS(POWER_OFF, &facts, POWER_BY_PM1, POWER_BY_FIRMWARE, );
}

static void a_hardware_reduced_machine_asks_the_firmware_first(void **state)
{
	struct power_facts facts = {.sleep_control = true, .firmware = true};

	EXPECT_WAYS(POWER_OFF, &facts, POWER_BY_FIRMWARE, POWER_BY_SLEEP_CONTROL, );
}

static void ports_of_emulators_are_touched_in_emulators_only(void **state)
{
	struct power_facts facts = {.emulator = true};

	EXPECT_WAYS(POWER_OFF, &facts, POWER_BY_EMULATOR, );
	facts.emulator = false;
	EXPECT_WAYS(POWER_OFF, &facts, );
}

static void a_reset_ends_with_a_triple_fault(void **state)
{
	struct power_facts facts = {.pm1 = true, .firmware = true, .emulator = true};

	EXPECT_WAYS(POWER_RESET, &facts, POWER_BY_CHIPSET, POWER_BY_KEYBOARD,
		    POWER_BY_TRIPLE_FAULT, );
	facts.reset_register = true;
	EXPECT_WAYS(POWER_RESET, &facts, POWER_BY_RESET_REGISTER, POWER_BY_CHIPSET,
		    POWER_BY_KEYBOARD, POWER_BY_TRIPLE_FAULT, );
}

static void expect_plan(enum power_wish wish, enum power_cause cause, enum power_goal goal,
			bool hold)
{
	struct power_plan plan = power_plan(wish, cause);

	assert_int_equal(plan.goal, goal);
	assert_int_equal(plan.hold, hold);
}

static void an_end_that_someone_must_read_is_held(void **state)
{
	expect_plan(POWER_WISH_NONE, POWER_GOOD_END, POWER_OFF, false);
	expect_plan(POWER_WISH_NONE, POWER_BAD_END, POWER_OFF, true);
	expect_plan(POWER_WISH_NONE, POWER_PANIC, POWER_RESET, true);
	expect_plan(POWER_WISH_RESET, POWER_GOOD_END, POWER_RESET, false);
	expect_plan(POWER_WISH_RESET, POWER_BAD_END, POWER_RESET, true);
	expect_plan(POWER_WISH_RESET, POWER_PANIC, POWER_RESET, false);
}

static void a_wish_for_power_off_or_waiting_holds_for_every_end(void **state)
{
	for (enum power_cause cause = POWER_GOOD_END; cause <= POWER_PANIC; cause++) {
		expect_plan(POWER_WISH_OFF, cause, POWER_OFF, false);
		expect_plan(POWER_WISH_STAY, cause, POWER_STAY, false);
	}
}

static void each_way_has_a_name(void **state)
{
	for (enum power_way way = POWER_BY_PM1; way <= POWER_NO_WAY; way++)
		assert_true(strlen(power_way_name(way)) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(acpi_switches_off_before_the_firmware),
		cmocka_unit_test(a_hardware_reduced_machine_asks_the_firmware_first),
		cmocka_unit_test(ports_of_emulators_are_touched_in_emulators_only),
		cmocka_unit_test(a_reset_ends_with_a_triple_fault),
		cmocka_unit_test(an_end_that_someone_must_read_is_held),
		cmocka_unit_test(a_wish_for_power_off_or_waiting_holds_for_every_end),
		cmocka_unit_test(each_way_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
