/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/host/acpi.h"

/*
 * A watchdog timer that the firmware describes in the ACPI table WDAT: each action is a list of
 * accesses to registers. Source: Microsoft, "Hardware Watchdog Timers Design Specification".
 */
enum wdat_action {
	WDAT_RESET = 1, /* start the countdown again */
	WDAT_SET_COUNTDOWN = 6,
	WDAT_GET_RUNNING = 8,
	WDAT_SET_RUNNING = 9,
	WDAT_SET_STOPPED = 11,
	WDAT_SET_REBOOT = 17, /* the end of the countdown resets the machine */
	WDAT_GET_STATUS = 32, /* whether it has done so */
	WDAT_SET_STATUS = 33, /* forget that */
};

enum wdat_instruction {
	WDAT_READ_VALUE = 0, /* whether the field has the value */
	WDAT_READ_COUNTDOWN = 1,
	WDAT_WRITE_VALUE = 2,
	WDAT_WRITE_COUNTDOWN = 3, /* the operand instead of the value */
	WDAT_PRESERVE = 0x80,	  /* with a write: keep the register's other bits */
};

/* One access. The field is the register's bits that 'mask' has, moved up by 'shift'. */
struct wdat_step {
	uint8_t action, instruction;
	uint8_t size; /* of the access: 1, 2 or 4 bytes */
	uint8_t shift;
	struct acpi_register reg; /* memory or I/O */
	uint32_t value, mask;
};

enum { WDAT_STEPS_MAX = 64 };

struct wdat {
	uint32_t period_ms; /* of a count */
	uint32_t min_count, max_count;
	unsigned n_steps;
	struct wdat_step step[WDAT_STEPS_MAX]; /* in the table's order */
};

bool wdat_has(const struct wdat *wdat, enum wdat_action action);

/*
 * Carry out an action. False if the timer does not have it, or a field has another value than the
 * action asks for. Only accesses registers; their places were checked by wdat_parse().
 */
bool wdat_run(const struct wdat *wdat, enum wdat_action action, uint32_t operand);
