/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/host/acpi.h"

/* Bits of an entry of the local vector table. SDM vol. 3, "Local Vector Table". */
enum {
	LVT_DELIVERY = 7 << 8,
	LVT_SMI = 2 << 8,
	LVT_NMI = 4 << 8,
	LVT_ACTIVE_LOW = 1 << 13,
	LVT_MASKED = 1 << 16,
};

/*
 * The entry for a local interrupt pin, 0 or 1, of a processor: NMI where the firmware says that it
 * leads there, otherwise masked. Firmware without such entries has NMI at pin 1, as all PCs.
 */
uint32_t lint_entry(const struct acpi *acpi, uint32_t apic_id, unsigned pin);

/*
 * What the entry for the thermal sensor becomes: masked, except where the firmware cools the
 * machine by its SMI.
 */
uint32_t lint_thermal_entry(uint32_t found);
