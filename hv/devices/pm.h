/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/devices/device.h"
#include "hv/lib/types.h"

/*
 * Power off, reset, and the few legacy ports that need a sane answer: sleep control, sleep status
 * and reset register of a hardware-reduced ACPI machine, and the PC's other ways to reset (0x64,
 * 0x92, 0xcf9). A write returns what the guest asks for as a wish.
 */
#define PM_SLEEP_CONTROL_PORT 0x600
#define PM_SLEEP_STATUS_PORT  0x601
#define PM_RESET_PORT	      0x602
#define PM_RESET_VALUE	      0x42
#define PM_SLEEP_TYPE_S5      5 /* same value as \_S5 in the DSDT */

/* The line of the power button, as in QEMU's microvm: a press is an edge. */
#define PM_POWER_BUTTON_GSI 9

struct pm {
	uint8_t reserved[2]; /* zero; part of saved states */
	bool refresh;	     /* toggling bit of port 0x61 */
	uint8_t sleep_status;
	uint8_t speaker;   /* port 0x61, bits 3:0 */
	uint8_t port_92;   /* bit 1: A20 */
	uint8_t reset_cf9; /* bits 3:1 */
	uint8_t post_code; /* last byte written to port 0x80 */
};

/* Power-on state. */
void pm_reset(struct pm *pm);

/* Claims ports 0x600 to 0x602, 0x61, 0x64, 0x80, 0x92, 0xcf8 to 0xcff. */
extern const struct device_class pm_class;
