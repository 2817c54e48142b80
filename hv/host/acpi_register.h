/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/host/acpi.h"

/*
 * The registers that ACPI's tables name. All functions may be called at any time on any processor,
 * also during a panic. Accesses have 1, 2 or 4 bytes.
 */

/* True if there is such a register; one in memory is then mapped. Call before any access. */
bool acpi_register_map(struct acpi_register reg);

/* Not in configuration space, which only acpi_register_write() reaches, for single bytes. */
uint32_t acpi_register_read(struct acpi_register reg, unsigned size);
void acpi_register_write(struct acpi_register reg, unsigned size, uint32_t value);
