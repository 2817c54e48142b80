/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/status.h"
#include "hv/types.h"

/* Ticks of the TSC in a second; constant after tsc_init(). */
extern uint64_t tsc_hz;

/* Find tsc_hz. ERR_NOTFOUND, said on the console, if nothing on this machine tells. After
 * acpi_init(). */
enum status tsc_init(void);

/* Spin. */
void tsc_wait_us(uint64_t us);
