/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/loader/acpi.h"

/*
 * Write the image for rsdp_gpa; the RSDP comes first. *ret_len is the number of bytes used.
 * ERR_INVAL: no CPU, or rsdp_gpa unaligned; ERR_RANGE: too many CPUs, a slot too high, an image
 * that ends above 4 GiB or does not fit 'size' (the content of buf is then undefined).
 */
enum status acpi_tables_build(const struct acpi_config *config, uint8_t *buf, size_t size,
			      size_t *ret_len);
