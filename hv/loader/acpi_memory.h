/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/loader/acpi.h"

/*
 * An SSDT with the memory devices; SSDTs with the NVDIMMs; SRAT; SLIT; NFIT. Each table is omitted
 * if it would be empty. ERR_RANGE: no room.
 */
enum status acpi_add_memory_devices(struct acpi_image *image, const struct acpi_config *config);
enum status acpi_add_nvdimm_devices(struct acpi_image *image, const struct acpi_config *config);
enum status acpi_add_srat(struct acpi_image *image, const struct acpi_config *config);
enum status acpi_add_slit(struct acpi_image *image, const struct acpi_config *config);
enum status acpi_add_nfit(struct acpi_image *image, const struct acpi_config *config);
