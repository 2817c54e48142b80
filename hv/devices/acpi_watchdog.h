/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/devices/device.h"
#include "hv/lib/types.h"

/*
 * A watchdog timer that ACPI's table WDAT describes; the registers are Stencil's own. Three of 32
 * bits: the count from which it counts down, or that is left; a control register; and a status that
 * survives a reset. Plain state without pointers, in cycles of the TSC. Not locked.
 */
#define ACPI_WATCHDOG_PORT	0x620
#define ACPI_WATCHDOG_N_PORTS	12
#define ACPI_WATCHDOG_HZ	10 /* of the countdown */
#define ACPI_WATCHDOG_MIN_COUNT 10
#define ACPI_WATCHDOG_MAX_COUNT 0xffff

/* Offsets of the registers. */
enum acpi_watchdog_register {
	ACPI_WATCHDOG_COUNT = 0,
	ACPI_WATCHDOG_CONTROL = 4,
	ACPI_WATCHDOG_STATUS = 8, /* 1: it has ended; a write of 1 clears it */
};

/* Of the control register, whose reads are the first two. */
enum acpi_watchdog_control {
	ACPI_WATCHDOG_STOP = 0,
	ACPI_WATCHDOG_RUN = 1,	 /* begin the countdown */
	ACPI_WATCHDOG_RESET = 2, /* begin again, if it runs */
};

/* What the owner does at the end, as QEMU names it in -action watchdog=. */
enum watchdog_action {
	WATCHDOG_ACTION_RESET,
	WATCHDOG_ACTION_SHUTDOWN,
	WATCHDOG_ACTION_POWEROFF,
	WATCHDOG_ACTION_PAUSE,
	WATCHDOG_ACTION_INJECT_NMI,
	WATCHDOG_ACTION_NONE,
};
extern const char *const watchdog_action_names[]; /* up to NULL */

struct acpi_watchdog {
	uint64_t start; /* time at which the countdown began */
	uint64_t tsc_hz;
	uint32_t count; /* where it begins */
	bool runs;
	bool has_ended; /* status */
	bool is_news;	/* the owner has not been told yet */
	uint8_t reserved;
};

/* A machine reset: it stops, and keeps its status. */
void acpi_watchdog_reset(struct acpi_watchdog *watchdog, uint64_t tsc_hz);
uint32_t acpi_watchdog_read(const struct acpi_watchdog *watchdog, uint64_t off, uint64_t now);
void acpi_watchdog_write(struct acpi_watchdog *watchdog, uint64_t off, uint32_t value,
			 uint64_t now);
/* Begin the countdown again if it runs: no time has passed for the guest. */
void acpi_watchdog_restart(struct acpi_watchdog *watchdog, uint64_t now);
/* At 'now' the countdown may be at its end, which is news. */
void acpi_watchdog_look(struct acpi_watchdog *watchdog, uint64_t now);
/* When acpi_watchdog_look() is due; UINT64_MAX: never. */
uint64_t acpi_watchdog_end(const struct acpi_watchdog *watchdog);

/* Only for the saved state. */
extern const struct device_class acpi_watchdog_class;
