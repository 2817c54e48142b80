/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * [start, start + len) of physical memory for reading, or NULL if it cannot be read. A file of its
 * own, so that tests can replace it.
 */
const void *acpi_memory(phys_t start, uint64_t len);
