/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The power button as a fixed feature of ACPI. Its event is polled: the interrupt that all events
 * of the machine share stays masked, and most of the others need AML. Source: ACPI specification,
 * "Power Management 1 Event Registers".
 */
#include "hv/host/power_button.h"

#include "hv/host/acpi.h"
#include "hv/host/acpi_register.h"
#include "hv/host/io.h"
#include "hv/host/tsc.h"

enum {
	PM1_BUTTON = 1 << 8,	/* in status and enable registers; status is cleared by a one */
	PM1_ACPI_MODE = 1 << 0, /* in control registers */
	ACPI_MODE_WAIT_US = 3000000,
	ACPI_MODE_POLL_US = 1000,
};

static bool is_ours; /* constant after power_button_init() */
static bool is_pressed;

static bool is_in_acpi_mode(void)
{
	return acpi_register_read(acpi.pm1a_control, 2) & PM1_ACPI_MODE;
}

/* In the other mode the firmware gets the events. */
static bool enter_acpi_mode(void)
{
	if (is_in_acpi_mode() || acpi.smi_command_port == 0 || acpi.enable_value == 0)
		return is_in_acpi_mode();
	outb(acpi.smi_command_port, acpi.enable_value);
	for (unsigned us = 0; us < ACPI_MODE_WAIT_US && !is_in_acpi_mode(); us += ACPI_MODE_POLL_US)
		tsc_wait_us(ACPI_MODE_POLL_US);
	return is_in_acpi_mode();
}

/* The second half of a register is missing on most machines. */
static bool map_both(const struct acpi_register reg[2])
{
	return acpi_register_map(reg[0]) &&
	       (reg[1].space == ACPI_SPACE_NONE || acpi_register_map(reg[1]));
}

/* A register without its second half reads as 0 there. */
static bool take_event(void)
{
	bool found = false;

	for (unsigned i = 0; i < ARRAY_SIZE(acpi.pm1_status); i++) {
		if (!(acpi_register_read(acpi.pm1_status[i], 2) & PM1_BUTTON))
			continue;
		acpi_register_write(acpi.pm1_status[i], 2, PM1_BUTTON);
		found = true;
	}
	return found;
}

bool power_button_init(void)
{
	if (!acpi.has_power_button || !acpi_register_map(acpi.pm1a_control) ||
	    !map_both(acpi.pm1_status) || !map_both(acpi.pm1_enable) || !enter_acpi_mode())
		return false;
	(void)take_event();
	for (unsigned i = 0; i < ARRAY_SIZE(acpi.pm1_enable); i++)
		acpi_register_write(acpi.pm1_enable[i], 2,
				    acpi_register_read(acpi.pm1_enable[i], 2) | PM1_BUTTON);
	is_ours = true;
	return true;
}

bool power_button_is_pressed(void)
{
	is_pressed = is_pressed || (is_ours && take_event());
	return is_pressed;
}
