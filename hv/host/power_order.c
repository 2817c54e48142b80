/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decides how a machine ends: what to do, and in which order the ways are tried. ACPI's registers
 * come before the firmware, whose ResetSystem() crashes or hangs on many machines. Hardware-reduced
 * machines are the exception: ACPI, "Hardware-Reduced ACPI", lets them switch off by the firmware.
 */
#include "hv/host/power_order.h"

struct power_plan power_plan(enum power_wish wish, enum power_cause cause)
{
	static const struct power_plan plans[][POWER_PANIC + 1] = {
		[POWER_WISH_NONE] = {{POWER_OFF, false}, {POWER_OFF, true}, {POWER_RESET, true}},
		[POWER_WISH_OFF] = {{POWER_OFF, false}, {POWER_OFF, false}, {POWER_OFF, false}},
		[POWER_WISH_STAY] = {{POWER_STAY, false}, {POWER_STAY, false}, {POWER_STAY, false}},
		[POWER_WISH_RESET] = {{POWER_RESET, false},
				      {POWER_RESET, true},
				      {POWER_RESET, false}},
	};

	return plans[wish][cause];
}

static bool is_offered(enum power_way way, const struct power_facts *facts)
{
	switch (way) {
	case POWER_BY_PM1:
		return facts->pm1;
	case POWER_BY_SLEEP_CONTROL:
		return facts->sleep_control;
	case POWER_BY_FIRMWARE:
		return facts->firmware;
	case POWER_BY_EMULATOR:
		return facts->emulator;
	case POWER_BY_RESET_REGISTER:
		return facts->reset_register;
	default:
		return true;
	}
}

enum power_way power_way(enum power_goal goal, const struct power_facts *facts, unsigned n)
{
	static const enum power_way off[] = {POWER_BY_PM1, POWER_BY_FIRMWARE,
					     POWER_BY_SLEEP_CONTROL, POWER_BY_EMULATOR,
					     POWER_NO_WAY};
	static const enum power_way reset[] = {POWER_BY_RESET_REGISTER, POWER_BY_CHIPSET,
					       POWER_BY_KEYBOARD, POWER_BY_TRIPLE_FAULT,
					       POWER_NO_WAY};
	const enum power_way *way = goal == POWER_OFF ? off : reset;

	for (; *way != POWER_NO_WAY; way++)
		if (is_offered(*way, facts) && n-- == 0)
			break;
	return *way;
}

const char *power_way_name(enum power_way way)
{
	static const char *const names[] = {
		[POWER_BY_PM1] = "ACPI's PM1 registers",
		[POWER_BY_SLEEP_CONTROL] = "ACPI's sleep control register",
		[POWER_BY_FIRMWARE] = "the firmware",
		[POWER_BY_EMULATOR] = "an emulator's port",
		[POWER_BY_RESET_REGISTER] = "ACPI's reset register",
		[POWER_BY_CHIPSET] = "the chipset's reset port",
		[POWER_BY_KEYBOARD] = "the keyboard controller",
		[POWER_BY_TRIPLE_FAULT] = "a triple fault",
		[POWER_NO_WAY] = "nothing",
	};

	return names[way];
}
