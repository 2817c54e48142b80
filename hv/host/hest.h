/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * The machine-check banks, of the first 64, whose corrected errors the firmware handles itself, by
 * an ACPI table HEST of 'len' bytes, which is not trusted.
 */
uint64_t hest_firmware_banks(const void *table, uint64_t len);
