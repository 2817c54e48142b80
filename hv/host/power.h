/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "boot/boot_info.h"

/* Remember how the firmware switches this machine off. */
void power_init(const struct boot_info *info);

/*
 * Stop the other processors and switch off: by the firmware, ACPI or an emulator's port. Halt if
 * nothing works.
 */
_Noreturn void power_off(void);

/* Stop the other processors and halt, so that the console can be read. */
_Noreturn void power_wait(void);
