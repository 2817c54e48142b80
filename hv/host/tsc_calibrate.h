/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/status.h"
#include "hv/lib/types.h"

/*
 * Find tsc_hz; *ret_source names where it comes from. After acpi_init(). ERR_NOTFOUND: the machine
 * has no source for it; logged.
 */
enum status tsc_init(const char **ret_source);

/* Whether the TSC has the same frequency in all power states. */
bool tsc_is_invariant(void);
