/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * Take the machine's power button over from the firmware, which would switch off at once. After
 * tsc_init(), on the boot processor. False: ACPI's registers do not have it, or the firmware keeps
 * it.
 */
bool power_button_init(void);

/* Whether the button has been pressed since then. Reads a register; for one processor at a time. */
bool power_button_is_pressed(void);
