/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the local interrupt pins and the thermal sensor raise: NMIs as the firmware says, its SMIs,
 * nothing else. ACPI, "Local APIC NMI Structure".
 */
#include "hv/host/lint.h"

static bool is_meant(const struct acpi *acpi, const struct acpi_lint *lint, uint32_t apic_id)
{
	if (lint->uid == ACPI_LINT_ALL)
		return true;
	for (uint32_t i = 0; i < acpi->n_cpus; i++)
		if (acpi->cpu_apic_id[i] == apic_id && acpi->cpu_uid[i] == lint->uid)
			return true;
	return false;
}

uint32_t lint_entry(const struct acpi *acpi, uint32_t apic_id, unsigned pin)
{
	if (acpi->n_lints == 0)
		return pin == 1 ? LVT_NMI : LVT_MASKED;
	for (uint32_t i = 0; i < acpi->n_lints; i++) {
		const struct acpi_lint *lint = &acpi->lint[i];

		if (lint->pin == pin && is_meant(acpi, lint, apic_id))
			return LVT_NMI | (lint->active_low ? LVT_ACTIVE_LOW : 0);
	}
	return LVT_MASKED;
}

uint32_t lint_thermal_entry(uint32_t found)
{
	return (found & LVT_DELIVERY) == LVT_SMI ? found : LVT_MASKED;
}
