/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/* What becomes of the machine at its end. */
enum power_goal { POWER_STAY, POWER_OFF, POWER_RESET };

/* Why it ends: all went well, something failed or was refused, or a panic. */
enum power_cause { POWER_GOOD_END, POWER_BAD_END, POWER_PANIC };

/* What the operator wants. */
enum power_wish { POWER_WISH_NONE, POWER_WISH_OFF, POWER_WISH_STAY, POWER_WISH_RESET };

struct power_plan {
	enum power_goal goal;
	bool hold; /* first keep the screen until a key or 60 seconds */
};

/*
 * A bad end stays on the screen so that it can be read, unless the operator asked for power-off:
 * that is the wish of programs that run the machine. A panic resets the machine, so that it works
 * again without its operator.
 */
struct power_plan power_plan(enum power_wish wish, enum power_cause cause);

enum power_way {
	POWER_BY_PM1,		 /* ACPI's fixed registers */
	POWER_BY_SLEEP_CONTROL,	 /* and that of hardware-reduced machines */
	POWER_BY_FIRMWARE,	 /* ResetSystem() */
	POWER_BY_EMULATOR,	 /* ports of QEMU and Bochs */
	POWER_BY_RESET_REGISTER, /* ACPI's */
	POWER_BY_CHIPSET,	 /* port 0xcf9 */
	POWER_BY_KEYBOARD,	 /* the keyboard controller's reset line */
	POWER_BY_TRIPLE_FAULT,
	POWER_NO_WAY,
};

/* What the machine offers. */
struct power_facts {
	bool pm1, sleep_control, firmware, reset_register, emulator;
};

/* The n-th way, from 0, to try for POWER_OFF or POWER_RESET; POWER_NO_WAY after the last. */
enum power_way power_way(enum power_goal goal, const struct power_facts *facts, unsigned n);

/* For messages: "switching off by ..." */
const char *power_way_name(enum power_way way);
