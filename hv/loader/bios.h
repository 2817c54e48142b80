/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/loader/loader.h"

/*
 * A processor's first instruction is 16 bytes below 4 GiB, where the firmware ends. Its last
 * BIOS_LOW_MAX bytes also end at 1 MiB.
 */
#define BIOS_LOW_MAX KIB(128)
#define BIOS_ALIGN   KIB(64)
/* Above the I/O APIC, the HPET and the local APICs, which end below it. */
#define BIOS_MAX MIB(16)

/*
 * Copy the end of the firmware, whose size was checked, to below 1 MiB. Its copy below 4 GiB is a
 * region of the VM's memory. ERR_RANGE: the VM has no memory there.
 */
enum status bios_load(struct loader *loader);
