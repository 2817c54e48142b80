/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "boot/boot_info.h"

/* Remember how this machine is switched off. */
void power_init(const struct boot_info *info);

/* Stop the other processors and switch off by whatever works: firmware, ACPI, an emulator's port;
 * else halt. */
_Noreturn void power_off(void);

/* Stop the other processors and stay as we are, so that the console can be read. */
_Noreturn void power_wait(void);
