/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/status.h"

/* Find tsc_hz. After acpi_init(). ERR_NOTFOUND: the machine has no source for it; logged. */
enum status tsc_init(void);
