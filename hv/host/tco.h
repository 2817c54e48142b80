/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/host/acpi.h"

/*
 * The TCO timer of Intel's chipsets from ICH9 to the 9 series. It counts down twice: the first end
 * is an event for the firmware, the second resets the machine. Source: Intel I/O Controller Hub 9
 * datasheet, "TCO I/O Registers".
 */
struct tco {
	const char *chipset;
	uint16_t base;		  /* of its ports */
	struct acpi_register gcs; /* General Control and Status, which can forbid the reset */
};

/* One countdown of the timer has ticks of 0.6 seconds. */
enum { TCO_TICK_MS = 600, TCO_TICKS_MIN = 4, TCO_TICKS_MAX = 0x3ff };

/* Whether the timer counts, and may reset the machine. */
bool tco_is_running(const struct tco *tco);

/* Reset the machine after two countdowns. False: the board forbids the reset. */
bool tco_start(const struct tco *tco, unsigned ticks);
void tco_feed(const struct tco *tco);
void tco_stop(const struct tco *tco);

/* Whether the timer has reset the machine since this was asked last. */
bool tco_take_status(const struct tco *tco);
